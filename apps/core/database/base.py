"""What Django loads as the backend of `default`."""

from typing import Any

import psycopg
from django.db.backends.postgresql import base

from apps.core.database.connection import BoundedConnection


class _Driver:
    """psycopg, but for the class of its connections."""

    connect = staticmethod(BoundedConnection.connect)

    def __getattr__(self, name: str) -> Any:
        return getattr(psycopg, name)


class DatabaseWrapper(base.DatabaseWrapper):
    Database: Any = _Driver()
