"""`manage.py erasures_replay`: after a restore, before the stack serves again."""

from collections import Counter
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from apps.core.errors import Unavailable
from apps.core.principal import system
from apps.users.services.replay import Outcome, replay_erasures


class Command(BaseCommand):
    help = (
        "Reads the ledger of erasures (objects below erasures/ in the object store, OBJECT_STORE_ROOT) and erases "
        "again every person and tenant that a restored backup has brought back. Needs the database and the object "
        "store, no worker. May be run again. Ends with 1 where something could not be erased."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--dry-run", action="store_true", help="only says what would be erased")

    def handle(self, *args: Any, **options: Any) -> None:
        counts: Counter[Outcome] = Counter()
        try:
            for done in replay_erasures(actor=system("erasures_replay"), dry_run=options["dry_run"]):
                counts[done.outcome] += 1
                if done.outcome is not Outcome.KEPT:
                    self.stdout.write(": ".join(filter(None, [done.what, done.outcome.value, done.sentence])))
        except Unavailable as away:
            raise CommandError(f"{away.message} Nothing more was done; run this again.") from None
        self.stdout.write(
            f"{counts.total()} lines in the ledger: {counts[Outcome.ERASED]} erased again, {counts[Outcome.DUE]} due, "
            f"{counts[Outcome.KEPT]} already gone, {counts[Outcome.FAILED]} failed"
        )
        if counts[Outcome.FAILED]:
            raise CommandError("Not everything was erased: see the lines above.")
