"""One sample request for each route of each door. A route without one fails tests/surfaces/test_every_route.py.

    sample("POST /api/v1/platform/admin/users/{id}/suspend", path={"id": "{user}"}, body={"reason": "asked for it"})

`{user}`, `{tenant}`, `{plan_slug}`, … stand for the ids of tests.surfaces.places.Place.ids().
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any
from uuid import UUID

from apps.configuration.models import CONFIG, ConfigChange, ConfigValue
from apps.core.clock import now
from apps.core.ids import public
from apps.flags.models import SCHEDULE, Flag, FlagChange, ScheduledChange
from apps.flags.snapshot import holder
from apps.tenants.models import Tenant
from apps.users.models import Membership, User
from tests.factories import make_flag, make_override, make_segment
from tests.surfaces.places import Place


@dataclass(frozen=True, slots=True)
class Sample:
    """A request that succeeds.

    Attributes:
        path: the values of the path's parameters.
        prepare: what must be so before (a suspended user, before unsuspending).
        status: of the success.
        writes: how many audit rows the success leaves: one, but two around a call over the network.
        is_shared: what the path names is nobody's own but the platform's, and whoever may ask may know of it.
        hides_live: a role that reaches test tenants only gets 404 for the real customer (path parameters say whose).
    """

    line: str
    path: Mapping[str, str] = field(default_factory=dict)
    query: Mapping[str, str] = field(default_factory=dict)
    body: Mapping[str, Any] | None = None
    status: int = 200
    prepare: Callable[[Place], None] | None = None
    writes: int = 1
    hides_live: bool = True
    is_shared: bool = False

    @property
    def method(self) -> str:
        return self.line.partition(" ")[0]

    def address(self, place: Place) -> str:
        """The path with the ids of a place."""
        found = self.line.partition(" ")[2]
        for name, value in self.path.items():
            found = found.replace("{" + name + "}", str(filled(value, place)))
        return found


def filled(value: Any, place: Place) -> Any:
    """`value` with the ids of a place, however deep."""
    if isinstance(value, str):
        for name, known in place.ids().items():
            value = value.replace("{" + name + "}", known)
        return value
    if isinstance(value, Mapping):
        return {key: filled(inner, place) for key, inner in value.items()}
    if isinstance(value, list):
        return [filled(inner, place) for inner in value]
    return value


SAMPLES: dict[str, Sample] = {}


def sample(line: str, **fields: Any) -> None:
    """Adds a sample.

    Raises:
        ValueError: the route has one already.
    """
    if line in SAMPLES:
        raise ValueError(f"{line} has a sample already")
    SAMPLES[line] = Sample(line, **fields)


_PLATFORM = "/api/v1/platform/admin"


def _suspended(place: Place) -> None:
    User.objects.filter(pk=place.user.pk).update(suspended_at=now())


_USER = {"id": "{user}"}
sample(f"GET {_PLATFORM}/users")
sample(f"GET {_PLATFORM}/users/{{id}}", path=_USER)
sample(f"GET {_PLATFORM}/users/{{id}}/audit-trail", path=_USER)
sample(f"POST {_PLATFORM}/users/{{id}}/suspend", path=_USER, body={"reason": "asked for it"})
sample(f"POST {_PLATFORM}/users/{{id}}/unsuspend", path=_USER, prepare=_suspended)
sample(f"POST {_PLATFORM}/users/{{id}}/revoke-sessions", path=_USER)
sample(f"POST {_PLATFORM}/users/{{id}}/reset-password", path=_USER)
sample(f"PATCH {_PLATFORM}/users/{{id}}", path=_USER, body={"role": "admin", "name": "Another Name"})
# The second row says that the details were shredded; it is written by the database's own function.
sample(f"DELETE {_PLATFORM}/users/{{id}}", path=_USER, query={"confirmation": "{email}"}, writes=2)

sample(f"GET {_PLATFORM}/tenants")
sample(f"GET {_PLATFORM}/tenants/{{id}}", path={"id": "{tenant}"})
sample(
    f"PATCH {_PLATFORM}/tenants/{{id}}",
    path={"id": "{tenant}"},
    body={
        "plan_override": {"plan_id": "{other_plan_slug}", "limits": {"max_users": 50}, "reason": "a promise"},
        "billing_override": {"type": "comp", "reason": "a promise"},
    },
)
sample(
    f"POST {_PLATFORM}/tenants/test",
    body={"company_name": "Trial run", "owner_email": "qa@steward.example", "plan": "{plan_slug}"},
    status=201,
)
sample(f"GET {_PLATFORM}/plans")
sample(f"GET {_PLATFORM}/plans/{{id}}", path={"id": "{plan}"}, hides_live=False)
sample(
    f"POST {_PLATFORM}/plans",
    body={"name": "Boutique", "slug": "boutique", "price_monthly": 900, "price_yearly": 9000, "max_users": 2},
    status=201,
)
sample(f"PUT {_PLATFORM}/plans/{{id}}", path={"id": "{plan}"}, body={"price_monthly": 3100})
sample(
    f"GET {_PLATFORM}/plans/{{id}}/impact", path={"id": "{plan}"}, query={"max_users": "1"}, hides_live=False
)

_VALUE = UUID("01930000-0000-7000-8000-000000000001")


def _configured(place: Place) -> None:
    ConfigValue.objects.create(
        id=_VALUE, key="tenant.session_idle_minutes", scope="TENANT", tenant_id=place.tenant.id, value="45"
    )
    ConfigChange.objects.create(
        key="tenant.session_idle_minutes",
        scope="TENANT",
        tenant_id=place.tenant.id,
        changed_by="tests",
        version=1,
        new_value="45",
    )


_SERVICE = "/api/v1/admin/platform-config"
_KEY = {"key": "tenant.session_idle_minutes"}
sample(f"GET {_SERVICE}", prepare=_configured)
sample(
    f"POST {_SERVICE}",
    body={
        "key": "tenant.session_idle_minutes",
        "value": "60",
        "scope": "TENANT",
        "tenantId": "{tenant}",
        "description": "asked for it",
    },
)
sample(f"GET {_SERVICE}/{{key}}/history", path=_KEY, prepare=_configured)
sample(
    f"DELETE {_SERVICE}/{{id}}",
    path={"id": public(CONFIG, _VALUE)},
    prepare=_configured,
    status=204,
)
sample("GET /internal/admin/config/{key}", path=_KEY, query={"tenantId": "{tenant}"})
sample("GET /api/v1/admin/health/aggregate")
sample(
    "POST /internal/admin/health/sources",
    body={"serviceId": "billing", "url": "http://127.0.0.1:9/health"},
    status=201,
)

_FLAGS, _SEGMENTS = "/api/v1/admin/flags", "/api/v1/admin/segments"
_CHANGE = UUID("01930000-0000-7000-8000-000000000002")
_CHECKOUT = {"key": "checkout"}
_TARGETED = {
    "name": "paying customers in Europe",
    "conditions": [{"attribute": "plan", "operator": "in", "value": ["starter"]}, {"segment": "europeans"}],
    "split": [{"variation": "on", "weight": 12.5}, {"variation": "off", "weight": 87.5}],
    "contextKey": "userId",
}


def _with_flag(place: Place) -> None:
    """A flag, its history, an override, a segment and a change to come, all known to this process: what a test
    writes is in no other connection's sight."""
    if not Flag.objects.filter(key="checkout").exists():
        flag = make_flag("checkout")
        make_segment()
        FlagChange.objects.create(
            flag=flag, kind="created", version=1, changed_by="tests", after=flag.definition()
        )
        FlagChange.objects.create(
            flag=flag,
            kind="override_set",
            version=1,
            tenant_id=place.tenant.id,
            changed_by="tests",
            after={"enabled": True},
        )
        ScheduledChange.objects.create(
            id=_CHANGE,
            flag=flag,
            at=now() + timedelta(days=1),
            change={"defaultEnabled": True},
            author="tests",
        )
        make_override(flag, place.tenant, reason="asked for it")
    holder.pin_present()


def _versioned(place: Place) -> None:
    _with_flag(place)
    Flag.objects.update(version=2, description="changed since")


sample(f"GET {_FLAGS}", query={"search": "check", "archived": "false"}, prepare=_with_flag)
sample(f"GET {_FLAGS}/{{key}}", path=_CHECKOUT, prepare=_with_flag)
sample(
    f"POST {_FLAGS}",
    body={
        "key": "checkout.express",
        "description": "One-page checkout",
        "defaultEnabled": False,
        "rules": [_TARGETED],
        "rollout": {"percentage": 12.5},
        "prerequisites": [{"key": "checkout", "variation": "on"}],
        "tags": ["web"],
        "owner": "team checkout",
        "expiresAt": "2030-01-01T00:00:00Z",
    },
    prepare=_with_flag,
    status=201,
)
sample(
    f"PATCH {_FLAGS}/{{key}}",
    path=_CHECKOUT,
    body={"defaultEnabled": True, "rules": [_TARGETED]},
    prepare=_with_flag,
)
sample(f"DELETE {_FLAGS}/{{key}}", path=_CHECKOUT, prepare=_with_flag, status=204)
sample(
    f"POST {_FLAGS}/{{key}}/tenant-overrides",
    path=_CHECKOUT,
    body={
        "tenantId": "{tenant}",
        "enabled": True,
        "reason": "a promise",
        "expiresAt": "2030-01-01T00:00:00Z",
    },
    prepare=_with_flag,
)
sample(
    f"DELETE {_FLAGS}/{{key}}/tenant-overrides/{{tenantId}}",
    path={"key": "checkout", "tenantId": "{tenant}"},
    prepare=_with_flag,
    status=204,
)
sample(f"GET {_FLAGS}/{{key}}/tenant-overrides", path=_CHECKOUT, prepare=_with_flag)
sample(f"GET {_FLAGS}/{{key}}/history", path=_CHECKOUT, prepare=_with_flag)
sample(
    f"POST {_FLAGS}/{{key}}/history/{{version}}/restore",
    path={"key": "checkout", "version": "1"},
    prepare=_versioned,
)
sample(
    f"POST {_FLAGS}/{{key}}/explain",
    path=_CHECKOUT,
    body={"tenantId": "{tenant}", "context": {"userId": "u1"}},
    prepare=_with_flag,
)
sample(f"GET {_SEGMENTS}", prepare=_with_flag)
sample(
    f"POST {_SEGMENTS}",
    body={"key": "beta", "conditions": [{"attribute": "tags", "operator": "contains", "value": "beta"}]},
    status=201,
)
sample(
    f"PATCH {_SEGMENTS}/{{key}}",
    path={"key": "europeans"},
    body={"conditions": [{"attribute": "country", "operator": "equals", "value": "DE"}]},
    prepare=_with_flag,
)
sample(f"DELETE {_SEGMENTS}/{{key}}", path={"key": "europeans"}, prepare=_with_flag, status=204)
sample(f"GET {_FLAGS}/{{key}}/schedule", path=_CHECKOUT, prepare=_with_flag)
sample(
    f"POST {_FLAGS}/{{key}}/schedule",
    path=_CHECKOUT,
    body={"at": "2030-01-01T00:00:00Z", "change": {"defaultEnabled": True}},
    prepare=_with_flag,
    status=201,
)
sample(
    f"DELETE {_FLAGS}/{{key}}/schedule/{{id}}",
    path={"key": "checkout", "id": public(SCHEDULE, _CHANGE)},
    prepare=_with_flag,
    status=204,
)
sample("GET /api/v1/platform/flags", prepare=_with_flag)
sample("GET /api/v1/platform/flags/{key}/evaluate", path=_CHECKOUT, prepare=_with_flag, is_shared=True)
sample(
    "GET /internal/admin/flags/{key}/evaluate",
    path=_CHECKOUT,
    query={"tenantId": "{tenant}", "userId": "u1"},
    prepare=_with_flag,
    hides_live=False,
)
sample(
    "GET /internal/admin/flags/bootstrap",
    query={"tenantId": "{tenant}"},
    prepare=_with_flag,
    hides_live=False,
)
sample(
    "POST /internal/admin/flags/usage",
    body={"evaluations": [{"key": "checkout", "count": 17, "variation": "on"}, {"key": "gone", "count": 1}]},
    prepare=_with_flag,
)
sample(f"GET {_PLATFORM}/tenants/{{id}}/feature-flags", path={"id": "{tenant}"}, prepare=_with_flag)
sample(
    f"PATCH {_PLATFORM}/tenants/{{id}}/feature-flags",
    path={"id": "{tenant}"},
    body={"flags": [{"flag_name": "checkout", "enabled": False}], "reason": "a promise"},
    prepare=_with_flag,
)

sample("GET /admin/tenants")
sample("GET /admin/tenants/{tenant_id}", path={"tenant_id": "{tenant}"})
sample("GET /admin/platform-config")
sample("POST /admin/platform-config", body={"governance_parallel_limit": 7})
sample("GET /admin/docs")
sample("GET /admin/docs/data")

_CONSOLE = "/api/admin"
_USER_ID = {"userId": "{user}"}


def _without_members(place: Place) -> None:
    Tenant.objects.filter(pk=place.tenant.pk).update(owner_email=place.owner.email)
    Membership.objects.filter(tenant=place.tenant).delete()


sample(f"GET {_CONSOLE}/users/{{userId}}", path=_USER_ID)
sample(
    f"PATCH {_CONSOLE}/users/{{userId}}",
    path=_USER_ID,
    body={
        "name": "Another Name",
        "email": "another.address@acme.example",
        "status": "suspended",
        "role": "admin",
        "notes": "called on Monday",
    },
)
sample(
    f"POST {_CONSOLE}/users/{{userId}}/block",
    path=_USER_ID,
    body={"blocked": True, "reason": "asked for it"},
)
sample(f"POST {_CONSOLE}/users/{{userId}}/reset-password", path=_USER_ID)
sample(f"POST {_CONSOLE}/backfill-members", prepare=_without_members)

sample("GET /v1/platform/health")
sample("GET /health")
sample("GET /v1/platform/info")
sample("GET /v1/tenants")
sample("GET /v1/tenants/{tenantId}", path={"tenantId": "{tenant}"})


sample(
    "POST /ofrep/v1/evaluate/flags/{key}",
    path={"key": "checkout"},
    body={"context": {"targetingKey": "user-17"}},
    prepare=_with_flag,
    is_shared=True,
)
sample("POST /ofrep/v1/evaluate/flags", body={"context": {"appVersion": "2.4.0"}}, prepare=_with_flag)
sample("GET /internal/admin/flags/stream", prepare=_with_flag, hides_live=False)
