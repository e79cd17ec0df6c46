"""A connection beside Django's: for what may not depend on the transaction of whoever asks."""

from typing import Any

import psycopg
from django.db import connections

from apps.core.database.connection import BoundedConnection


def open_link() -> "psycopg.Connection[tuple[Any, ...]]":
    """An own connection of the application's role, in autocommit mode; the caller closes it.

    Raises:
        psycopg.Error: the database is away.
    """
    parameters = connections["default"].get_connection_params()
    for name in ("cursor_factory", "context"):
        parameters.pop(name, None)
    return BoundedConnection.connect(**parameters, autocommit=True)
