"""Crypto-shredding: a person's details go, other people's stay, and every chain stays valid."""

import json

import pytest
from django.db import DatabaseError, connection, transaction

from apps.audit.models import AuditDetail, AuditEntry
from apps.audit.selectors import entries_of_person, rows
from apps.audit.services import shred
from apps.audit.verification import verify_all
from apps.core.aspects import Subject, registry
from apps.core.ids import USER, new_id, public
from apps.core.principal import Principal, PrincipalKind
from apps.core.write import Target, write
from tests.factories import actor

PERSON = new_id()
PUBLIC = public(USER, PERSON)
EMAIL = "jane.roe@people.example"
JANE = Principal(
    kind=PrincipalKind.USER, id=PUBLIC, label=EMAIL, user_id=PERSON, address="198.51.100.4", via="console"
)
OTHER = Target(type="user", id="usr_other", person_id=new_id())


def say(who: Principal, target: Target, reason: str = "", name: str = "x") -> AuditEntry:
    with write("sample.say", actor=who, target=target, reason=reason) as w:
        w.changed(after={"name": name})
    return AuditEntry.objects.filter(action="sample.say").latest("seq")


def parts(entry: AuditEntry) -> set[str]:
    return set(AuditDetail.objects.filter(entry=entry).values_list("part", flat=True))


def gone(*emails: str, name: str = "") -> int:
    with write("sample.erase", actor=actor(), target=Target(type="user", id=PUBLIC, person_id=PERSON)):
        return shred(actor=actor(), person_id=PERSON, public_id=PUBLIC, emails=emails, name=name)


def intact() -> bool:
    return all(report.broken is None for report in verify_all())


@pytest.mark.django_db
def test_details_of_the_person_go_as_actor_and_as_subject_and_other_parts_of_the_same_rows_stay() -> None:
    did = say(JANE, OTHER, "their own words", "Somebody Else")
    was_done = say(actor(), Target(type="user", id=PUBLIC, person_id=PERSON), "about Jane", "Jane Roe")
    unrelated = say(actor(), OTHER, "nothing", "Somebody Else")
    assert gone() == 2
    assert (parts(did), parts(was_done), parts(unrelated)) == ({"subject"}, {"actor"}, {"actor", "subject"})
    shown = {row.entry.pk: row for row in rows([did, was_done])}
    assert (shown[did.pk].label, shown[did.pk].address, shown[did.pk].after) == (
        "", None, {"name": "Somebody Else"},
    )  # fmt: skip
    assert (shown[was_done.pk].reason, shown[was_done.pk].label) == ("", actor().label)
    assert intact()


@pytest.mark.django_db
def test_details_of_others_that_bear_the_address_go_and_longer_addresses_stay() -> None:
    meant = [say(actor(), OTHER, f"see {EMAIL.upper()}."), say(actor(), OTHER, name=EMAIL)]
    spared = [
        say(actor(), OTHER, f"see {each}")
        for each in (f"mary-{EMAIL}", f"{EMAIL}.au", "janeXroe@people.example")
    ]
    assert gone(EMAIL) == 2
    assert [parts(entry) for entry in meant] == [{"actor"}] * 2
    assert [parts(entry) for entry in spared] == [{"actor", "subject"}] * 3
    assert intact()


@pytest.mark.django_db
def test_name_is_looked_for_only_in_what_the_person_did() -> None:
    did = [say(JANE, OTHER, f"I am {name}") for name in ("jane (roe)", "Janet", "Jane (Roe)s")]
    namesake = say(actor(), OTHER, "Jane (Roe) came")
    gone(name="Jane (Roe)")
    assert [parts(entry) for entry in did] == [set(), {"subject"}, {"subject"}]
    assert parts(namesake) == {"actor", "subject"}
    assert intact()


@pytest.mark.django_db
def test_shredding_leaves_one_row_that_says_so_and_a_second_time_none() -> None:
    say(JANE, OTHER)
    assert gone() == 1
    assert gone() == 0
    witness = AuditEntry.objects.get(action="audit.shred")
    assert (witness.resource_id, witness.person_id, witness.actor_id) == (PUBLIC, PERSON, actor().id)


@pytest.mark.django_db
def test_function_refuses_to_shred_without_a_row_that_names_the_person_and_to_shred_by_half_a_word() -> None:
    kept = say(JANE, OTHER)
    wrong: list[tuple[list[str], str]] = [
        ([], "[]"),
        ([], json.dumps([{"chain": "platform", "text": '{"action":"audit.shred","person_id":null}'}])),
        (
            [],
            json.dumps(
                [{"chain": "platform", "text": json.dumps({"action": "x", "person_id": str(PERSON)})}]
            ),
        ),
    ]
    witness = {"chain": "platform", "text": json.dumps({"action": "audit.shred", "person_id": str(PERSON)})}
    wrong += [(["e"], json.dumps([witness])), (["@"], json.dumps([witness]))]
    for words, rows_ in wrong:
        with pytest.raises(DatabaseError), transaction.atomic(), connection.cursor() as cursor:
            cursor.execute("SELECT audit_shred(%s, %s::text[], '', %s::jsonb)", [PERSON, words, rows_])
    assert parts(kept) == {"actor", "subject"}


@pytest.mark.django_db
def test_application_can_not_delete_a_detail_by_itself() -> None:
    say(JANE, OTHER)
    with pytest.raises(DatabaseError), transaction.atomic():
        AuditDetail.objects.all().delete()


@pytest.mark.django_db
def test_application_can_not_put_tables_of_its_own_in_the_way_of_the_witness() -> None:
    say(JANE, OTHER)
    with connection.cursor() as cursor:
        # A temporary table stands before any other of its name, unless the function's path says otherwise.
        for table in ("audit_head", "audit_entry", "audit_detail"):
            cursor.execute(f"CREATE TEMP TABLE {table} (LIKE public.{table} INCLUDING ALL) ON COMMIT DROP")
            cursor.execute(f"GRANT ALL ON {table} TO PUBLIC")
        assert gone() == 1
        cursor.execute("SELECT count(*) FROM public.audit_entry WHERE action = 'audit.shred'")
        assert cursor.fetchone() == (1,)
        cursor.execute("SELECT (SELECT count(*) FROM audit_entry) + (SELECT count(*) FROM audit_head)")
        assert cursor.fetchone() == (0,)


@pytest.mark.django_db
def test_export_tells_the_person_their_own_rows_and_hides_who_else_acted() -> None:
    say(JANE, OTHER, "mine", "Somebody Else")
    say(actor(), Target(type="user", id=PUBLIC, person_id=PERSON), "about Jane", "Jane Roe")
    aspect = next(each for each in registry.of(Subject.USER) if each.name == "audit.details")
    assert aspect.export is not None
    about, mine = list(aspect.export(PERSON))
    assert (mine["by"], mine["address"], mine["after"]) == (PUBLIC, "198.51.100.4", {})
    assert (about["by"], about["address"], about["after"]) == ("staff", None, {"name": "Jane Roe"})
    assert actor().label not in json.dumps([about, mine])
    assert entries_of_person(PERSON, PUBLIC).count() == 2
