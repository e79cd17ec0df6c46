"""bootstrap_operator and seed."""

import re
import time
from io import StringIO
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.test import Client
from pytest_django import Settings

from apps.core.access import Role
from apps.tenants.enums import TenantStatus
from apps.tenants.models import PlanOverride, Tenant, TenantFacts, Workspace
from apps.users.management.demo import DEMO_PASSWORD
from apps.users.models import Membership, StaffMember, User
from tests.factories import make_staff
from tests.users.support import code, trail
from tests.users.test_sign_in import CODE, submit, who

pytestmark = pytest.mark.django_db


def run(name: str, **options: Any) -> str:
    out = StringIO()
    call_command(name, stdout=out, stderr=StringIO(), **options)
    return out.getvalue()


def told(output: str) -> dict[str, str]:
    return dict(re.split(r"\s{2,}", line, maxsplit=1) for line in output.splitlines())


def test_the_first_operator_signs_in_with_what_was_printed(client: Client) -> None:
    printed = told(run("bootstrap_operator"))
    assert printed["e-mail"] == "operator@steward.local"
    assert printed["TOTP secret"] in printed["TOTP address"]
    assert printed["TOTP address"].startswith("otpauth://totp/Steward%3Aoperator%40steward.local?")
    submit(client, printed["e-mail"], printed["password"])
    client.post(CODE, {"code": code(printed["TOTP secret"])})
    user = who(client)
    assert user is not None
    assert user.staff_roles == {"super_admin"}
    assert trail("staff.bootstrap").resource_id == user.public_id


def test_a_second_run_makes_nothing() -> None:
    run("bootstrap_operator", email="first@steward.local")
    assert run("bootstrap_operator", email="second@steward.local") == ""
    assert StaffMember.objects.count() == 1


def test_staff_who_can_not_sign_in_do_not_count() -> None:
    made = make_staff("super_admin")
    made.set_unusable_password()
    made.save()
    assert "password" in run("bootstrap_operator")


def test_an_address_that_is_taken_is_a_sentence() -> None:
    make_staff("support", email="operator@steward.local")
    with pytest.raises(CommandError, match="has this e-mail address already"):
        run("bootstrap_operator")


def test_the_demo_is_quick_whole_and_the_same_twice(client: Client) -> None:
    started = time.perf_counter()
    output = run("seed")
    assert time.perf_counter() - started < 30  # under 5 s on an idle machine
    assert Tenant.objects.count() == 40
    assert set(Tenant.objects.values_list("status", flat=True)) == set(TenantStatus.values)
    assert Tenant.objects.filter(is_test=True, test_expires_at__isnull=False).exists()
    assert len(set(Tenant.objects.values_list("effective_plan__slug", flat=True))) == 8
    assert 100 <= User.objects.count() <= 150
    assert User.objects.filter(suspended_at__isnull=False).exists()
    assert User.objects.filter(blocked_at__isnull=False).exists()
    assert User.objects.filter(last_login=None).exists()
    assert PlanOverride.objects.exists()
    assert len(set(User.objects.dates("created_at", "day"))) > 25
    for facts in TenantFacts.objects.all():
        assert facts.members == Membership.objects.filter(tenant=facts.tenant_id).count() > 0
        assert facts.workspaces == Workspace.objects.filter(tenant=facts.tenant_id).count() > 0
        assert facts.mrr is None
    roles = {role for member in StaffMember.objects.all() for role in member.roles}
    assert roles == {role.value for role in Role} - {"super_admin"}
    assert DEMO_PASSWORD in output
    submit(client, "support@steward.local", DEMO_PASSWORD)
    assert who(client) is not None

    people = set(User.objects.values_list("email", flat=True))
    again = run("seed")
    assert again.startswith("0 tenants made")
    assert DEMO_PASSWORD not in again
    assert set(User.objects.values_list("email", flat=True)) == people


def test_production_is_not_seeded_by_accident(settings: Settings) -> None:
    settings.ENVIRONMENT = "production"
    with pytest.raises(CommandError, match="production"):
        run("seed", size="small")
    output = run("seed", size="small", force=True)
    assert DEMO_PASSWORD not in output
    assert not any(member.user.has_usable_password() for member in StaffMember.objects.select_related("user"))
