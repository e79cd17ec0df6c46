"""Who comes to the door of each surface, and what the contract says they get.

A surface needs an entry in `EXPECTATIONS`; the tests of every route fail for one without.
"""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import ClassVar

from django.test import Client

from apps.core.access import PERMISSIONS, Reach, Role
from apps.surfaces.console import ADMIN_SESSION, MASTER_ADMIN
from apps.surfaces.control import API_VERSIONS, PLATFORM_READ, PLATFORM_WRITE
from apps.surfaces.internal import INTERNAL
from apps.surfaces.kit.doors import Route
from apps.surfaces.kit.surface import OPEN
from apps.surfaces.service import ANY_TOKEN, SERVICE
from apps.tenants.models import Tenant
from tests.factories import make_staff
from tests.surfaces.callers import Caller, by_session, by_token, make_callers
from tests.surfaces.machines import OUTSIDE, admin_key, by_key, by_scopes, machine
from tests.surfaces.places import Place
from tests.surfaces.samples import Sample


def permission_of(route: Route) -> str:
    assert route.declaration is not None, f"{route} declares nothing"
    return route.declaration.permission


class Expectations(ABC):
    """What holds at one surface's door."""

    @abstractmethod
    def callers(self, place: Place) -> list[Caller]:
        """Everybody who may come."""

    @abstractmethod
    def outcome(self, caller: Caller, route: Route, sample: Sample) -> tuple[int, int]:
        """The status of the sample on the real customer, and on the test tenant."""

    @abstractmethod
    def mighty(self, route: Route) -> Client:
        """A caller who may use the route."""

    @abstractmethod
    def barred(self, route: Route, place: Place) -> Mapping[str, Client]:
        """Callers who may not, by name: they get 401 or 403."""

    def offenders(self, place: Place, route: Route) -> Mapping[str, Client]:
        """The place's owner as an authenticated caller without any right here, by each way to come."""
        del place, route
        return {}

    def masked(self, route: Route) -> Client | None:
        """A caller who may use the route and must not see personal data; None where there is none."""
        del route
        return None


class PlatformExpectations(Expectations):
    """Staff by role. Source: contracts/platform.md, "Roles"."""

    def callers(self, place: Place) -> list[Caller]:
        return make_callers(place)

    def outcome(self, caller: Caller, route: Route, sample: Sample) -> tuple[int, int]:
        permission = permission_of(route)
        if permission == OPEN:
            return sample.status, sample.status
        if not caller.is_known:
            return 401, 401
        found = {how for role, how in PERMISSIONS[permission].items() if role.value in caller.roles}
        if Reach.ALL in found:
            return sample.status, sample.status
        if Reach.TEST in found:
            return 404 if sample.path and sample.hides_live else sample.status, sample.status
        return 403, 403

    def mighty(self, route: Route) -> Client:
        del route
        return by_token(make_staff("super_admin"))

    def barred(self, route: Route, place: Place) -> Mapping[str, Client]:
        without = [role.value for role in Role if role not in PERMISSIONS[permission_of(route)]]
        return {
            "anonymous": Client(raise_request_exception=False),
            "owner": by_token(place.owner),
            **{role: by_token(make_staff(role)) for role in without},
        }

    def offenders(self, place: Place, route: Route) -> Mapping[str, Client]:
        del route
        return {"session": by_session(place.owner), "token": by_token(place.owner)}

    def masked(self, route: Route) -> Client | None:
        if Role.SUPPORT not in PERMISSIONS.get(permission_of(route), {}):
            return None
        return by_token(make_staff("support"))


# Routes that need a token of a tenant.
OF_A_TENANT = "/api/v1/platform/flags"


class ServiceExpectations(Expectations):
    """Tokens by scope, internal routes by address. Source: contracts/service.md, "Who calls"."""

    def callers(self, place: Place) -> list[Caller]:
        return [
            machine("nobody"),
            machine("nobody outside", address=OUTSIDE),
            machine("without scopes", scopes=()),
            *(machine(scope, scopes=(scope,)) for scope in ("SUPER_ADMIN", "TENANT_ADMIN", "SERVICE")),
            machine("SUPER_ADMIN outside", scopes=("SUPER_ADMIN",), address=OUTSIDE),
            machine("TENANT_ADMIN of the tenant", scopes=("TENANT_ADMIN",), tenant=place.tenant),
            machine("somebody of the tenant", scopes=(), tenant=place.tenant),
            *(each for each in make_callers(place) if each.by == "token" and "inactive" not in each.name),
        ]

    def outcome(self, caller: Caller, route: Route, sample: Sample) -> tuple[int, int]:
        permission = permission_of(route)
        if permission == INTERNAL:
            found = 404 if "outside" in caller.name else sample.status
        elif not caller.is_known:
            found = 401
        elif route.path.startswith(OF_A_TENANT) and getattr(caller, "tenant", None) is None:
            found = 403
        elif permission == ANY_TOKEN:
            found = sample.status
        else:
            has = set(getattr(caller, "scopes", None) or ())
            if "super_admin" in caller.roles:
                has.add("SUPER_ADMIN")
            found = sample.status if has & set(permission.split("|")) else 403
        return found, found

    def mighty(self, route: Route) -> Client:
        if permission_of(route) == INTERNAL:
            return Client(raise_request_exception=False)
        if route.path.startswith(OF_A_TENANT):
            return by_scopes("TENANT_ADMIN", tenant=Tenant.objects.order_by("created_at").first())
        if permission_of(route) == ANY_TOKEN:
            return by_scopes(SERVICE)
        return by_scopes(*permission_of(route).split("|")[:1])

    def barred(self, route: Route, place: Place) -> Mapping[str, Client]:
        if permission_of(route) == INTERNAL:
            return {}
        if permission_of(route) == ANY_TOKEN:
            return {"nobody": Client(raise_request_exception=False)}
        scopes = {"SUPER_ADMIN", "TENANT_ADMIN", "SERVICE"} - set(permission_of(route).split("|"))
        return {
            "nobody": Client(raise_request_exception=False),
            "owner": by_token(place.owner),
            **{scope: by_scopes(scope) for scope in scopes},
        }

    def offenders(self, place: Place, route: Route) -> Mapping[str, Client]:
        return {} if permission_of(route) in {INTERNAL, ANY_TOKEN} else {"token": by_token(place.owner)}


class AutomationExpectations(Expectations):
    """Whoever has a key, and nobody else. Source: contracts/automation.md, "Who calls"."""

    def callers(self, place: Place) -> list[Caller]:
        return [
            machine("nobody"),
            machine("wrong key", key="x" * 32),
            machine("SUPER_ADMIN by token", scopes=("SUPER_ADMIN",)),
            *(each for each in make_callers(place) if each.name == "super_admin by session"),
            machine("right key", key=admin_key()),
        ]

    def outcome(self, caller: Caller, route: Route, sample: Sample) -> tuple[int, int]:
        served = permission_of(route) == OPEN or caller.name == "right key"
        return (sample.status, sample.status) if served else (403, 403)

    def mighty(self, route: Route) -> Client:
        del route
        return by_key()

    def barred(self, route: Route, place: Place) -> Mapping[str, Client]:
        del route
        return {
            "nobody": Client(raise_request_exception=False),
            "wrong key": by_key("x" * 32),
            "super_admin": by_token(make_staff("super_admin")),
            "owner": by_token(place.owner),
        }


class ConsoleExpectations(Expectations):
    """Staff by session and by token; super_admin for most. Source: contracts/console.md, "Who calls"."""

    def callers(self, place: Place) -> list[Caller]:
        return make_callers(place)

    def outcome(self, caller: Caller, route: Route, sample: Sample) -> tuple[int, int]:
        if not caller.is_known:
            return 401, 401
        staff = {role.value for role in Role} if permission_of(route) == ADMIN_SESSION else {"super_admin"}
        found = sample.status if caller.roles & staff else 403
        return found, found

    def mighty(self, route: Route) -> Client:
        del route
        return by_token(make_staff("super_admin"))

    def barred(self, route: Route, place: Place) -> Mapping[str, Client]:
        master = permission_of(route) == MASTER_ADMIN
        return {
            "anonymous": Client(raise_request_exception=False),
            "owner": by_token(place.owner),
            **({"admin": by_token(make_staff("admin"))} if master else {}),
        }

    def offenders(self, place: Place, route: Route) -> Mapping[str, Client]:
        del route
        return {"session": by_session(place.owner), "token": by_token(place.owner)}


class ControlExpectations(Expectations):
    """Tokens with platform roles. Source: contracts/control.md, "Who calls"."""

    ROLES: ClassVar[Mapping[str, frozenset[str]]] = {
        PLATFORM_READ: frozenset({"superadmin", "platform_admin", "platform_operator"}),
        PLATFORM_WRITE: frozenset({"superadmin", "platform_admin"}),
    }

    def callers(self, place: Place) -> list[Caller]:
        roles = ("superadmin", "platform_admin", "platform_operator", "tenant_admin", "workspace_admin")
        found = [
            machine("nobody"),
            machine("without scopes", scopes=()),
            *(machine(role, scopes=(role,)) for role in roles),
            *(each for each in make_callers(place) if "inactive" not in each.name),
        ]
        for each in found:
            versioned(each.client)
        return found

    def outcome(self, caller: Caller, route: Route, sample: Sample) -> tuple[int, int]:
        permission = permission_of(route)
        if permission == OPEN:
            return sample.status, sample.status
        has = set(getattr(caller, "scopes", None) or ())
        if caller.name == "super_admin by token":
            has.add("superadmin")
        if not caller.is_known or caller.by == "session":
            return 401, 401
        found = sample.status if has & self.ROLES[permission] else 403
        return found, found

    def mighty(self, route: Route) -> Client:
        del route
        return versioned(by_scopes("superadmin"))

    def barred(self, route: Route, place: Place) -> Mapping[str, Client]:
        del route
        return {
            "nobody": versioned(Client(raise_request_exception=False)),
            "owner": versioned(by_token(place.owner)),
            "tenant_admin": versioned(by_scopes("tenant_admin")),
        }

    def offenders(self, place: Place, route: Route) -> Mapping[str, Client]:
        return {} if permission_of(route) == OPEN else {"token": versioned(by_token(place.owner))}


def versioned(client: Client) -> Client:
    """The client, which names the version of the interface from now on."""
    client.defaults["HTTP_X_API_VERSION"] = API_VERSIONS[0]
    return client


EXPECTATIONS: Mapping[str, Expectations] = {
    "platform": PlatformExpectations(),
    "service": ServiceExpectations(),
    "ofrep": ServiceExpectations(),
    "automation": AutomationExpectations(),
    "console": ConsoleExpectations(),
    "control": ControlExpectations(),
}
