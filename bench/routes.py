"""What is measured: the lists, details and pages that operators open all day, and one write."""

import io
import json
import uuid
from collections.abc import Callable
from dataclasses import dataclass

from django.conf import settings
from django.core.management import call_command
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext, override_settings

from apps.core.enums import JobStatus
from apps.core.models import Job
from apps.core.principal import system
from apps.identity.services.staff import minted_staff
from apps.tenants.enums import TenantStatus
from apps.tenants.models import Tenant
from apps.users.models import User
from bench.load import Call

PLATFORM = "/api/v1/platform/admin"


@dataclass(frozen=True, slots=True)
class Route:
    """A row to be: its name, the request with a number, and the queries that one request makes."""

    name: str
    call: Callable[[int], Call]
    queries: int


def data_size() -> str:
    waiting = Job.objects.filter(status=JobStatus.WAITING).count()
    return f"{Tenant.objects.count()} tenants, {User.objects.count()} users, {waiting} waiting jobs"


def routes() -> list[Route]:
    """The table's rows, each with the number of queries that one request makes."""
    headers = {"Authorization": f"Bearer {_token()}"}
    tenant = Tenant.objects.order_by("id").first()
    user = User.objects.filter(staff__isnull=True).order_by("id").first()
    if tenant is None or user is None:
        raise SystemExit("There is no data to measure: run `make seed` first.")
    reads = {
        "GET tenants (50)": f"{PLATFORM}/tenants?limit=50",
        "GET tenants (50), by MRR": f"{PLATFORM}/tenants?limit=50&ordering=-mrr",
        "GET tenants, search": f"{PLATFORM}/tenants?search=acm",
        "GET one tenant": f"{PLATFORM}/tenants/{tenant.public_id}",
        "GET users (50)": f"{PLATFORM}/users?limit=50",
        "GET users, substring search": f"{PLATFORM}/users?search=ann",
        "GET one user (writes an audit row)": f"{PLATFORM}/users/{user.public_id}",
        "GET plans": f"{PLATFORM}/plans",
    }
    found = [_row(name, _always(Call("GET", path, headers))) for name, path in reads.items()]
    found.append(_row("PATCH tenant override (idempotent, audited)", _override(headers)))
    cookie = {"Cookie": f"{settings.SESSION_COOKIE_NAME}={_session()}"}
    for name, path in {"tenants": "tenants", "people": "users"}.items():
        found.append(
            _row(f"back office: list of {name}", _always(Call("GET", f"/backoffice/{path}/", cookie)))
        )
    return found


def _token() -> str:
    out = io.StringIO()
    call_command("mint_token", staff="super_admin", subject="bench", ttl=3600, stdout=out)
    return out.getvalue().strip()


def _session() -> str:
    """The key of a signed-in session of somebody who needs no second factor."""
    person = minted_staff(actor=system("bench"), roles=["admin"], name="bench")
    browser = Client()
    browser.force_login(person, backend=settings.AUTHENTICATION_BACKENDS[0])
    return str(browser.cookies[settings.SESSION_COOKIE_NAME].value)


def _always(call: Call) -> Callable[[int], Call]:
    return lambda _number: call


def _override(headers: dict[str, str]) -> Callable[[int], Call]:
    """Writes to many tenants in turn, so that requests do not wait for one row."""
    live = Tenant.objects.exclude(status=TenantStatus.CANCELLED).order_by("id")[:200]
    paths = [f"{PLATFORM}/tenants/{tenant.public_id}" for tenant in live]

    def call(number: int) -> Call:
        body = json.dumps(
            {"plan_override": {"limits": {"max_users": 100 + number}, "reason": "measured"}}
        ).encode()
        path = paths[number % len(paths)]
        return Call("PATCH", path, {**headers, "Idempotency-Key": uuid.uuid4().hex}, body)

    return call


def _row(name: str, call: Callable[[int], Call]) -> Route:
    return Route(name, call, _queries(call))


def _queries(of: Callable[[int], Call]) -> int:
    with override_settings(ALLOWED_HOSTS=["testserver"]):
        for number in range(2):  # the first one fills what a process keeps
            call = of(number)
            client = Client(headers=call.headers)
            with CaptureQueriesContext(connection) as captured:
                client.generic(call.method, call.path, call.body, content_type="application/json", headers={})
    return len(
        [
            query
            for query in captured
            if not (query["sql"] or "").startswith(("SAVEPOINT", "RELEASE", "BEGIN"))
        ]
    )
