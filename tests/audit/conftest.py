"""What tests of the trail stand on."""

from pathlib import Path
from typing import Any

import pytest
from django.db import connection
from pytest_django import Settings

from apps.core.write import Target, write
from tests.database import owner_link
from tests.factories import actor


@pytest.fixture
def own_store(tmp_path: Path, settings: Settings) -> Path:
    """An object store of the test's own."""
    settings.OBJECT_STORE_ROOT = tmp_path / "objects"
    return tmp_path / "objects"


def by_owner(statement: str, **values: Any) -> None:
    """What only the schema's owner may do."""
    with owner_link(connection.settings_dict["NAME"]) as link:
        link.execute(statement, values or None)


def cut_tail(chain: str, *, from_seq: int) -> None:
    """Removes the rows from that number on and mends the head, so that the chain alone shows nothing."""
    asked = {"chain": chain, "seq": from_seq}
    by_owner(
        "DELETE FROM audit_detail USING audit_entry e WHERE e.id = entry_id AND chain = %(chain)s AND seq >= %(seq)s",
        **asked,
    )
    by_owner("DELETE FROM audit_entry WHERE chain = %(chain)s AND seq >= %(seq)s", **asked)
    by_owner("DELETE FROM audit_head WHERE chain = %(chain)s", **asked)
    by_owner(
        "INSERT INTO audit_head SELECT chain, seq, hash FROM audit_entry WHERE chain = %(chain)s "
        "ORDER BY seq DESC LIMIT 1",
        **asked,
    )


def append(count: int = 1, *, tenant_id: Any = None) -> None:
    for number in range(count):
        target = Target(type="thing", id=f"thing-{number}", tenant_id=tenant_id)
        with write("thing.change", actor=actor(), target=target, reason="asked by Ünal") as w:
            w.changed(after={"size": number})
