"""Tables: foreign keys point down the floors, and whatever is kept of a tenant or a person has an owner for its end."""

import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.apps import apps
from django.db.models import Field, ForeignKey, ManyToManyField, Model

from apps.core.aspects import Subject, registry
from apps.tenants.models import Tenant
from apps.users.models import User

ROOT = Path(__file__).resolve().parent.parent.parent

# Tables that no aspect removes, and why.
KEPT: dict[tuple[str, Subject], str] = {
    ("audit.AuditEntry", Subject.TENANT): "the trail outlives those whom it tells of; it holds ids",
    ("audit.AuditEntry", Subject.USER): "as above; the personal part is AuditDetail",
    ("admin.LogEntry", Subject.USER): "never written: the back office's sections keep Django's own log off",
    ("users.UserTombstone", Subject.USER): "what is left of an erased person: the id and the moment",
}
# Tables that belong to somebody although no column says so (the session's owner stands inside its data).
HIDDEN: dict[str, Subject] = {"sessions.Session": Subject.USER}
COLUMNS = {
    "tenant_id": Subject.TENANT,
    "user_id": Subject.USER,
    "person_id": Subject.USER,
    "member_id": Subject.USER,
}
# Third parties' foreign keys to the user are theirs to name.
THIRD_PARTY = {"account", "mfa", "usersessions", "sessions", "contenttypes", "auth", "admin", "django_rq"}


def models() -> list[type[Model]]:
    return [model for model in apps.get_models(include_auto_created=True) if not model._meta.proxy]


def subjects_of(model: type[Model]) -> set[Subject]:
    """Whose data the table holds, by its foreign keys and columns."""
    found: set[Subject] = set()
    for field in model._meta.get_fields():
        if not isinstance(field, Field):
            continue
        if isinstance(field, ForeignKey | ManyToManyField):
            if field.related_model is Tenant:
                found.add(Subject.TENANT)
            if field.related_model is User:
                found.add(Subject.USER)
        subject = COLUMNS.get(str(field.column or ""))
        if subject is not None:
            found.add(subject)
    if model._meta.label in HIDDEN:
        found.add(HIDDEN[model._meta.label])
    return found


def covered(subject: Subject) -> set[str]:
    return {model for aspect in registry.of(subject) for model in aspect.models}


@pytest.mark.parametrize("model", models(), ids=lambda model: str(model._meta.label))
def test_whatever_is_kept_of_a_tenant_or_a_person_has_an_aspect(model: type[Model]) -> None:
    label = model._meta.label
    for subject in subjects_of(model):
        assert label in covered(subject) or (label, subject) in KEPT, (
            f"{label} holds data of a {subject}: name it in an aspect that removes it (apps.core.aspects)"
        )


def test_an_aspect_that_covers_tables_can_remove_what_they_hold() -> None:
    for subject in Subject:
        for aspect in registry.of(subject):
            assert aspect.remove or aspect.sweep or not aspect.models, aspect.name


def test_aspects_name_tables_that_are_there() -> None:
    known = {model._meta.label for model in models()}
    assert registry.covered_models() <= known
    assert {label for label, _ in KEPT} <= known
    assert set(HIDDEN) <= known


def floors() -> list[set[str]]:
    """The floors of pyproject.toml, highest first."""
    contracts = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]["contracts"]
    layers = next(contract["layers"] for contract in contracts if contract["name"] == "floors")
    return [{name.strip(" ()") for name in layer.split("|")} for layer in layers]


def floor_of(model: type[Model]) -> int | None:
    """The number of the model's floor, counted from above; None for third parties."""
    module = model.__module__.split(".")
    if module[0] != "apps":
        return None
    return next(number for number, names in enumerate(floors()) if module[1] in names)


def foreign_keys() -> Iterator[tuple[type[Model], "ForeignKey[Any, Any]", type[Model]]]:
    for model in models():
        for field in model._meta.get_fields():
            if isinstance(field, ForeignKey) and isinstance(field.related_model, type):
                yield model, field, field.related_model


def test_foreign_keys_point_down_the_floors() -> None:
    for model, field, target in foreign_keys():
        here, there = floor_of(model), floor_of(target)
        if here is None or there is None or model._meta.app_label == target._meta.app_label:
            continue
        assert here < there, (
            f"{model._meta.label}.{field.name} points up, or sideways, to {target._meta.label}"
        )


def test_a_foreign_key_to_another_app_leaves_no_name_there() -> None:
    for model, field, target in foreign_keys():
        if model._meta.app_label == target._meta.app_label or model._meta.app_label in THIRD_PARTY:
            continue
        assert field.remote_field.hidden, f'{model._meta.label}.{field.name}: related_name="+"'


def test_no_row_of_ours_can_be_a_superuser() -> None:
    assert User.is_superuser is False
    assert "is_superuser" not in {field.name for field in User._meta.get_fields()}
