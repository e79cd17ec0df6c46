"""A connection beside Django's: for what may not depend on the transaction of whoever asks."""

from typing import Any

import psycopg
from django.db import connections


def open_link() -> "psycopg.Connection[tuple[Any, ...]]":
    """An own connection of the application's role, in autocommit mode; the caller closes it.

    Raises:
        psycopg.Error: the database is away.
    """
    parameters = connections["default"].get_connection_params()
    for name in ("cursor_factory", "context"):
        parameters.pop(name, None)
    # A peer that vanished without a word is noticed within some 15 s.
    alive = {
        "keepalives_idle": 5,
        "keepalives_interval": 3,
        "keepalives_count": 3,
        "tcp_user_timeout": 15_000,
    }
    return psycopg.connect(**{**alive, **parameters}, autocommit=True)
