"""The commands audit_verify and audit_anchor: exit statuses, sentences, and the file for an outsider."""

import json
import subprocess
import sys
from base64 import b64encode
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError

from apps.audit.anchors.taking import take_anchor
from apps.audit.models import AuditEntry
from apps.core.ids import new_id
from apps.core.principal import system
from apps.core.sealing import SignaturePurpose, public_keys
from tests.audit.conftest import append, by_owner, cut_tail
from tests.core.processes import environment

pytestmark = pytest.mark.django_db(transaction=True)
ROOT = Path(__file__).resolve().parent.parent.parent


@pytest.fixture(autouse=True)
def _own_store(own_store: Path) -> None:
    """Anchors of other tests are not in the way."""


def verify(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str]:
    with pytest.raises(SystemExit) as ended:
        call_command("audit_verify", *arguments)
    return int(ended.value.code or 0), capsys.readouterr().out


def test_command_ends_with_what_it_found(capsys: pytest.CaptureFixture[str]) -> None:
    tenant = new_id()
    append(4, tenant_id=tenant)
    code, said = verify(capsys, "--anchors")
    assert (code, said.splitlines()[-1]) == (
        0,
        "No anchor has been taken yet: manage.py audit_anchor takes one.",
    )
    call_command("audit_anchor")
    code, said = verify(capsys, "--anchors")
    assert code == 0
    assert "1 anchors hold" in said
    cut_tail(f"tenant:{tenant}", from_seq=4)
    code, said = verify(capsys, "--anchors")
    assert code == 3
    assert "it is older than the newest anchor (1, of " in said
    assert verify(capsys)[0] == 0
    by_owner("UPDATE audit_entry SET action = 'other' WHERE chain LIKE 'tenant:%' AND seq = 2")
    code, said = verify(capsys, "--anchors")
    assert code == 2
    assert f"tenant:{tenant}: broken at row 2: its content was changed" in said


def test_command_since_reads_only_what_is_newer_and_says_what_that_proves(
    capsys: pytest.CaptureFixture[str],
) -> None:
    append(3)
    middle = AuditEntry.objects.get(seq=2).at.isoformat()
    code, said = verify(capsys, "--since", middle)
    assert code == 0
    assert "1 chains with 2 rows are intact." in said
    assert "of what stood before it says nothing" in said
    by_owner("UPDATE audit_entry SET action = 'other' WHERE seq = 1")
    assert verify(capsys, "--since", middle)[0] == 0
    assert verify(capsys)[0] == 2
    by_owner("UPDATE audit_entry SET hash = sha256('x') WHERE seq = 1")
    code, said = verify(capsys, "--since", middle)
    assert (code, said.splitlines()[0]) == (
        2,
        "platform: broken at row 2: it does not follow the row before it",
    )


def test_command_since_sees_a_tail_that_was_cut_before_that_time(capsys: pytest.CaptureFixture[str]) -> None:
    append(3)
    last = AuditEntry.objects.get(seq=3).at.isoformat()
    by_owner("DELETE FROM audit_detail USING audit_entry e WHERE e.id = entry_id AND seq = 3")
    by_owner("DELETE FROM audit_entry WHERE seq = 3")
    assert verify(capsys, "--since", last)[0] == 2


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["--chain", "tenant:x"], "a chain is written platform or tenant:<uuid>"),
        (["--chain", f"tenant:{'0' * 8}-0000-0000-0000-{'0' * 12}"], "There is no chain tenant:0000"),
        (["--since", "yesterday"], "a time is written 2026-11-01"),
        (["--with-personal-details"], "give --export FILE"),
        (["--export", "/nowhere/at/all"], "can't be written"),
    ],
)
def test_command_with_wrong_arguments_says_so_in_a_sentence(arguments: list[str], sentence: str) -> None:
    with pytest.raises(CommandError, match=sentence):
        call_command("audit_verify", *arguments)


def test_command_from_the_shell_ends_with_1_where_its_arguments_are_wrong() -> None:
    line = [sys.executable, "manage.py", "audit_verify", "--nonsense"]
    ended = subprocess.run(
        line, cwd=ROOT, env=environment(), capture_output=True, text=True, timeout=60, check=False
    )
    assert ended.returncode == 1
    assert "--nonsense" in ended.stderr


def _checked_outside(path: Path, *keys: str) -> tuple[int, str]:
    """By the script alone, without Django's settings or a database."""
    line = [sys.executable, str(ROOT / "scripts" / "verify_audit_export.py"), str(path), *keys]
    ended = subprocess.run(line, capture_output=True, text=True, env={}, timeout=60, check=False)
    assert ended.stderr == ""
    return ended.returncode, ended.stdout


def _keys() -> list[str]:
    known = public_keys(purpose=SignaturePurpose.AUDIT_ANCHOR)
    return [f"{name}={b64encode(key).decode()}" for name, key in known.items()]


@pytest.fixture
def exported(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> Path:
    """Two tenants' chains and the platform's; one tenant has a row since the newest anchor."""
    tenants = [new_id() for _ in range(2)]
    for tenant in tenants:
        append(3, tenant_id=tenant)
    take_anchor(actor=system("test"))
    append(2, tenant_id=tenants[0])
    take_anchor(actor=system("test"))
    append(1, tenant_id=tenants[0])
    path = tmp_path / "trail.jsonl"
    code, said = verify(capsys, "--anchors", "--export", str(path))
    assert code == 0
    assert "11 rows are written to" in said
    return path


def test_export_is_verified_by_an_outsider(exported: Path) -> None:
    assert _checked_outside(exported, *_keys()) == (
        0,
        "11 rows of 3 chains hold; 3 chains are in 2 anchors (signatures checked).\n",
    )
    code, said = _checked_outside(exported)
    assert code == 0
    assert "signatures NOT checked" in said


def test_export_holds_personal_details_only_where_asked_for(
    exported: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert "operator@steward.example" not in exported.read_text()
    assert "Ünal" not in exported.read_text()
    code, _said = verify(capsys, "--export", str(exported), "--with-personal-details")
    assert code == 0
    assert "operator@steward.example" in exported.read_text()
    assert _checked_outside(exported, *_keys())[0] == 0
    exported.write_text(exported.read_text().replace("operator@steward", "somebody@steward"))
    assert _checked_outside(exported)[0] == 2


def test_export_of_a_part_is_verified_too(exported: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert verify(capsys, "--chain", "platform", "--export", str(exported))[0] == 0
    assert _checked_outside(exported, *_keys())[1].startswith(
        "2 rows of 1 chains hold; 1 chains are in 1 anchors"
    )
    since = AuditEntry.objects.filter(chain="platform").order_by("-seq")[0].at.isoformat()
    assert verify(capsys, "--since", since, "--export", str(exported))[0] == 0
    assert _checked_outside(exported, *_keys())[0] == 0


def _edited(path: Path, which: str, fields: dict[str, Any]) -> None:
    """The last line that has the field `which`, with other content."""
    lines = [json.loads(line) for line in path.read_text().splitlines()]
    last = max(at for at, line in enumerate(lines) if which in line)
    lines[last] |= fields
    path.write_text("".join(json.dumps(line, separators=(",", ":")) + "\n" for line in lines))


@pytest.mark.parametrize(
    ("which", "fields", "code"),
    [
        ("text", {"text": "{}"}, 2),
        ("text", {"hash": "00" * 32}, 2),
        ("text", {"previous_hash": "00" * 32}, 2),
        ("text", {"seq": 9}, 2),
        ("anchored", {"path": []}, 3),
        ("anchored", {"anchored": 9}, 3),
        ("payload", {"signature": {"key_id": "k9", "algorithm": "Ed25519", "value": ""}}, 3),
        ("export", {"export": "other"}, 1),
    ],
)
def test_export_that_was_edited_does_not_hold(
    exported: Path, which: str, fields: dict[str, Any], code: int
) -> None:
    _edited(exported, which, fields)

    assert _checked_outside(exported, *_keys())[0] == code
