"""apps.identity.services.keys: made once, rotated with overlap, gone when nothing signed by them is left."""

import threading
import time
from datetime import timedelta
from io import StringIO

import pytest
import time_machine
from django.core.management import CommandError, call_command
from django.db import IntegrityError, connection, transaction

from apps.audit.models import AuditEntry
from apps.core.clock import now
from apps.core.ids import new_id
from apps.core.jobs.registry import job_type
from apps.core.jobs.runner import JobRun
from apps.core.jobs.schedules import repeating
from apps.core.live import listener
from apps.core.models import LiveTopic
from apps.core.principal import system
from apps.core.sealing import SealBroken
from apps.identity.errors import KeyPending, TokenRefused
from apps.identity.knobs import SIGNING_KEY_DAYS
from apps.identity.models import RevokedToken, SigningKey
from apps.identity.selectors import published_keys, signing_key_at
from apps.identity.services import (
    ensure_signing_key,
    issue_token,
    prune,
    rotate_due_key,
    rotate_signing_key,
    withdraw_signing_keys,
)
from apps.identity.services.keys import LEAD, LONGEST_LIFETIME, private_key
from apps.identity.trust import embedded_keys
from apps.identity.verification import verify

ACTOR = system("test")
ROTATE_EVERY = timedelta(days=SIGNING_KEY_DAYS.standard())


@pytest.mark.django_db
def test_first_key_signs_at_once() -> None:
    key = ensure_signing_key(actor=ACTOR)
    assert signing_key_at(now()) == key
    assert ensure_signing_key(actor=ACTOR) == key
    assert AuditEntry.objects.filter(action="signing_key.create", resource_id=key.kid).count() == 1
    assert verify(issue_token(actor=ACTOR, subject="svc").text).subject == "svc"


@pytest.mark.django_db(transaction=True)
def test_first_key_is_one_however_many_ask_at_once() -> None:
    start = threading.Barrier(8)
    kids: list[str] = []

    def ask() -> None:
        try:
            start.wait()
            kids.append(ensure_signing_key(actor=ACTOR).kid)
        finally:
            connection.close()

    threads = [threading.Thread(target=ask) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(kids) == 8
    assert len(set(kids)) == 1
    assert SigningKey.objects.count() == 1
    assert AuditEntry.objects.filter(action="signing_key.create").count() == 1


@pytest.mark.django_db(transaction=True)
def test_rotation_is_one_however_many_schedulers_run() -> None:
    ensure_signing_key(actor=ACTOR)
    SigningKey.objects.update(signs_from=now() - ROTATE_EVERY)
    start = threading.Barrier(4)
    made: list[SigningKey | None] = []

    def rotate() -> None:
        try:
            start.wait()
            made.append(rotate_due_key(actor=ACTOR))
        finally:
            connection.close()

    threads = [threading.Thread(target=rotate) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [key is not None for key in made].count(True) == 1
    assert SigningKey.objects.count() == 2
    assert AuditEntry.objects.filter(action="signing_key.rotate").count() == 1


@pytest.mark.django_db
def test_private_part_is_sealed_and_public_part_has_no_secret() -> None:
    key = ensure_signing_key(actor=ACTOR)
    assert b"PRIVATE" not in bytes(key.sealed_private)
    assert set(key.public_jwk) == {"kty", "n", "e", "kid", "use", "alg"}
    assert private_key(key).thumbprint() == key.kid


@pytest.mark.django_db
def test_private_part_of_another_row_is_not_used() -> None:
    with time_machine.travel(now() - ROTATE_EVERY):
        first = ensure_signing_key(actor=ACTOR)
    second = rotate_signing_key(actor=ACTOR)
    first.sealed_private = second.sealed_private
    with pytest.raises(ValueError, match="another key"):
        private_key(first)
    first.sealed_private = bytes(first.sealed_private)[:-1] + b"\0"
    with pytest.raises(SealBroken):
        private_key(first)


@pytest.mark.django_db
def test_new_key_is_published_before_it_signs_and_the_old_one_as_long_as_its_tokens_live() -> None:
    """reliability.md: signing keys published at least 5 minutes before use."""
    old = ensure_signing_key(actor=ACTOR)
    new = rotate_signing_key(actor=ACTOR, reason="yearly")
    old.refresh_from_db()
    assert timedelta(minutes=5) <= LEAD
    assert new.signs_from - now() > timedelta(minutes=5)
    assert {key.kid for key in published_keys(now())} == {old.kid, new.kid}
    assert signing_key_at(now()) == old
    before, at = new.signs_from - timedelta(microseconds=1), new.signs_from
    assert (signing_key_at(before), signing_key_at(at)) == (old, new)

    with time_machine.travel(before, tick=False):
        last = issue_token(actor=ACTOR, subject="svc", lifetime=LONGEST_LIFETIME)
    assert old.published_until is not None
    assert old.published_until > last.expires_at
    with time_machine.travel(last.expires_at - timedelta(seconds=2), tick=False):
        embedded_keys.forget()
        assert verify(last.text).subject == "svc"
        assert prune(actor=ACTOR) == {"keys": 0, "revocations": 0}
    with time_machine.travel(old.published_until, tick=False):
        assert published_keys(now()) == [new]
        assert prune(actor=ACTOR) == {"keys": 1, "revocations": 0}
    assert list(SigningKey.objects.all()) == [new]


@pytest.mark.django_db
def test_tokens_of_both_keys_are_taken_during_the_overlap() -> None:
    first = issue_token(actor=ACTOR, subject="svc", lifetime=timedelta(hours=2)).text
    verify(first)
    new = rotate_signing_key(actor=ACTOR)
    with time_machine.travel(new.signs_from + timedelta(seconds=1), tick=False):
        second = issue_token(actor=ACTOR, subject="svc").text
        assert first.split(".", maxsplit=1)[0] != second.split(".", maxsplit=1)[0]
        assert verify(first).subject == verify(second).subject == "svc"


@pytest.mark.django_db
def test_rotation_while_a_new_key_waits_is_a_conflict() -> None:
    ensure_signing_key(actor=ACTOR)
    rotate_signing_key(actor=ACTOR)
    with pytest.raises(KeyPending):
        rotate_signing_key(actor=ACTOR)
    assert SigningKey.objects.count() == 2


@pytest.mark.django_db
def test_scheduled_rotation_waits_for_its_day() -> None:
    assert rotate_due_key(actor=ACTOR) is None
    assert not SigningKey.objects.exists()
    key = ensure_signing_key(actor=ACTOR)
    due = key.signs_from + ROTATE_EVERY
    with time_machine.travel(due - timedelta(seconds=5), tick=False):
        assert rotate_due_key(actor=ACTOR) is None
    with time_machine.travel(due, tick=False):
        assert rotate_due_key(actor=ACTOR) is not None
        assert rotate_due_key(actor=ACTOR) is None


@pytest.mark.django_db
def test_withdrawal_ends_every_token_and_the_next_key_signs_at_once() -> None:
    text = issue_token(actor=ACTOR, subject="svc").text
    verify(text)
    new = withdraw_signing_keys(actor=ACTOR, reason="the backup was stolen")
    embedded_keys.forget()
    with pytest.raises(TokenRefused):
        verify(text)
    assert signing_key_at(now()) == new
    assert AuditEntry.objects.filter(action="signing_key.withdraw", resource_id=new.kid).count() == 1


@pytest.mark.django_db
def test_second_key_without_an_end_is_refused_by_the_database() -> None:
    key = ensure_signing_key(actor=ACTOR)
    with pytest.raises(IntegrityError), transaction.atomic():
        SigningKey.objects.create(kid="other", public_jwk={}, sealed_private=b"x", signs_from=key.signs_from)


@pytest.mark.django_db
def test_change_of_keys_raises_the_live_topic() -> None:
    ensure_signing_key(actor=ACTOR)
    first = LiveTopic.objects.get(name="identity.keys").revision
    rotate_signing_key(actor=ACTOR)
    assert LiveTopic.objects.get(name="identity.keys").revision == first + 1


@pytest.mark.django_db
def test_revocations_are_forgotten_when_their_tokens_are_over() -> None:
    RevokedToken.objects.create(digest="a", expires_at=now() - timedelta(minutes=5))
    RevokedToken.objects.create(digest="b", expires_at=now() + timedelta(minutes=5))
    assert prune(actor=ACTOR) == {"keys": 0, "revocations": 1}
    assert list(RevokedToken.objects.values_list("digest", flat=True)) == ["b"]
    before = AuditEntry.objects.count()
    assert prune(actor=ACTOR) == {"keys": 0, "revocations": 0}
    assert AuditEntry.objects.count() == before


@pytest.mark.django_db
def test_command_rotates_and_withdraws() -> None:
    old = ensure_signing_key(actor=ACTOR)
    out = StringIO()
    call_command("rotate_signing_keys", stdout=out)
    assert signing_key_at(now()) == old
    with pytest.raises(CommandError, match="published already"):
        call_command("rotate_signing_keys", stdout=out)
    call_command("rotate_signing_keys", "--withdraw", "a stolen backup", stdout=out)
    new = SigningKey.objects.get()
    assert new != old
    assert new.kid in out.getvalue()
    assert signing_key_at(now()) == new


@pytest.mark.django_db
@pytest.mark.parametrize("name", ["identity.rotate_keys", "identity.prune"])
def test_jobs_run_hourly_and_twice_do_no_more_than_once(name: str) -> None:
    ensure_signing_key(actor=ACTOR)
    SigningKey.objects.update(signs_from=now() - ROTATE_EVERY)
    assert repeating()[name] == timedelta(hours=1)
    run = JobRun(id=new_id(), actor=ACTOR, attempt=1)
    for _ in range(2):
        job_type(name).handler(run)
    assert SigningKey.objects.count() == (2 if name == "identity.rotate_keys" else 1)


@pytest.mark.django_db(transaction=True)
def test_withdrawal_reaches_a_serving_process_within_two_seconds_unasked(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    # Subscribes anew: an emptied database counts its revisions from the start.
    monkeypatch.setattr(embedded_keys, "_listens", False)
    text = issue_token(actor=ACTOR, subject="svc").text
    verify(text)
    deadline = time.monotonic() + 30
    while not listener.connected and time.monotonic() < deadline:
        time.sleep(0.05)
    withdraw_signing_keys(actor=ACTOR, reason="leaked")
    withdrawn = time.monotonic()
    while time.monotonic() < withdrawn + 20:
        try:
            verify(text)
        except TokenRefused:
            break
        time.sleep(0.02)
    # What is kept for 30 s unless somebody says otherwise would still be there.
    assert time.monotonic() - withdrawn < 20
