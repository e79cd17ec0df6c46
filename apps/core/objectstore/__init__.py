"""Objects: files by key, in one store for all processes.

interface  what a store can do
local      the embedded default: a folder (settings.OBJECT_STORE_ROOT)

    store().put("exports/01JD….csv", chunks, content_type="text/csv")
    with store().open("exports/01JD….csv") as found: …
"""

from apps.core.objectstore.interface import (
    KeyMalformed,
    ObjectExists,
    ObjectNotFound,
    ObjectStore,
    Opened,
    Stat,
    StoreUnavailable,
)
from apps.core.objectstore.stores import store

__all__ = [
    "KeyMalformed",
    "ObjectExists",
    "ObjectNotFound",
    "ObjectStore",
    "Opened",
    "Stat",
    "StoreUnavailable",
    "store",
]
