"""People as a file (apps.exports): the rows and filters of the list, masked for whoever reads it masked."""

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db.models import Q, QuerySet

from apps.core.aspects import Subject
from apps.core.ids import TENANT, USER, parse, parse_or_none
from apps.core.principal import Principal
from apps.exports.errors import ExportParamsInvalid
from apps.exports.registry import Input, Kind, exportable
from apps.exports.subjects import export_subject
from apps.users import display, selectors
from apps.users.enums import MembershipRole, UserStatus
from apps.users.models import User

_PAGE = 1000
COLUMNS = ("id", "email", "name", "role", "tenant_id", "status", "plan", "created_at", "last_login")
_CHOICES: Mapping[str, tuple[str, ...]] = {
    "role": tuple(MembershipRole.values),
    "status": tuple(status.value for status in UserStatus if status is not UserStatus.DELETED),
}


def checked_params(params: Mapping[str, Any]) -> dict[str, Any]:
    """`search`, `role`, `tenant_id`, `status`, `plan`, as in the list of users; tombstones are not exported.

    Raises:
        ExportParamsInvalid
    """
    checked: dict[str, Any] = {}
    for name, value in params.items():
        if name not in {"search", "tenant_id", "plan", *_CHOICES}:
            raise ExportParamsInvalid(details={name: ["This parameter is not known."]})
        if not isinstance(value, str) or not 1 <= len(value) <= 254 or "\0" in value:
            raise ExportParamsInvalid(details={name: ["A text of 1 to 254 characters."]})
        if name in _CHOICES and value not in _CHOICES[name]:
            raise ExportParamsInvalid(details={name: [f"One of {', '.join(_CHOICES[name])}."]})
        if name == "tenant_id" and parse_or_none(TENANT, value) is None:
            raise ExportParamsInvalid(details={name: ["This is not a tenant's id."]})
        checked[name] = value
    return checked


def _found(principal: Principal, params: Mapping[str, Any]) -> QuerySet[User]:
    filters: dict[str, Any] = dict(params)
    if "tenant_id" in filters:
        filters["tenant_id"] = parse(TENANT, filters["tenant_id"])
    return selectors.users(principal, **filters)


def user_rows(principal: Principal, params: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """Newest first, page by page after the last one that was read."""
    found = _found(principal, params).order_by("-created_at", "-id")
    tenant_id = parse(TENANT, params["tenant_id"]) if "tenant_id" in params else None
    last: tuple[datetime, UUID] | None = None
    while True:
        after = found
        if last is not None:
            after = found.filter(Q(created_at__lt=last[0]) | Q(created_at=last[0], id__lt=last[1]))
        page = list(after[:_PAGE])
        shown = selectors.shown_of(page, tenant_id=tenant_id)
        yield from (display.user_row(user, shown.get(user.pk), principal) for user in page)
        if len(page) < _PAGE:
            return
        last = (page[-1].created_at, page[-1].pk)


def count_users(principal: Principal, params: Mapping[str, Any]) -> int:
    return _found(principal, params).count()


def install() -> None:
    """Registers the kinds (apps.users.registration)."""
    export_subject(
        Subject.USER,
        name="user_data",
        title="All data of a user",
        prefix=USER,
        exists=lambda user_id: User.objects.filter(pk=user_id).exists(),
    )
    exportable(
        Kind(
            name="users",
            title="Users",
            permission="users.read",
            columns=COLUMNS,
            rows=user_rows,
            params=checked_params,
            count=count_users,
            inputs=[
                *(Input(name, name.capitalize(), "choice", choices) for name, choices in _CHOICES.items()),
                Input("tenant_id", "Tenant", hint="tnt_…"),
                Input("plan", "Plan", hint="slug or id"),
            ],
        )
    )
