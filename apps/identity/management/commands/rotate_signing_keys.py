"""`manage.py rotate_signing_keys`: the next signing key of the embedded issuer, now.

Without options the new key is published at once and signs a little later, as on its scheduled day. For keys that others
may know, `--withdraw "why"`: every token that was issued until now is void, and the new key signs at once.
"""

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from apps.core.clock import iso
from apps.core.errors import DomainError
from apps.core.principal import system
from apps.identity.services import rotate_signing_key, withdraw_signing_keys


class Command(BaseCommand):
    help = "Makes the next signing key of the embedded issuer."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--withdraw", metavar="REASON", default="", help="void every token that was issued until now"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        del args
        actor = system("rotate_signing_keys").at(via="command", address=None)
        try:
            if options["withdraw"]:
                key = withdraw_signing_keys(actor=actor, reason=options["withdraw"])
            else:
                key = rotate_signing_key(actor=actor)
        except DomainError as refused:
            raise CommandError(refused.message) from refused
        self.stdout.write(f"The key {key.kid} signs from {iso(key.signs_from)} on.")
