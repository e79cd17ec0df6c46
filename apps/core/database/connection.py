"""A connection that gives up on a server which says nothing.

PostgreSQL itself ends what takes too long (`statement_timeout`), but only where it is there to do so: behind a
network path that swallows everything, or a pooler that hangs, a client would wait for ever.
"""

from typing import Any, TypeVar

import psycopg
from django.conf import settings
from psycopg.abc import PQGen
from psycopg.errors import _WaitTimeout

RV = TypeVar("RV")


class BoundedConnection(psycopg.Connection[Any]):
    """Waits at most settings.DATABASE_ANSWER_SECONDS for each answer; then it is closed for good."""

    def wait(self, gen: PQGen[RV], interval: float = 0.1, timeout: float | None = None) -> RV:
        """See psycopg.Connection.wait.

        Raises:
            psycopg.OperationalError: no answer in time. Whether a statement, or a commit, took effect is unknown.
        """
        if timeout is not None:
            return super().wait(gen, interval, timeout)
        seconds = settings.DATABASE_ANSWER_SECONDS
        try:
            return super().wait(gen, interval, seconds)
        except _WaitTimeout:
            # Its state is unknown: nothing that comes late may be taken for the answer to something else.
            self.pgconn.finish()
            raise psycopg.OperationalError(f"PostgreSQL said nothing for {seconds} s") from None
