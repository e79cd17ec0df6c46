"""Objects of a test lie in a folder of its own; knobs stand at their defaults."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from pytest_django import Settings

from apps.core import knobs
from apps.core.objectstore import ObjectStore, store
from tests.exports import sample_kinds

__all__ = ["sample_kinds"]


@pytest.fixture(autouse=True)
def objects(settings: Settings, tmp_path: Path) -> Iterator[ObjectStore]:
    settings.OBJECT_STORE_ROOT = tmp_path / "objects"
    before = knobs.source()
    knobs.provide(None)
    yield store()
    knobs.provide(before)
