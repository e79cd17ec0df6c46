"""What holds for every route of every door: walked from the URL tables, so that nobody can forget one."""

from typing import Any

import jsonschema
import pytest
from django.core.cache import cache as shared_cache

from apps.audit.models import AuditEntry
from apps.surfaces.kit.documents import routes_of
from apps.surfaces.kit.doors import Route
from apps.surfaces.kit.surface import Surface, surfaces
from tests.surfaces.callers import Caller
from tests.surfaces.expectations import EXPECTATIONS
from tests.surfaces.places import PERSONAL, Place, Places, make_places
from tests.surfaces.samples import Sample, filled
from tests.surfaces.sending import everything, known_document, sample_of, send, undone

ROUTES = [(surface, route) for surface in surfaces() for route in routes_of(surface.name)]
MUTATING = [(surface, route) for surface, route in ROUTES if route.mutates]
READING = [(surface, route) for surface, route in ROUTES if not route.mutates]
every_route = pytest.mark.parametrize(("surface", "route"), ROUTES, ids=[str(route) for _, route in ROUTES])
every_mutation = pytest.mark.parametrize(
    ("surface", "route"), MUTATING, ids=[str(route) for _, route in MUTATING]
)
every_read = pytest.mark.parametrize(("surface", "route"), READING, ids=[str(route) for _, route in READING])


@pytest.fixture
def places(db: None) -> Places:
    del db
    return make_places()


def attempt(caller: Caller, sample: Sample, place: Place) -> int:
    client = caller.client  # signs in, once and for good
    with undone():
        if sample.prepare is not None:
            sample.prepare(place)
        response = send(client, sample, place)
        if response.streaming:
            b"".join(response)
        return int(response.status_code)


@every_route
def test_a_route_serves_exactly_those_whom_the_matrix_names(
    surface: Surface, route: Route, places: Places
) -> None:
    sample = sample_of(route)
    expected = EXPECTATIONS[surface.name]
    for caller in expected.callers(places.live):
        got = attempt(caller, sample, places.live), attempt(caller, sample, places.test)
        assert got == expected.outcome(caller, route, sample), caller.name


@every_route
def test_somebody_without_any_right_who_tries_is_in_the_trail(
    surface: Surface, route: Route, places: Places
) -> None:
    for name, client in EXPECTATIONS[surface.name].offenders(places.live, route).items():
        known = set(AuditEntry.objects.values_list("pk", flat=True))
        shared_cache.clear()
        assert send(client, sample_of(route), places.live).status_code == 403
        new = AuditEntry.objects.exclude(pk__in=known).get()
        assert (new.outcome, new.via, new.actor_id) == (
            "denied",
            surface.name,
            places.live.owner.public_id,
        ), name


@every_mutation
def test_a_mutation_that_succeeds_leaves_exactly_one_audit_row(
    surface: Surface, route: Route, places: Places
) -> None:
    sample = sample_of(route)
    client = EXPECTATIONS[surface.name].mighty(route)
    if sample.prepare is not None:
        sample.prepare(places.live)
    known = set(AuditEntry.objects.values_list("pk", flat=True))
    response = send(client, sample, places.live)
    assert response.status_code == sample.status, response.content
    new = AuditEntry.objects.exclude(pk__in=known)
    assert [(entry.outcome, entry.via) for entry in new] == [("success", surface.name)] * sample.writes


@every_mutation
def test_a_mutation_that_is_refused_changes_nothing(surface: Surface, route: Route, places: Places) -> None:
    sample = sample_of(route)
    if sample.prepare is not None:
        sample.prepare(places.live)
    clients = EXPECTATIONS[surface.name].barred(route, places.live)
    before = everything()
    for name, client in clients.items():
        response = send(client, sample, places.live)
        assert response.status_code in {401, 403}, name
        assert everything() == before, name
    client = EXPECTATIONS[surface.name].mighty(route)
    before = everything()
    for wrong in ({"body": b"{"}, {"body": b'{"__unknown__": 1}'}, {"query": {"__unknown__": "1"}}):
        response = send(client, sample, places.live, **wrong)
        assert response.status_code == 400, response.content
        assert everything() == before, wrong
    tried = send(
        client, sample, places.live, query={**filled(sample.query, places.live), "validate_only": "true"}
    )
    is_outside = route.declaration is not None and route.declaration.outside
    assert tried.status_code == (400 if is_outside else sample.status), tried.content
    assert everything() == before, "validate_only"


@every_read
def test_a_read_leaves_the_audit_row_that_it_declares_and_no_other(
    surface: Surface, route: Route, places: Places
) -> None:
    sample = sample_of(route)
    client = EXPECTATIONS[surface.name].mighty(route)
    if sample.prepare is not None:
        sample.prepare(places.live)
    known = set(AuditEntry.objects.values_list("pk", flat=True))
    response = send(client, sample, places.live)
    assert response.status_code == sample.status, response.content
    new = [entry.action for entry in AuditEntry.objects.exclude(pk__in=known)]
    assert new == ([route.declaration.audit] if route.declaration and route.declaration.audit else [])


@every_read
def test_support_is_never_sent_a_personal_datum(surface: Surface, route: Route, places: Places) -> None:
    sample = sample_of(route)
    client = EXPECTATIONS[surface.name].masked(route)
    if client is None:
        return
    if sample.prepare is not None:
        sample.prepare(places.live)
    variants = [filled(sample.query, places.live)]
    if route.declaration is not None and route.declaration.formats:
        variants.append({**variants[0], "format": "csv"})
    for query in variants:
        response = send(client, sample, places.live, query=query)
        assert response.status_code == sample.status, response.content
        sent = b"".join(response) if response.streaming else response.content
        assert len(sent) > 20
        for datum in PERSONAL:
            assert datum not in sent, f"{datum!r} in {sent[:2000]!r}"


@every_route
def test_an_answer_has_the_shape_of_its_openapi_document(
    surface: Surface, route: Route, places: Places
) -> None:
    sample = sample_of(route)
    client = EXPECTATIONS[surface.name].mighty(route)
    if sample.prepare is not None:
        sample.prepare(places.live)
    response = send(client, sample, places.live)
    document = known_document(surface)
    operation = document["paths"][route.path.replace("...}", "}")][route.method.lower()]
    described = operation["responses"][str(response.status_code)]
    assert "$ref" not in described, "a success is described where it stands"
    content = described.get("content", {}).get("application/json")
    if content is None or response.streaming:
        return
    schema = {**content["schema"], "components": document["components"]}
    jsonschema.validate(response.json(), schema, cls=jsonschema.Draft202012Validator)
    assert_complete(response.json(), schema, document)


def assert_complete(value: Any, schema: dict[str, Any], document: dict[str, Any], at: str = "$") -> None:
    """Nothing is answered that the document does not describe."""
    while "$ref" in schema:
        schema = document["components"]["schemas"][schema["$ref"].rsplit("/", 1)[1]]
    for part in ("allOf", "oneOf", "anyOf"):
        if len(schema.get(part, [])) == 1:
            return assert_complete(value, schema[part][0], document, at)
    if isinstance(value, dict) and "properties" in schema:
        strange = set(value) - set(schema["properties"])
        assert not strange or schema.get("additionalProperties"), (
            f"{at} has {strange}, which OpenAPI does not"
        )
        for key in set(value) & set(schema["properties"]):
            assert_complete(value[key], schema["properties"][key], document, f"{at}.{key}")
    if isinstance(value, list) and isinstance(schema.get("items"), dict):
        for member in value:
            assert_complete(member, schema["items"], document, f"{at}[]")
    return None


@every_route
def test_odd_requests_are_refused_in_the_shape_of_the_surface(
    surface: Surface, route: Route, places: Places
) -> None:
    sample = sample_of(route)
    client = EXPECTATIONS[surface.name].mighty(route)
    odd: list[dict[str, Any]] = [{"query": {"__unknown__": "1"}}, {"query": {"limit": "0"}}]
    if route.method != "GET":
        odd += [
            {"body": b"{"},
            {"body": b"[]"},
            {"body": b'"\\ud800"'},
            {"body": b"[" * 100 + b"]" * 100},
            {"body": b"x", "content_type": "text/plain"},
        ]
    for changed in odd:
        response = send(client, sample, places.live, **changed)
        assert 400 <= response.status_code < 500, (changed, response.content)
        jsonschema.validate(response.json(), surface.error_schema())
    for number, _name in enumerate(sample.path):
        broken = Sample(
            sample.line, {name: ODD[number % len(ODD)] for name in sample.path}, sample.query, sample.body
        )
        response = send(client, broken, places.live)
        assert response.status_code == 404, response.content


ODD = ("%00", "usr_00000000000000000000000000", "😀", "x" * 300)
