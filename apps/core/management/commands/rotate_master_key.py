"""`manage.py rotate_master_key`: puts the first of STEWARD_MASTER_KEYS under every sealed value."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from apps.core.principal import system
from apps.core.sealing.envelope import current_key_id
from apps.core.sealing.rotation import reseal_all

# So many of the values that can't be opened are named.
_NAMED = 20


class Command(BaseCommand):
    help = (
        "Re-seals every sealed value under the first of STEWARD_MASTER_KEYS, in batches. May be stopped and run "
        "again. When it has ended, the older keys can be taken out of the setting."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--batch", type=int, default=500, help="rows in one transaction (500)")

    def handle(self, *args: Any, **options: Any) -> None:
        total = 0
        unread: list[str] = []
        for report in reseal_all(actor=system("rotate_master_key"), batch=max(1, options["batch"])):
            total += report.resealed
            unread += report.unread
            self.stdout.write(f"{report.column}: {report.resealed} of {report.seen} rows sealed anew")
        if unread:
            named = "\n".join(unread[:_NAMED]) + ("\n…" if len(unread) > _NAMED else "")
            raise CommandError(
                f"Values that can't be opened: {len(unread)}. All others are under the key {current_key_id()}.\n"
                f"{named}\nSet the keys that they were sealed under in STEWARD_MASTER_KEYS again, or remove the rows, "
                "and run this again."
            )
        self.stdout.write(
            f"Every sealed value is under the key {current_key_id()}; {total} were sealed anew."
        )
