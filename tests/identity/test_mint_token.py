"""manage.py mint_token: one token on standard output, and nothing else."""

import os
import re
import subprocess
import sys
from io import StringIO
from uuid import UUID

import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from pytest_django import Settings

from apps.audit.models import AuditEntry
from apps.core.clock import now
from apps.core.principal import Principal, PrincipalKind
from apps.identity.callers import caller
from apps.identity.errors import TokenRefused
from apps.identity.verification import verify
from apps.users.models import StaffMember, User
from tests.database import ROOT
from tests.factories import make_staff, make_tenant, make_user, make_workspace

pytestmark = pytest.mark.django_db


def minted(*arguments: str) -> str:
    out = StringIO()
    call_command("mint_token", *arguments, stdout=out)
    lines = out.getvalue().splitlines()
    assert len(lines) == 1
    assert lines[0].count(".") == 2
    return lines[0]


def principal(*arguments: str) -> Principal:
    return caller(minted(*arguments))


def person_id(found: Principal) -> UUID:
    assert found.user_id is not None
    return found.user_id


def sentence(*arguments: str) -> str:
    out = StringIO()
    with pytest.raises(CommandError) as caught:
        call_command("mint_token", *arguments, stdout=out)
    assert out.getvalue() == ""
    assert caught.value.returncode == 1
    return str(caught.value)


def test_staff_token_is_of_a_staff_member_with_exactly_these_roles() -> None:
    found = principal("--staff", "super_admin,ops")
    assert found.kind is PrincipalKind.STAFF
    assert found.roles == {"super_admin", "ops"}
    assert "SUPER_ADMIN" in found.scopes
    person = User.objects.get(id=person_id(found))
    assert person.email == "minted+ops+super_admin@steward.invalid"


def test_same_roles_are_the_same_person_and_others_another() -> None:
    first = principal("--staff", "ops,super_admin")
    assert principal("--staff", "super_admin, ops,ops").user_id == first.user_id
    assert principal("--staff", "ops").user_id != first.user_id
    second = principal("--staff", "ops,super_admin", "--subject", "second")
    assert (second.user_id != first.user_id, second.roles) == (True, first.roles)


def test_minted_member_whose_roles_were_changed_has_them_again() -> None:
    person = person_id(principal("--staff", "ops"))
    StaffMember.objects.filter(user_id=person).update(roles=["finance"], is_active=False)
    assert principal("--staff", "ops").roles == {"ops"}


def test_minted_member_who_is_suspended_gets_no_token() -> None:
    person = person_id(principal("--staff", "ops"))
    User.objects.filter(id=person).update(suspended_at=now())
    assert "suspended" in sentence("--staff", "ops")


def test_person_gets_a_token_by_id() -> None:
    person, chief = make_user(), make_staff("super_admin")
    assert principal("--subject", person.public_id).user_id == person.id
    assert principal("--subject", chief.public_id, "--staff", "super_admin").roles == {"super_admin"}
    assert "exactly these staff roles" in sentence("--subject", chief.public_id, "--staff", "ops")
    assert "no person" in sentence("--subject", "usr_00000000000000000000000000")


def test_scopes_roles_tenant_and_workspace_combine() -> None:
    tenant = make_tenant()
    space = make_workspace(tenant)
    found = principal(
        *("--scopes", "SUPER_ADMIN postgres:read", "--roles", "platform_admin,tenant_admin"),
        *("--tenant", tenant.slug, "--workspace", space.slug, "--subject", "somebody"),
    )
    assert found.scopes == {"SUPER_ADMIN", "superadmin", "postgres:read", "platform_admin", "tenant_admin"}
    assert (found.tenant_id, found.workspace_id, found.label) == (tenant.id, space.id, "somebody")


def test_token_lives_as_long_as_asked() -> None:
    found = verify(minted("--ttl", "120"))
    assert 118 < (found.expires_at - now()).total_seconds() <= 120
    with pytest.raises(TokenRefused):
        caller(minted("--ttl", "-1"))


def test_token_without_anything_is_a_service_without_rights() -> None:
    found = principal()
    assert (found.kind, found.scopes, found.label) == (PrincipalKind.SERVICE, frozenset(), "minted")


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--staff", "super_admin,owner"], "no staff role owner"),
        (["--tenant", "nobody"], "no tenant with the slug nobody"),
        (["--workspace", "main"], "needs the --tenant"),
        (["--ttl", "99999999"], "30 days"),
        (["--staff", "ops", "--subject", "No Body"], "1 to 32 small letters"),
        (["--subject", "x" * 256], "1 to 255"),
    ],
)
def test_what_can_not_be_minted_is_said(arguments: list[str], said: str) -> None:
    before = AuditEntry.objects.count()
    assert said in sentence(*arguments)
    assert (AuditEntry.objects.count(), User.objects.count()) == (before, 0)


def test_workspace_of_another_tenant_is_unknown() -> None:
    tenant, elsewhere = make_tenant(), make_workspace(make_tenant())
    assert "no workspace" in sentence("--tenant", tenant.slug, "--workspace", elsewhere.slug)


def test_each_token_is_one_row_in_the_trail_without_the_token() -> None:
    text = minted("--staff", "admin", "--scopes", "SERVICE")
    row = AuditEntry.objects.get()
    assert (row.action, row.actor_id, row.via) == ("token.mint", "mint_token", "command")
    assert row.resource_id == verify(text).jti
    assert row.metadata["staff_roles"] == ["admin"]
    assert row.metadata["scopes"] == ["SERVICE"]
    assert text.rpartition(".")[2] not in str(row.metadata)
    minted("--staff", "admin")
    assert AuditEntry.objects.count() == 2


def test_production_mints_only_by_force(settings: Settings) -> None:
    settings.ENVIRONMENT = "production"
    assert "--force" in sentence("--staff", "ops")
    assert principal("--staff", "ops", "--force").roles == {"ops"}
    assert AuditEntry.objects.get().metadata["forced"] is True


@pytest.mark.django_db(transaction=True)
def test_command_line_prints_one_token_and_nothing_else() -> None:
    known = connection.settings_dict
    address = (
        f"postgresql://{known['USER']}:{known['PASSWORD']}@{known['HOST']}:{known['PORT']}/{known['NAME']}"
    )
    environment = {
        **os.environ,
        "DATABASE_URL": address,
        "DJANGO_SETTINGS_MODULE": "config.settings",
        "LOG_LEVEL": "DEBUG",
    }

    def run(*arguments: str) -> "subprocess.CompletedProcess[str]":
        command = [sys.executable, "manage.py", "mint_token", *arguments]
        return subprocess.run(
            command, env=environment, cwd=ROOT, capture_output=True, text=True, check=False, timeout=60
        )

    good = run("--staff", "super_admin,ops")
    assert good.returncode == 0, good.stderr
    assert re.fullmatch(r"[\w-]+\.[\w-]+\.[\w-]+\n", good.stdout)
    assert caller(good.stdout.strip()).roles == {"super_admin", "ops"}
    bad = run("--tenant", "nobody")
    assert (bad.returncode, bad.stdout) == (1, "")
    assert "There is no tenant with the slug nobody." in bad.stderr
    assert "Traceback" not in bad.stderr
