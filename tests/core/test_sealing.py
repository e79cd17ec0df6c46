"""apps.core.sealing: envelopes that open only unchanged, for their purpose, under a key that we have."""

import base64
from io import StringIO
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from hypothesis import HealthCheck, given
from hypothesis import settings as examples
from hypothesis import strategies as st
from pytest_django import Settings

from apps.audit.models import AuditEntry
from apps.core import sealing
from apps.core.enums import JobEngine
from apps.core.models import IdempotentResponse, Job
from apps.core.principal import system
from apps.core.sealing import (
    MasterKeysWrong,
    SealBroken,
    open_sealed,
    open_text,
    parse_master_keys,
    seal,
    seal_text,
)
from apps.core.sealing.rotation import reseal_all


def _key(number: int) -> str:
    return base64.b64encode(bytes([number]) * 32).decode()


OLD, BOTH, NEW = f"old:{_key(1)}", f"new:{_key(2)},old:{_key(1)}", f"new:{_key(2)}"


@pytest.fixture(autouse=True)
def _old_key(settings: Settings) -> None:
    settings.MASTER_KEYS = OLD


SHARED = examples(suppress_health_check=[HealthCheck.function_scoped_fixture])


@SHARED
@given(plain=st.binary(max_size=300), purpose=st.text(max_size=20))
def test_what_was_sealed_opens_for_its_purpose(plain: bytes, purpose: str) -> None:
    sealed = seal(plain, purpose=purpose)
    assert open_sealed(sealed, purpose=purpose) == plain
    assert sealed != seal(plain, purpose=purpose)
    assert sealing.key_id_of(sealed) == "old"


@SHARED
@given(plain=st.binary(min_size=8, max_size=60), data=st.data())
def test_any_changed_bit_breaks_the_seal(plain: bytes, data: st.DataObject) -> None:
    sealed = bytearray(seal(plain, purpose="p"))
    place = data.draw(st.integers(0, len(sealed) * 8 - 1))
    sealed[place // 8] ^= 1 << (place % 8)
    with pytest.raises(SealBroken):
        open_sealed(bytes(sealed), purpose="p")


@SHARED
@given(cut=st.integers(0, 135))
def test_a_cut_value_breaks_the_seal(cut: int) -> None:
    sealed = seal(b"x" * 40, purpose="p")
    with pytest.raises(SealBroken):
        open_sealed(sealed[:cut], purpose="p")


@SHARED
@given(noise=st.binary(max_size=200))
def test_noise_is_no_sealed_value(noise: bytes) -> None:
    with pytest.raises(SealBroken):
        open_sealed(b"STW1" + noise, purpose="p")


def test_another_purpose_does_not_open() -> None:
    with pytest.raises(SealBroken):
        open_sealed(seal(b"totp", purpose="totp"), purpose="mail")


def test_the_plain_value_does_not_stand_in_the_sealed_one() -> None:
    assert b"a secret of some length" not in seal(b"a secret of some length", purpose="p")


def test_text_survives_and_garbled_text_is_refused() -> None:
    assert open_text(seal_text("Grüße", purpose="p"), purpose="p") == "Grüße"
    for garbled in ("", "%%%", "ÄÖ", seal_text("x", purpose="p")[:-4]):
        with pytest.raises(SealBroken):
            open_text(garbled, purpose="p")


def test_both_keys_open_while_both_are_set_and_new_values_bear_the_first(settings: Settings) -> None:
    before = seal(b"x", purpose="p")
    settings.MASTER_KEYS = BOTH
    assert open_sealed(before, purpose="p") == b"x"
    assert sealing.key_id_of(seal(b"x", purpose="p")) == "new"
    settings.MASTER_KEYS = NEW
    with pytest.raises(SealBroken, match="'old'"):
        open_sealed(before, purpose="p")


def test_resealed_value_opens_without_the_old_key(settings: Settings) -> None:
    before, text = seal(b"x", purpose="p"), seal_text("y", purpose="p")
    settings.MASTER_KEYS = BOTH
    after, text = sealing.reseal(before, purpose="p"), sealing.reseal_text(text, purpose="p")
    settings.MASTER_KEYS = NEW
    assert open_sealed(after, purpose="p") == b"x"
    assert open_text(text, purpose="p") == "y"


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "key 1 must be written"),
        ("k1", "key 1 must be written"),
        (f"k 1:{_key(1)}", "key 1 must be written"),
        (f"k1:{_key(1)},", "key 2 must be written"),
        ("k1:????", "k1 is not base64"),
        ("k1:c2hvcnQ=", "k1 has 5 bytes"),
        (f"k1:{_key(1)},k1:{_key(2)}", "k1 is there twice"),
    ],
)
def test_wrong_master_keys_are_named_in_a_sentence_without_the_key(text: str, words: str) -> None:
    with pytest.raises(MasterKeysWrong, match=words) as refused:
        parse_master_keys(text)
    assert _key(1) not in str(refused.value)


def _job(**args: Any) -> Job:
    return Job.objects.create(name="x", engine=JobEngine.CELERY, queue="default", args=args)


@pytest.mark.django_db(transaction=True)
def test_rotation_reseals_columns_and_json_members_and_can_be_run_again(settings: Settings) -> None:
    for number in range(7):
        IdempotentResponse.objects.create(
            key_hash=bytes([number]) * 32,
            fingerprint=b"f",
            surface="platform",
            status=200,
            body=seal(b"body", purpose="idempotent-response"),
        )
    mail, other = _job(sealed=seal_text("mail", purpose="mail"), to="x"), _job(user_id="y")
    settings.MASTER_KEYS = BOTH

    said = StringIO()
    call_command("rotate_master_key", batch=3, stdout=said)
    assert "core.IdempotentResponse.body: 7 of 7 rows" in said.getvalue()
    assert "8 were sealed anew" in said.getvalue()

    settings.MASTER_KEYS = NEW
    bodies = IdempotentResponse.objects.values_list("body", flat=True)
    assert [open_sealed(bytes(body), purpose="idempotent-response") for body in bodies] == [b"body"] * 7
    mail.refresh_from_db()
    other.refresh_from_db()
    assert open_text(mail.args["sealed"], purpose="mail") == "mail"
    assert mail.args["to"] == "x"
    assert other.args == {"user_id": "y"}
    assert sum(report.resealed for report in reseal_all(actor=system("test"))) == 0
    trail = AuditEntry.objects.filter(action="master_key.reseal")
    assert sum(row.metadata["values"] for row in trail) == 8


@pytest.mark.django_db(transaction=True)
def test_rotation_stopped_half_way_goes_on_where_it_was(settings: Settings) -> None:
    for _ in range(5):
        _job(sealed=seal_text("mail", purpose="mail"))
    settings.MASTER_KEYS = BOTH
    next(reseal_all(actor=system("test"), batch=2))
    _job(sealed=seal_text("new", purpose="mail"))
    total = {str(report.column): report.resealed for report in reseal_all(actor=system("test"), batch=2)}
    settings.MASTER_KEYS = NEW
    assert total["core.Job.args[sealed]"] == 5
    for row in Job.objects.all():
        open_text(row.args["sealed"], purpose="mail")


@pytest.mark.django_db(transaction=True)
def test_rotation_goes_past_what_can_not_be_opened_and_names_it(settings: Settings) -> None:
    before, broken, after = (
        _job(sealed=seal_text("mail", purpose=purpose)) for purpose in ("mail", "x", "mail")
    )
    settings.MASTER_KEYS = BOTH
    with pytest.raises(CommandError, match="can't be opened: 1") as refused:
        call_command("rotate_master_key", batch=10, stdout=StringIO())
    assert f"core.Job.args[sealed] {broken.pk}: A sealed value" in str(refused.value)
    settings.MASTER_KEYS = NEW
    for row in (before, after):
        row.refresh_from_db()
        assert open_text(row.args["sealed"], purpose="mail") == "mail"
    broken.delete()
    call_command("rotate_master_key", stdout=StringIO())


@pytest.mark.django_db(transaction=True)
def test_rotation_without_the_old_key_says_which_is_missing(settings: Settings) -> None:
    _job(sealed=seal_text("mail", purpose="mail"))
    settings.MASTER_KEYS = NEW
    with pytest.raises(CommandError, match="'old'"):
        call_command("rotate_master_key", stdout=StringIO())
