"""Django's `migrate`, as the owner of the schema, and patient with locks.

A migration waits at most 2 s for a lock (settings.DATABASES["owner"]), so that nobody queues up behind it; when it
did not get it, the whole command goes again after a pause. Migrations that were done stay done.
"""

import time
from typing import Any

import structlog
from django.conf import settings
from django.core.management.base import CommandError, CommandParser
from django.core.management.commands.migrate import Command as DjangoMigrate
from django.db import OperationalError, connections
from psycopg.errors import LockNotAvailable

log = structlog.get_logger(__name__)

ATTEMPTS = 5
FIRST_PAUSE_SECONDS = 1.0


class Command(DjangoMigrate):
    help = "Applies migrations as the role in DATABASE_OWNER_URL; tries again where a lock is taken."

    def add_arguments(self, parser: CommandParser) -> None:
        super().add_arguments(parser)
        parser.set_defaults(database="owner")

    def handle(self, *args: Any, **options: Any) -> None:
        if options["database"] == "owner" and not settings.DATABASE_OWNER_IS_CONFIGURED:
            raise CommandError(
                "Set DATABASE_OWNER_URL (the postgresql:// address of the role that owns the schema) to migrate; "
                "the application's role in DATABASE_URL owns nothing."
            )
        for attempt in range(1, ATTEMPTS + 1):
            try:
                super().handle(*args, **options)
                return
            except OperationalError as failed:
                if not isinstance(failed.__cause__, LockNotAvailable):
                    raise
                if attempt == ATTEMPTS:
                    raise CommandError(
                        f"A table stayed locked through {ATTEMPTS} attempts; nothing of the migration that was under "
                        "way is left. Look for long transactions in pg_stat_activity and run migrate again."
                    ) from failed
                connections[options["database"]].close()
                pause = FIRST_PAUSE_SECONDS * 2 ** (attempt - 1)
                log.warning("migration_lock_taken", attempt=attempt, seconds=pause)
                time.sleep(pause)
