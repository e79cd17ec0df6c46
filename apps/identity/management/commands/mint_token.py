"""`manage.py mint_token`: one JWT of the embedded issuer on standard output, and nothing else.

    mint_token --staff super_admin,ops
    mint_token --scopes "SUPER_ADMIN"
    mint_token --roles "tenant_admin" --tenant acme --workspace main --subject somebody --ttl 600

`--staff` is a staff member with exactly these roles, made where there is none; with it, `--subject` names one who has
them (usr_…), or tells several apart (any word). Everything else may be combined freely. What
can't be done is a sentence on standard error and exit status 1. In production it needs --force.
"""

import argparse
from datetime import timedelta
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from apps.core import ids
from apps.core.access import Role
from apps.core.errors import DomainError
from apps.core.principal import system
from apps.identity.services.minting import Wanted, mint_token
from apps.tenants.models import Tenant, Workspace
from apps.users.models import User

_KNOWN_ROLES = [role.value for role in Role]


class Command(BaseCommand):
    help = "Prints one signed token (JWT) of the embedded issuer."
    # Standard output is the token's; and a token may be asked for before everything else is in order.
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.formatter_class = argparse.ArgumentDefaultsHelpFormatter
        parser.add_argument(
            "--staff", default="", help=f"staff roles, comma-separated: {', '.join(_KNOWN_ROLES)}"
        )
        parser.add_argument(
            "--scopes", default="", help="scopes, separated by spaces or commas: SUPER_ADMIN …"
        )
        parser.add_argument(
            "--roles", default="", help="realm roles, separated by spaces or commas: platform_admin …"
        )
        parser.add_argument("--tenant", default="", help="the slug of the tenant that the token is bound to")
        parser.add_argument("--workspace", default="", help="the slug of a workspace of that tenant")
        parser.add_argument("--subject", default="", help="the id of a person (usr_…), or any other `sub`")
        parser.add_argument(
            "--ttl", type=int, default=3600, help="seconds until it ends; below 0: ended already"
        )
        parser.add_argument("--force", action="store_true", help="mint in production too")

    def handle(self, *args: Any, **options: Any) -> None:
        del args
        tenant = _tenant(options["tenant"])
        staff = _staff(options["staff"])
        wanted = Wanted(
            staff=staff,
            scopes=_words(options["scopes"]),
            roles=_words(options["roles"]),
            tenant=tenant,
            workspace=_workspace(tenant, options["workspace"]),
            subject=_subject(options["subject"]),
            lifetime=timedelta(seconds=options["ttl"]),
        )
        actor = system("mint_token").at(via="command", address=None)
        try:
            self.stdout.write(mint_token(actor=actor, wanted=wanted, force=options["force"]))
        except DomainError as refused:
            raise CommandError(refused.message) from refused


def _words(text: str) -> list[str]:
    return text.replace(",", " ").split()


def _staff(text: str) -> list[str]:
    found = sorted(set(_words(text)))
    unknown = [role for role in found if role not in _KNOWN_ROLES]
    if unknown:
        raise CommandError(
            f"There is no staff role {', '.join(unknown)}. The staff roles are {', '.join(_KNOWN_ROLES)}."
        )
    return found


def _subject(text: str) -> User | str:
    user_id = ids.parse_or_none(ids.USER, text)
    if user_id is None:
        return text
    found = User.objects.select_related("staff").filter(id=user_id).first()
    if found is None:
        raise CommandError(f"There is no person with the id {text}.")
    return found


def _tenant(slug: str) -> Tenant | None:
    if not slug:
        return None
    found = Tenant.objects.filter(slug=slug).first()
    if found is None:
        raise CommandError(f"There is no tenant with the slug {slug}.")
    return found


def _workspace(tenant: Tenant | None, slug: str) -> Workspace | None:
    if not slug:
        return None
    if tenant is None:
        raise CommandError("--workspace needs the --tenant that it belongs to.")
    found = Workspace.objects.filter(tenant=tenant, slug=slug).first()
    if found is None:
        raise CommandError(f"The tenant {tenant.slug} has no workspace with the slug {slug}.")
    return found
