"""What Django loads as the backend of `default`."""

import threading
import time
from typing import Any

import psycopg
from django.db.backends.postgresql import base
from psycopg.errors import ConnectionTimeout

from apps.core.database.connection import BoundedConnection

# As long as a 503 tells a client to wait.
_PAUSE_SECONDS = 1.0


class _Driver:
    """psycopg, but for the class of its connections."""

    connect = staticmethod(BoundedConnection.connect)

    def __getattr__(self, name: str) -> Any:
        return getattr(psycopg, name)


class _Silence:
    """For a moment after one attempt to connect was not answered in time, this process makes no other: a request
    that asks several times would wait as often, and all threads would wait with it."""

    def __init__(self) -> None:
        self._guard = threading.Lock()
        self._until = 0.0

    def begins(self) -> None:
        with self._guard:
            self._until = time.monotonic() + _PAUSE_SECONDS

    @property
    def lasts(self) -> bool:
        with self._guard:
            return time.monotonic() < self._until


_silence = _Silence()


class DatabaseWrapper(base.DatabaseWrapper):
    Database: Any = _Driver()

    def get_new_connection(self, conn_params: dict[str, Any]) -> Any:
        """See Django's.

        Raises:
            psycopg.OperationalError: PostgreSQL is away, or did not answer a moment ago.
        """
        if _silence.lasts:
            raise psycopg.OperationalError("PostgreSQL did not answer a moment ago")
        try:
            return super().get_new_connection(conn_params)
        except ConnectionTimeout:
            _silence.begins()
            raise
