"""One request as its handler sees it: authenticated, permitted, validated."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from django.db.models import Model, QuerySet
from django.http import HttpRequest

from apps.core.errors import Unauthenticated
from apps.core.principal import Principal
from apps.core.write import Target, write
from apps.surfaces.kit import paging
from apps.surfaces.kit.answers import Page


@dataclass(frozen=True, slots=True)
class Call:
    """What a handler is given.

    Attributes:
        path: the parameters of the URL, as text.
        query: validated query parameters; what was left out and has no default is absent.
        body: the validated body, likewise.
        if_match: the version that the caller has read (`If-Match`), or None; services check it under the row lock.
        validate_only: what the handler does will be rolled back.
    """

    request: HttpRequest
    principal: Principal | None
    path: Mapping[str, str]
    query: dict[str, Any] = field(default_factory=dict)
    body: dict[str, Any] = field(default_factory=dict)
    if_match: int | None = None
    validate_only: bool = False
    style: paging.PageStyle | None = None
    asked: paging.Request | None = None
    collection: str | None = None

    @property
    def actor(self) -> Principal:
        """The caller.

        Raises:
            Unauthenticated: on an open route, when nobody has signed in.
        """
        if self.principal is None:
            raise Unauthenticated
        return self.principal

    def page(
        self, rows: "QuerySet[Any, Any]", shape: paging.Shape, *, whole: type[Model] | None = None
    ) -> Page:
        """The part of `rows` that was asked for, ordered as asked; `shape` turns the rows of one page into values.

        Args:
            whole: the model, where `rows` are all of a table whose number is kept: it is not counted then.
        """
        if self.style is None or self.asked is None:
            raise RuntimeError("declare the action with paged=True")
        return self.style.cut(rows, replace(self.asked, whole=whole), shape, self.collection)

    def viewed(self, action: str, target: Target, **metadata: Any) -> None:
        """Writes the audit row of a look at somebody's data, before the answer leaves.

        Raises:
            AuditUnavailable: it can't be written; then there is no answer.
        """
        with write(action, actor=self.actor, target=target, metadata=metadata):
            pass
