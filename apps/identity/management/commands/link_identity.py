"""`manage.py link_identity`: says that a subject of another issuer is one of our people.

    link_identity --user operator@steward.local --issuer https://eu.api.thenile.dev/v2/databases/0190 --subject 0191

The issuer is NILE_URL, or one of EXTERNAL_ISSUERS. What can't be done is a sentence on standard error and exit
status 1. The page for it is Users, *Link identity*; this is for the time before anybody can open it.
"""

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from apps.core import ids
from apps.core.errors import DomainError
from apps.core.principal import system
from apps.identity.services import link_identity
from apps.identity.trust import linkable_issuers
from apps.users.models import User


class Command(BaseCommand):
    help = "Links a subject of another issuer to one of our people."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--user", required=True, help="the person's e-mail address or id (usr_…)")
        parser.add_argument(
            "--issuer", required=True, help="NILE_URL, or the name of one of EXTERNAL_ISSUERS"
        )
        parser.add_argument(
            "--subject", required=True, help="the person's id there: Nile's, or a token's `sub`"
        )
        parser.add_argument("--reason", default="", help="why; the trail keeps it")

    def handle(self, *args: Any, **options: Any) -> None:
        del args
        user, issuer = _user(options["user"]), _issuer(options["issuer"])
        actor = system("link_identity").at(via="command", address=None)
        try:
            link_identity(
                actor=actor, user=user, issuer=issuer, subject=options["subject"], reason=options["reason"]
            )
        except DomainError as refused:
            raise CommandError(refused.message) from refused
        self.stdout.write(f"{options['subject']} at {issuer} is {user.public_id}.")


def _user(text: str) -> User:
    user_id = ids.parse_or_none(ids.USER, text)
    found = User.objects.filter(pk=user_id) if user_id else User.objects.filter(email=text.strip().lower())
    user = found.first()
    if user is None:
        raise CommandError(f"There is nobody with the address or id {text}.")
    return user


def _issuer(text: str) -> str:
    """Exactly as it is trusted: a name that differs by a slash would never match."""
    trusted = [name for name, _ in linkable_issuers()]
    if text not in trusted:
        known = f"Trusted are {', '.join(trusted)}." if trusted else "None is trusted."
        raise CommandError(f"{text} is no issuer of NILE_URL or EXTERNAL_ISSUERS. {known}")
    return text
