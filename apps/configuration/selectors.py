"""Reads of the configuration: what is in force (from memory), and what was set (from the database)."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.db.models import QuerySet

from apps.configuration.enums import Origin
from apps.configuration.errors import KeyUnknown
from apps.configuration.models import MASK, ConfigChange, ConfigValue, DeclaredKey
from apps.configuration.querysets import changes_visible_to, visible_to
from apps.configuration.snapshot import Secret, store
from apps.core import knobs
from apps.core.knobs import UNSET, Knob, is_name
from apps.core.principal import Principal

PREFIX = re.compile(r"[a-z0-9_.]{1,120}")


@dataclass(frozen=True, slots=True)
class InForce:
    """The answer of a look-up: canonical text, and whose value it is."""

    key: str
    value: str | None
    source: Origin


@dataclass(frozen=True, slots=True)
class Overview:
    """One key as people compare it: default, the platform's value, one tenant's value; secrets masked."""

    knob: Knob[Any]
    by_operator: bool
    default: str | None
    platform: ConfigValue | None
    tenant: ConfigValue | None
    tenants: int  # how many tenants have a value of their own

    @property
    def effective(self) -> str | None:
        """What is in force, for the tenant where one is looked at."""
        row = self.tenant or self.platform
        return self.default if row is None else row.shown


def get(name: str, tenant_id: UUID | None = None) -> Any:
    """The typed value in force: the tenant's, else the platform's, else the default. From memory, no query.

    Raises:
        KeyUnknown: nobody declared the key.
    """
    return _knob(name).get(tenant_id)


def look_up(name: str, tenant_id: UUID | None = None) -> InForce:
    """As `get`, as canonical text and with its origin. From memory, no query; a secret in clear.

    Raises:
        KeyUnknown: nobody declared the key.
        SealBroken: the secret can't be opened.
    """
    knob, snapshot = _knob(name), store.current()
    for found, source in (
        (snapshot.of_tenant(name, tenant_id), Origin.TENANT),
        (snapshot.of_platform(name), Origin.PLATFORM),
    ):
        if found is not UNSET:
            value = found.open() if isinstance(found, Secret) else found
            return InForce(name, knob.shape.write(value), source)
    return InForce(name, knob.standard_text(), Origin.DEFAULT)


def _knob(name: str) -> Knob[Any]:
    knob = store.current().knob(name)
    if knob is None:
        raise KeyUnknown(name)
    return knob


def known_knob(name: str) -> Knob[Any] | None:
    """The declaration of a key as it stands in the database now: code's, else an operator's."""
    declared = knobs.find(name)
    if declared is not None:
        return declared
    if not is_name(name):
        return None
    row = DeclaredKey.objects.filter(name=name).first()
    return None if row is None else row.knob()


def list_values(
    principal: Principal,
    *,
    scope: str | None = None,
    tenant_id: UUID | None = None,
    key_prefix: str = "",
    include_archived: bool = False,
) -> QuerySet[ConfigValue]:
    """Values in a stable order: by key, the platform's before tenants', oldest first."""
    rows = visible_to(principal)
    if not include_archived:
        rows = rows.filter(is_archived=False)
    if scope is not None:
        rows = rows.filter(scope=scope)
    if tenant_id is not None:
        rows = rows.filter(tenant_id=tenant_id)
    if key_prefix:
        if not PREFIX.fullmatch(key_prefix):
            return rows.none()
        rows = rows.filter(key__startswith=key_prefix)
    return rows.order_by("key", "scope", "id")


def history(principal: Principal, *, key: str) -> QuerySet[ConfigChange]:
    """The revisions of a key, newest first. A key that is gone keeps its history.

    Raises:
        KeyUnknown: nobody declared the key, and it never had a value.
    """
    rows = changes_visible_to(principal).filter(key=key).order_by("-id") if is_name(key) else None
    if rows is None or (known_knob(key) is None and not rows.exists()):
        raise KeyUnknown(key)
    return rows


def overview(principal: Principal, *, tenant_id: UUID | None = None) -> Iterator[tuple[str, list[Overview]]]:
    """All keys by section: default, platform and tenant value side by side."""
    live = visible_to(principal).filter(is_archived=False)
    platform = {row.key: row for row in live.filter(tenant_id=None)}
    tenant = {row.key: row for row in live.filter(tenant_id=tenant_id)} if tenant_id else {}
    counts: dict[str, int] = {}
    for key in live.filter(tenant_id__isnull=False).values_list("key", flat=True):
        counts[key] = counts.get(key, 0) + 1
    code = knobs.knobs()
    operators = [row.knob() for row in DeclaredKey.objects.all() if knobs.find(row.name) is None]
    sections: dict[str, list[Overview]] = {}
    for knob in [*sorted(code, key=lambda known: (known.section, known.name)), *operators]:
        sections.setdefault(knob.section, []).append(
            Overview(
                knob=knob,
                by_operator=knobs.find(knob.name) is None,
                default=MASK if knob.secret and knob.standard() is not None else knob.standard_text(),
                platform=platform.get(knob.name),
                tenant=tenant.get(knob.name),
                tenants=counts.get(knob.name, 0),
            )
        )
    yield from sections.items()
