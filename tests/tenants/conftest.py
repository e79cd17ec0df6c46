"""Objects of a test (ledger, receipts) lie in a folder of its own."""

from pathlib import Path

import pytest
from pytest_django import Settings


@pytest.fixture(autouse=True)
def _objects(settings: Settings, tmp_path: Path) -> None:
    settings.OBJECT_STORE_ROOT = tmp_path / "objects"
