"""What an app tells about a tenant or a person, and what it does when one goes: a registry by opaque id.

An app that holds something about a tenant or a user registers an aspect in its `apps.py`. The tenant's page,
the data export, purge and erasure walk the registry. `models` names the tables that the aspect covers as
`app_label.ModelName`; a test fails when a model has a tenant or user key that no aspect covers.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any
from uuid import UUID

from apps.core.erasing.traces import Traces
from apps.core.principal import Principal


class Subject(StrEnum):
    TENANT = "tenant"
    USER = "user"


Summary = Callable[[UUID], dict[str, Any]]
Export = Callable[[UUID], Iterator[dict[str, Any]]]
Outside = Callable[[UUID, Principal], None]
Removal = Callable[[UUID, Principal], int]
Sweep = Callable[[Traces, Principal], int]
Blockers = Callable[[UUID], Sequence[str]]


@dataclass(frozen=True, slots=True)
class Aspect:
    """One app's part in the life of a tenant or a person.

    Attributes:
        name: unique for its subject; also the store's name in a purge manifest.
        summary: figures for the page of the subject.
        export: rows for the data export, personal data in clear.
        outside: of a tenant: removes what is held outside of the database (files), before `remove` and in no
            transaction; safe to run twice, and where somebody writes meanwhile.
        remove: purges (tenant) or erases (user) what is held; safe to run twice; answers how many rows went. Runs
            inside a transaction: it reaches nothing but the database, and of a person only what a key leads to.
        sweep: takes out what else mentions an erased person, in a job after `remove`: other people's files and
            texts, whole tables; safe to run twice; answers how many things were changed.
        blockers: sentences that say why the subject can't go yet.
        order: a lower one is removed first.
    """

    name: str
    subject: Subject
    models: Sequence[str] = ()
    summary: Summary | None = None
    export: Export | None = None
    outside: Outside | None = None
    remove: Removal | None = None
    sweep: Sweep | None = None
    blockers: Blockers | None = None
    order: int = 100


@dataclass(slots=True)
class Registry:
    _by_key: dict[tuple[Subject, str], Aspect] = field(default_factory=dict)

    def register(self, aspect: Aspect) -> None:
        """Adds an aspect.

        Raises:
            ValueError: the name is taken for this subject.
        """
        key = (aspect.subject, aspect.name)
        if key in self._by_key:
            raise ValueError(f"the aspect {aspect.name!r} of {aspect.subject} is registered already")
        self._by_key[key] = aspect

    def of(self, subject: Subject) -> list[Aspect]:
        """The aspects of a subject in the order of removal."""
        found = [aspect for (kind, _), aspect in self._by_key.items() if kind is subject]
        return sorted(found, key=lambda aspect: (aspect.order, aspect.name))

    def covered_models(self) -> set[str]:
        return {model for aspect in self._by_key.values() for model in aspect.models}


registry = Registry()
register = registry.register
