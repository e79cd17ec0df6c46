"""`manage.py seed`: demo data, made by the same services that operators use. A second run makes what is missing.

Amounts of money stay null: nobody owns them yet. In production it needs --force, and staff get no known password.

`--size=large` is another thing: a million people by COPY (apps.users.management.copying).
"""

import time
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

from apps.core.clock import now
from apps.core.ids import new_id
from apps.core.principal import Principal, system
from apps.core.write import unit, write
from apps.plans.services import seed_plans
from apps.tenants import facts
from apps.tenants import services as tenants
from apps.tenants.enums import BillingOverrideType, TenantStatus
from apps.tenants.models import Tenant, Workspace
from apps.tenants.services.provisioning import NewTenant
from apps.tenants.terms import BillingTerms, PlanTerms
from apps.users import services as people
from apps.users.management import copying
from apps.users.management.demo import (
    DEMO_PASSWORD,
    LARGE,
    SIZES,
    STAFF,
    STAFF_DOMAIN,
    Customer,
    Person,
    customers,
)
from apps.users.models import Membership, User

_TEST_DAYS = 30


class Command(BaseCommand):
    help = "Makes demo tenants, people, staff, overrides and their history."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--size", choices=[*SIZES, "large"], default="demo", help=_sizes())
        parser.add_argument("--force", action="store_true", help="seed in production too")

    def handle(self, *args: Any, **options: Any) -> None:
        if settings.ENVIRONMENT == "production" and not options["force"]:
            raise CommandError(
                "This is production: demo data does not belong here (--force makes it all the same)."
            )
        actor = system("seed").at(via="command", address=None)
        seed_plans(actor=actor)
        if options["size"] == "large":
            self._large(*LARGE)
            return
        staff = [user for user in (_staff_member(actor, *each) for each in STAFF) if user is not None]
        made = 0
        for number, customer in enumerate(customers(SIZES[options["size"]])):
            if not Tenant.objects.filter(slug=customer.slug).exists():
                made += 1
                # One transaction: killed half-way, a tenant is there with its people or not at all.
                with unit():
                    _customer(actor, customer, number)
        self._tell(staff, made)

    def _large(self, tenants_count: int, users_count: int) -> None:
        if settings.ENVIRONMENT == "production":
            raise CommandError("This is production: it is never loaded with made-up rows.")
        if not settings.DATABASE_OWNER_IS_CONFIGURED:
            raise CommandError("COPY needs the owner of the tables: set DATABASE_OWNER_URL.")
        began = time.monotonic()
        made = copying.world(tenants_count, users_count)
        try:
            is_new = copying.load(made)
        except copying.OtherRows:
            raise CommandError(
                "Made-up rows of another size are there: begin anew (make up RESET=1)."
            ) from None
        took = f"made in {time.monotonic() - began:.0f} s" if is_new else "are there already"
        self.stdout.write(
            f"{tenants_count:,} tenants, {users_count:,} people, {2 * users_count:,} rows of the trail: {took}."
        )

    def _tell(self, staff: list[User], made: int) -> None:
        self.stdout.write(
            f"{made} tenants made; there are {Tenant.objects.count()}, and {User.objects.count()} people."
        )
        if staff and settings.ENVIRONMENT != "production":
            self.stdout.write(f"Staff for trying out, each with the password “{DEMO_PASSWORD}”:")
            for user in staff:
                self.stdout.write(f"  {user.email:<26} {', '.join(sorted(user.staff_roles))}")


def _sizes() -> str:
    by_services = ", ".join(f"{name} {count}" for name, count in SIZES.items())
    return f"how many tenants: {by_services}; large: {LARGE[0]:,} with {LARGE[1]:,} people, by COPY"


def _staff_member(actor: Principal, local: str, name: str, roles: list[Any]) -> User | None:
    email = f"{local}@{STAFF_DOMAIN}"
    if User.objects.filter(email=email).exists():
        return None
    known = settings.ENVIRONMENT != "production"
    return people.create_staff(
        actor=actor, email=email, name=name, roles=roles, password=DEMO_PASSWORD if known else None
    )


def _customer(actor: Principal, customer: Customer, number: int) -> None:
    signed_up = now() - timedelta(days=customer.days_ago, hours=number * 5 % 24, minutes=number * 7 % 60)
    given: NewTenant = {
        "company_name": customer.company_name,
        "owner_email": customer.owner.email,
        "plan": customer.plan,
        "slug": customer.slug,
        "country": customer.country,
        "is_test": customer.is_test,
        "trial_days": 14 + number % 10 if customer.fate is TenantStatus.TRIAL else 0,
    }
    if customer.is_test:
        given["test_expires_at"] = now() + timedelta(days=_TEST_DAYS)
    made = tenants.provision_tenant(actor=actor, **given)
    _workspaces(actor, made.tenant, customer, signed_up)
    for place, person in enumerate(customer.people):
        _member(actor, made.tenant, person, signed_up + timedelta(hours=place * 9))
    Tenant.objects.filter(pk=made.tenant.pk).update(created_at=signed_up)
    if not customer.is_test:
        _overrides(actor, made.tenant, number)
    _fate(actor, made.tenant, customer.fate)


def _workspaces(actor: Principal, tenant: Tenant, customer: Customer, at: datetime) -> None:
    with write("demo.make_workspaces", actor=actor, target=tenant.audit_target()):
        Workspace.objects.bulk_create(
            Workspace(
                id=new_id(),
                tenant=tenant,
                slug=slug,
                display_name=slug.title(),
                environment=slug,
                created_at=at,
            )
            for slug in ("production", "staging", "development")[: customer.workspaces]
        )
        facts.refresh("workspaces", tenant.pk)


def _member(actor: Principal, tenant: Tenant, person: Person, at: datetime) -> None:
    user = people.create_user(actor=actor, email=person.email, name=person.name)
    people.add_membership(actor=actor, user_id=user.pk, tenant_id=tenant.pk, role=person.role)
    joined = min(at, now())
    seen = None
    if person.signed_in_days_ago is not None:
        seen = max(joined, now() - timedelta(days=person.signed_in_days_ago, minutes=len(person.email) * 31))
    User.objects.filter(pk=user.pk).update(created_at=joined, last_login=seen)
    Membership.objects.filter(user=user).update(created_at=joined)
    if user.email.startswith(("q", "u")):
        people.suspend_user(actor=actor, user_id=user.pk, reason="Chargeback under review (demo)")
    elif user.email.startswith("x"):
        people.block_user(actor=actor, user_id=user.pk, reason="Sent spam from three accounts (demo)")


def _overrides(actor: Principal, tenant: Tenant, number: int) -> None:
    if number % 9 == 1:
        tenants.override_plan(
            actor=actor,
            tenant_id=tenant.pk,
            terms=PlanTerms(
                plan="enterprise",
                custom_pricing=True,
                price_monthly=Decimal(199 + number),
                limits={"max_users": 250},
                reason="Promised by sales for the first year (demo)",
                ends_at=now() + timedelta(days=300),
            ),
        )
    elif number % 9 == 4:
        tenants.override_plan(
            actor=actor,
            tenant_id=tenant.pk,
            terms=PlanTerms(limits={"max_users": 40}, reason="A school term with guests (demo)"),
        )
    elif number % 9 == 7:
        tenants.override_billing(
            actor=actor,
            tenant_id=tenant.pk,
            terms=BillingTerms(type=BillingOverrideType.COMP, reason="Design partner (demo)"),
        )


def _fate(actor: Principal, tenant: Tenant, fate: TenantStatus) -> None:
    if fate is TenantStatus.SUSPENDED:
        tenants.suspend_tenant(actor=actor, tenant_id=tenant.pk, reason="Three invoices unpaid (demo)")
    elif fate is TenantStatus.CANCELLED:
        tenants.cancel_tenant(actor=actor, tenant_id=tenant.pk, reason="Moved to a competitor (demo)")
    elif fate is TenantStatus.PROVISIONING:
        Tenant.objects.filter(pk=tenant.pk).update(status=fate)  # still being set up
