"""`manage.py bootstrap_operator`: the first super_admin. Prints once how to sign in."""

from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

from apps.core.errors import DomainError
from apps.core.principal import system
from apps.users.services.bootstrap import bootstrap_operator


class Command(BaseCommand):
    help = "Makes a super_admin with a random password and TOTP, and prints both once."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--email", default="operator@steward.local", help="the operator's address")

    def handle(self, *args: Any, **options: Any) -> None:
        actor = system("bootstrap_operator").at(via="command", address=None)
        try:
            made = bootstrap_operator(actor=actor, email=options["email"])
        except DomainError as refused:
            raise CommandError(refused.message) from refused
        if made is None:
            self.stderr.write("There is a super_admin already; nothing was made.")
            return
        lines = {
            "sign in at": f"{settings.PUBLIC_URL}{settings.LOGIN_URL}",
            "e-mail": made.user.email,
            "password": made.password,
            "TOTP secret": made.totp_secret,
            "TOTP address": made.otpauth_uri,
        }
        width = max(len(name) for name in lines)
        for name, value in lines.items():
            self.stdout.write(f"{name:<{width}}  {value}")
