"""How samples are sent, and what they leave behind."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from typing import Any

from django.db import connection, transaction
from django.test import Client
from psycopg import sql

from apps.surfaces.kit.documents import document_of
from apps.surfaces.kit.doors import Route
from apps.surfaces.kit.surface import Surface
from tests.surfaces.places import Place
from tests.surfaces.samples import SAMPLES, Sample, filled


@cache
def known_document(surface: Surface) -> dict[str, Any]:
    """The surface's document, made once: that takes a second. Not to be changed."""
    return document_of(surface)


def sample_of(route: Route) -> Sample:
    found = SAMPLES.get(str(route))
    assert found is not None, f"{route} has no sample: add one to tests/surfaces/samples.py"
    return found


def send(client: Client, sample: Sample, place: Place, **changed: Any) -> Any:
    """The sample's request, on one of the two tenants."""
    query = changed.get("query", filled(sample.query, place))
    body = changed.get("body")
    if body is None and sample.method != "GET":
        body = json.dumps(filled(sample.body or {}, place)).encode()
    return client.generic(
        sample.method,
        sample.address(place),
        body or b"",
        content_type=changed.get("content_type", "application/json"),
        query_params=query,
    )


@contextmanager
def undone() -> Iterator[None]:
    """What happens inside did not happen. (A savepoint: the request opens its own transaction inside.)"""
    point = transaction.savepoint()
    try:
        yield
    finally:
        transaction.savepoint_rollback(point)


def everything() -> dict[str, str]:
    """A digest of each table that holds what people work with; the trail is looked at elsewhere."""
    digests: dict[str, str] = {}
    with connection.cursor() as cursor:
        cursor.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'public' ORDER BY 1")
        tables = [row[0] for row in cursor.fetchall()]
        for table in tables:
            if table.startswith(("audit_", "django_session", "usersessions_", "users_login_failure")):
                continue
            cursor.execute(
                sql.SQL(
                    "SELECT md5(coalesce(string_agg(t::text, '|' ORDER BY t::text), '')) FROM {} t"
                ).format(sql.Identifier(table))
            )
            row = cursor.fetchone()
            digests[table] = row[0] if row else ""
    return digests
