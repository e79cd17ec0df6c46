"""Another tenant's things are nothing at all: whoever isn't served hears the same of an id as of one that never was.

Walked from the URL tables: every route whose sample names something of a tenant (in path, query or body), every filter
of an id that OpenAPI knows, and everybody who may come. Source: contracts/control.md, "Conventions".
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from hashlib import sha256
from typing import Any

import pytest
from django.conf import settings
from django.test import Client
from redis import Redis

from apps.audit.models import AuditEntry
from apps.core import ids
from apps.core.models import FailedAttempt
from apps.core.principal import system
from apps.identity.services.tokens import issue_token
from apps.surfaces.internal import INTERNAL
from apps.surfaces.kit.doors import Route
from apps.surfaces.kit.surface import OPEN, Surface
from apps.surfaces.kit.throttling import throttle
from tests.surfaces.callers import Caller, by_session, by_token
from tests.surfaces.expectations import EXPECTATIONS, permission_of, versioned
from tests.surfaces.places import Place, Places, make_places
from tests.surfaces.samples import Sample, filled
from tests.surfaces.sending import everything, known_document, sample_of, send
from tests.surfaces.test_every_route import ROUTES

# Rights that are good within one tenant, by all the names that surfaces have for them.
_BOUND = ("TENANT_ADMIN", "tenant_admin", "tenant_operator", "workspace_admin", "workspace_operator")
# Who comes by session too; the others have a way of their own into the surface's table of rights, tried elsewhere.
_BY_SESSION = {"owner", "qa"}
# Filters by id: what of a place they name. A filter that is not here fails the test of its route.
_FILTERS = {"tenant_id": "{tenant}", "tenantId": "{tenant}", "user_id": "{user}", "userId": "{user}"}
# The catalogue is no tenant's: everybody who may see plans may know which there are.
_SHARED = {"plan", "plan_slug", "other_plan", "other_plan_slug"}
_SHARED_FILTERS = {"plan_id"}
# What differs between any two answers.
_OWN = re.compile(rb"\b(?:req|cor)_[0-9A-HJKMNP-TV-Z]{26}|\d{4}-\d\d-\d\dT[\d:.]+Z")
_OWN_HEADERS = frozenset({"content-length", "x-ratelimit-reset", "x-request-id", "x-correlation-id"})


@dataclass(frozen=True, slots=True)
class Named:
    """What a request names: a place's ids, or as many ids of the same form behind which there is nothing."""

    known: Mapping[str, str]

    def ids(self) -> dict[str, str]:
        return dict(self.known)


def never(place: Place) -> Named:
    return Named({name: value if name in _SHARED else _another(value) for name, value in place.ids().items()})


def _another(value: str) -> str:
    head, _, body = value.partition("_")
    if len(body) == 26:
        return ids.public(head, ids.new_id())
    return "x" + sha256(value.encode()).hexdigest()[: len(value) - 1]


def requests(surface: Surface, route: Route) -> Iterator[Sample]:
    """The sample, and the sample with each filter by id that it leaves out."""
    sample = sample_of(route)
    yield sample
    operation = known_document(surface)["paths"][route.path.replace("...}", "}")][route.method.lower()]
    for parameter in operation.get("parameters", []):
        name = parameter["name"]
        if parameter["in"] != "query" or not re.search(r"(?:^id|_id|Id)$", name) or name in _SHARED_FILTERS:
            continue
        assert name in _FILTERS, f"{route}: say in _FILTERS what of a place {name} names"
        if name not in sample.query:
            yield replace(sample, query={**sample.query, name: _FILTERS[name]})


def names_something(sample: Sample, place: Place) -> bool:
    """False where the request is the same whatever the place is."""
    if sample.is_shared:
        return False
    given: list[Any] = [sample.path, sample.query, sample.body or {}]
    return filled(given, place) != filled(given, never(place)) or bool(sample.path and sample.prepare)  # type: ignore[arg-type]  # both have ids()


def onlookers(surface: Surface, route: Route, sample: Sample, places: Places) -> dict[str, Client]:
    """Who must not hear of the real customer's things: all who aren't served, and who belongs to another tenant."""
    expected = EXPECTATIONS[surface.name]
    found = {
        each.name: each.client
        for each in expected.callers(places.live)
        if (each.by != "session" or each.name.partition(" ")[0] in _BY_SESSION)
        and (expected.outcome(each, route, sample)[0] >= 400 or _sees_tests_only(each, sample))
    }
    if permission_of(route) in {OPEN, INTERNAL}:
        return found
    there = places.test
    found["member elsewhere by session"] = by_session(there.user)
    found["owner elsewhere by token"] = by_token(there.owner)
    for right in _BOUND:
        token = issue_token(actor=system("tests"), subject="svc-tests", tenant=there.tenant, scopes=[right])
        found[f"{right} elsewhere"] = Client(
            headers={"Authorization": f"Bearer {token.text}"}, raise_request_exception=False
        )
    for client in found.values():
        versioned(client)
    return found


def _sees_tests_only(caller: Caller, sample: Sample) -> bool:
    return caller.roles == {"qa"} and sample.hides_live


def heard(clients: Mapping[str, Client], sample: Sample, named: Any) -> dict[str, tuple[Any, ...]]:
    """What each of them is answered, without what differs between any two answers."""
    found = {}
    for name, client in clients.items():
        # The same budget and the same past for each, so that what is left of it is the same too.
        FailedAttempt.objects.all().delete()
        Redis.from_url(settings.REDIS_URL).flushdb()
        throttle().forget()
        response = send(client, sample, named)
        body = b"".join(response) if response.streaming else response.content
        for word, value in named.ids().items():
            body = body.replace(value.encode(), b"{" + word.encode() + b"}")
        headers = {key.lower(): value for key, value in response.headers.items()}
        kept = sorted((key, value) for key, value in headers.items() if key not in _OWN_HEADERS)
        found[name] = (response.status_code, kept, _OWN.sub(b"-", body))
    FailedAttempt.objects.all().delete()
    return found


@pytest.mark.parametrize(("surface", "route"), ROUTES, ids=[str(route) for _, route in ROUTES])
def test_an_id_of_another_tenant_is_answered_as_one_that_never_was(
    surface: Surface, route: Route, db: None
) -> None:
    places = make_places()
    nothing = never(places.live)
    for sample in requests(surface, route):
        if not names_something(sample, places.live):
            continue
        assert "{" not in sample.address(places.live), f"{route}: the sample leaves a part of the path open"
        clients = onlookers(surface, route, sample, places)
        before = everything()
        of_nothing = heard(clients, sample, nothing)
        assert everything() == before
        if sample.prepare is not None:
            sample.prepare(places.live)
        before, known = everything(), AuditEntry.objects.count()
        of_another = heard(clients, sample, places.live)
        assert everything() == before
        for name in clients:
            assert of_another[name] == of_nothing[name], name
        outcomes = AuditEntry.objects.order_by("-pk").values_list("outcome", flat=True)
        assert set(outcomes[: AuditEntry.objects.count() - known]) <= {"denied"}


def test_route_that_takes_an_id_is_walked_unless_the_id_is_shared_by_all_tenants(db: None) -> None:
    place = make_places().live
    for surface, route in ROUTES:
        sample = sample_of(route)
        named = set(re.findall(r"\{(\w+)\}", " ".join(sample.path.values())))
        if "{" not in route.path or sample.is_shared or (named and named <= _SHARED):
            continue
        assert any(names_something(each, place) for each in requests(surface, route)), route


def test_whoever_is_not_known_is_asked_for_a_credential_whatever_the_id_names(db: None) -> None:
    places = make_places()
    for surface, route in ROUTES:
        sample = sample_of(route)
        if permission_of(route) in {OPEN, INTERNAL} or not names_something(sample, places.live):
            continue
        nobody = {"nobody": versioned(Client(raise_request_exception=False))}
        status = heard(nobody, sample, never(places.live))["nobody"][0]
        assert status == (403 if surface.closed else 401), route
