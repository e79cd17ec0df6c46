"""Which store this process uses."""

from functools import cache
from pathlib import Path

from django.conf import settings

from apps.core.objectstore.interface import ObjectStore
from apps.core.objectstore.local import LocalStore


@cache
def _local(root: Path) -> LocalStore:
    return LocalStore(root)


def store() -> ObjectStore:
    """The store that the settings name: the folder settings.OBJECT_STORE_ROOT."""
    return _local(Path(settings.OBJECT_STORE_ROOT))
