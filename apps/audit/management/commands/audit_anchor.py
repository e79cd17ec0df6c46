"""`manage.py audit_anchor`: anchors the trail now, beside the hourly job."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from apps.audit.anchors.taking import take_anchor
from apps.core.errors import DomainError
from apps.core.principal import system


class Command(BaseCommand):
    help = "Signs a digest of all chains' heads and puts it into the object store."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--after-restore",
            default="",
            metavar="REASON",
            help="accept that the database was restored to a state older than the newest anchor; the reason is kept "
            "for ever in the anchor and in the trail, so it names nobody",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        actor = system("audit_anchor").at(via="command", address=None)
        try:
            anchor = take_anchor(actor=actor, after_restore=options["after_restore"].strip()).anchor
        except DomainError as refused:
            raise CommandError(refused.message) from refused
        self.stdout.write(
            f"Anchor {anchor.number}: {anchor.chains} chains with {anchor.rows} rows, {anchor.changed} chains changed; "
            f"digest {anchor.digest()}."
        )
        if anchor.restored is not None:
            self.stdout.write(f"The state after anchor {anchor.restored.last_good} is accepted.")
