"""Anchors: taken once, one after the other, and what they show that a chain can't."""

import json
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings

from apps.audit.anchors import manifest, merkle, taking
from apps.audit.anchors.checking import AnchorReport, check_anchors, known_anchors
from apps.audit.anchors.heads import HeadsFile, read_heads
from apps.audit.anchors.manifest import load_anchor
from apps.audit.anchors.taking import take_anchor
from apps.audit.errors import AnchorDamaged, AnchorMissing, HeadsBehind, RestoreNotNeeded
from apps.audit.models import AuditAnchor, AuditEntry
from apps.audit.reading import one_instant
from apps.audit.verification import verify_all
from apps.core.ids import new_id
from apps.core.objectstore import ObjectExists, store
from apps.core.principal import system
from tests.audit.conftest import append, by_owner, cut_tail
from tests.core.processes import in_threads

pytestmark = pytest.mark.django_db(transaction=True)

SYSTEM = system("test")


@pytest.fixture(autouse=True)
def _own_store(own_store: Path) -> None:
    """Anchors of other tests are not in the way."""


def check(**narrowed: Any) -> AnchorReport:
    known = known_anchors()
    with one_instant() as reader:
        return check_anchors(reader, known, **narrowed)


def whats(report: AnchorReport) -> list[str]:
    return [finding.what for finding in report.findings]


def test_anchor_first_and_next_hold_and_name_each_other() -> None:
    tenant = new_id()
    append(3)
    append(2, tenant_id=tenant)
    first = take_anchor(actor=SYSTEM).anchor
    assert (first.number, first.chains, first.rows, first.changed) == (1, 2, 5, 2)
    append(1, tenant_id=tenant)
    second = take_anchor(actor=SYSTEM).anchor
    # The platform's chain grew too: by the row that tells of the first anchor.
    assert (second.number, second.chains, second.rows, second.changed) == (2, 2, 7, 2)
    assert second.previous == first.digest()
    report = check()
    assert (report.wrong, report.anchors, report.lines) == (0, 2, 4)
    assert list(AuditAnchor.objects.order_by("number").values_list("digest", flat=True)) == [
        first.digest(),
        second.digest(),
    ]


def test_anchor_of_chains_that_did_not_change_lists_only_those_that_did() -> None:
    for _ in range(5):
        append(1, tenant_id=new_id())
    take_anchor(actor=SYSTEM)
    anchor = take_anchor(actor=SYSTEM).anchor
    assert (anchor.chains, anchor.changed) == (6, 1)
    assert [head.chain for head in read_heads(anchor.changed_key)] == ["platform"]
    assert check().wrong == 0


def test_anchor_of_an_empty_trail_holds() -> None:
    anchor = take_anchor(actor=SYSTEM).anchor
    assert (anchor.chains, anchor.rows) == (0, 0)
    assert check().wrong == 0


def test_anchor_of_an_hour_is_taken_once(monkeypatch: pytest.MonkeyPatch) -> None:
    append(1)
    assert take_anchor(actor=SYSTEM, slot="2026-11-21T16").new
    assert not take_anchor(actor=SYSTEM, slot="2026-11-21T16").new
    assert take_anchor(actor=SYSTEM, slot="2026-11-21T17").new
    assert list(known_anchors().numbers) == [1, 2]


def test_anchor_whose_taker_died_before_it_told_the_database_is_found_by_the_next() -> None:
    append(1)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(taking, "_settle", _die)
        with suppress(LookupError):
            take_anchor(actor=SYSTEM, slot="2026-11-21T16")
    assert not AuditAnchor.objects.exists()
    taken = take_anchor(actor=SYSTEM, slot="2026-11-21T16")
    assert (taken.new, taken.anchor.number) == (False, 1)
    assert AuditAnchor.objects.get().digest == taken.anchor.digest()
    assert check().wrong == 0


def test_anchor_whose_taker_died_before_it_was_stored_is_taken_by_the_next() -> None:
    append(1)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(taking, "put_anchor", _die)
        with suppress(LookupError):
            take_anchor(actor=SYSTEM, slot="2026-11-21T16")
    assert take_anchor(actor=SYSTEM, slot="2026-11-21T16").anchor.number == 1
    assert check().wrong == 0


def _die(*_args: Any, **_named: Any) -> None:
    raise LookupError


def test_eight_takers_at_once_make_one_line_of_anchors() -> None:
    append(1)
    in_threads(8, lambda number: take_anchor(actor=SYSTEM, slot="" if number % 2 else "2026-11-21T16"))
    # Four that were asked for, and the hour's.
    assert known_anchors().numbers == [1, 2, 3, 4, 5]
    assert check().wrong == 0


def test_anchor_that_another_database_stored_first_is_not_overwritten() -> None:
    append(1)
    anchor = take_anchor(actor=SYSTEM).anchor
    with pytest.raises(ObjectExists):
        manifest.put_anchor(anchor)


def test_anchors_and_checks_beside_writers_never_raise_an_alarm() -> None:
    tenants = [new_id() for _ in range(4)]
    append(1)
    wrong: list[str] = []

    def work(number: int) -> None:
        for turn in range(4):
            if number == 0:
                take_anchor(actor=SYSTEM)
            elif number == 1:
                wrong.extend(whats(check()))
            elif number == 2:
                wrong.extend(report.chain for report in verify_all() if report.broken)
            else:
                append(2, tenant_id=tenants[(number + turn) % 4])

    in_threads(8, work)
    assert wrong == []
    assert check().wrong == 0


def test_full_lists_come_each_24_anchors_and_hold() -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(taking, "FULL_EVERY", 3)
        for number in range(8):
            append(1, tenant_id=new_id())
            assert take_anchor(actor=SYSTEM).anchor.number == number + 1
    full = [number for number in range(1, 9) if load_anchor(number).anchor.full_key]
    assert full == [1, 3, 6]
    assert check().wrong == 0


def test_tail_that_was_cut_with_its_head_is_found_and_no_anchor_goes_on_from_it() -> None:
    tenant = new_id()
    append(5, tenant_id=tenant)
    take_anchor(actor=SYSTEM)
    cut_tail(f"tenant:{tenant}", from_seq=4)
    assert all(report.broken is None for report in verify_all())
    assert whats(check()) == [f"tenant:{tenant} had a row 5, which is not there"]
    with pytest.raises(HeadsBehind):
        take_anchor(actor=SYSTEM)
    append(3, tenant_id=tenant)
    # Meanwhile it has grown past the anchored number: the row of that number is another.
    assert whats(check()) == [f"tenant:{tenant} had another row 5"]
    take_anchor(actor=SYSTEM)
    assert whats(check()) == [f"tenant:{tenant} had another row 5"]


def test_chain_that_was_deleted_with_its_head_is_found() -> None:
    tenant = new_id()
    append(2, tenant_id=tenant)
    take_anchor(actor=SYSTEM)
    cut_tail(f"tenant:{tenant}", from_seq=1)
    assert all(report.broken is None for report in verify_all())
    assert check().lost == 1
    assert check(chain="platform").lost == 0


def test_anchor_that_was_deleted_is_missed_in_the_middle_and_at_the_end() -> None:
    for _ in range(3):
        take_anchor(actor=SYSTEM)
    kept = {number: _body(number) for number in (2, 3)}
    store().delete(manifest.key_of(2))
    assert "it is not in the object store" in whats(check())
    store().put(manifest.key_of(2), [kept[2]])
    store().delete(manifest.key_of(3))
    assert whats(check()) == ["anchor 3 was taken, but the store ends with 2"]
    with pytest.raises(AnchorMissing):
        take_anchor(actor=SYSTEM)


def _body(number: int) -> bytes:
    with store().open(manifest.key_of(number)) as opened:
        return b"".join(opened.chunks)


def _replaced(number: int, **fields: Any) -> None:
    """The anchor with other content, under its old signature."""
    stored = json.loads(_body(number))
    payload = json.loads(stored["payload"]) | fields
    stored["payload"] = json.dumps(payload, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    store().put(manifest.key_of(number), [json.dumps(stored).encode()])


def test_anchor_that_was_edited_has_a_wrong_signature() -> None:
    append(1)
    for _ in range(2):
        take_anchor(actor=SYSTEM)
    _replaced(1, rows=7)
    assert "its signature is wrong" in whats(check())


def test_anchor_forged_under_a_key_of_our_own_name_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    append(1)
    take_anchor(actor=SYSTEM)
    theirs = settings.MASTER_KEYS.split(":", 1)[0] + ":" + "A" * 43 + "="
    with monkeypatch.context() as patch:
        patch.setattr(settings, "MASTER_KEYS", theirs)
        anchor = load_anchor(1).anchor
        store().delete(manifest.key_of(1))
        manifest.put_anchor(anchor)
    assert whats(check()) == ["its signature is wrong"]


def test_newest_anchor_under_an_unknown_key_is_told_and_an_older_one_is_vouched_for(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    append(1)
    old = settings.MASTER_KEYS
    new = "fresh:" + "B" * 43 + "="
    take_anchor(actor=SYSTEM)
    monkeypatch.setattr(settings, "MASTER_KEYS", new)
    assert whats(check()) == ["the newest anchor is signed with a key that is not known here"]
    monkeypatch.setattr(settings, "MASTER_KEYS", f"{new},{old}")
    take_anchor(actor=SYSTEM)
    monkeypatch.setattr(settings, "MASTER_KEYS", new)
    report = check()
    assert (report.wrong, report.old_keys) == (0, 1)


@pytest.mark.parametrize("how", ["missing", "other", "garbage", "short"])
def test_file_of_heads_that_is_not_the_signed_one_is_found(how: str) -> None:
    append(2, tenant_id=new_id())
    anchor = take_anchor(actor=SYSTEM).anchor
    take_anchor(actor=SYSTEM)
    with store().open(anchor.changed_key) as opened:
        body = b"".join(opened.chunks)
    store().delete(anchor.changed_key)
    if how == "other":
        HeadsFile().put(anchor.changed_key)
    elif how != "missing":
        store().put(anchor.changed_key, [b"garbage" if how == "garbage" else body[:-9]])
    assert check().wrong > 0


def test_damaged_anchor_is_never_gone_on_from() -> None:
    take_anchor(actor=SYSTEM)
    store().put(manifest.key_of(1), [b"{}"])
    assert whats(check())
    with pytest.raises(AnchorDamaged):
        take_anchor(actor=SYSTEM)


def restored_to(anchors: int) -> None:
    """As a restore does: rows, heads and the table of anchors as they were after that many anchors."""
    chains = {head.chain: head.seq for head in read_heads(load_anchor(anchors).anchor.changed_key)}
    for chain, seq in chains.items():
        cut_tail(chain, from_seq=seq + 1)
    by_owner("DELETE FROM audit_anchor WHERE number > %(anchors)s", anchors=anchors)


def test_restore_to_an_older_state_is_told_and_goes_on_once_it_is_accepted() -> None:
    tenant = new_id()
    for _ in range(4):
        append(2, tenant_id=tenant)
        take_anchor(actor=SYSTEM)
    restored_to(2)
    append(1, tenant_id=tenant)
    assert check().wrong
    with pytest.raises(HeadsBehind):
        take_anchor(actor=SYSTEM)
    accepted = take_anchor(actor=SYSTEM, after_restore="disk failed, restored to 12:00").anchor
    assert accepted.number == 5
    assert accepted.restored == manifest.Restored("disk failed, restored to 12:00", last_good=2)
    report = check()
    assert whats(report) == []
    assert report.restores[0].endswith("2 anchors tell of what was lost: disk failed, restored to 12:00")
    assert AuditEntry.objects.filter(action="audit.accept_restore").count() == 1
    append(3, tenant_id=tenant)
    take_anchor(actor=SYSTEM)
    assert check().wrong == 0
    # What was anchored before the restore, and since it was accepted, is held on.
    cut_tail(f"tenant:{tenant}", from_seq=3)
    assert check().wrong


def test_restore_that_did_not_happen_is_not_accepted() -> None:
    append(1)
    with pytest.raises(RestoreNotNeeded):
        take_anchor(actor=SYSTEM, after_restore="just in case")
    take_anchor(actor=SYSTEM)
    with pytest.raises(RestoreNotNeeded):
        take_anchor(actor=SYSTEM, after_restore="just in case")


def test_tree_has_the_roots_and_paths_of_rfc_6962() -> None:
    # Roots of the first leaves of the test vector that implementations of RFC 6962 share.
    leaves = [
        b"",
        b"\x00",
        b"\x10",
        b"\x20\x21",
        b"\x30\x31",
        b"\x40\x41\x42\x43",
        b"\x50\x51\x52\x53\x54\x55\x56\x57",
    ]
    roots = {
        1: "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
        2: "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
        3: "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
        7: "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    }
    for count, root in roots.items():
        tree = merkle.Tree()
        for leaf in leaves[:count]:
            tree.add(leaf)
        assert tree.root() == root
        built = merkle.levels([merkle.leaf_hash(leaf) for leaf in leaves[:count]])
        assert built[-1][0].hex() == root
        for at in range(count):
            assert _followed(leaves[at], merkle.path(built, at)) == root


def _followed(leaf: bytes, steps: list[str]) -> str:
    found = merkle.leaf_hash(leaf)
    for step in steps:
        beside = bytes.fromhex(step[1:])
        found = merkle.node_hash(beside, found) if step[0] == "L" else merkle.node_hash(found, beside)
    return found.hex()
