"""The pipeline: authenticate → permit → the surface's steps → throttle → validate → idempotency → handler.

Denies by default: an action without a declaration is refused for everybody.
"""

from typing import Any, ClassVar, cast

from django.http import HttpRequest, HttpResponseBase
from rest_framework.exceptions import MethodNotAllowed
from rest_framework.views import APIView
from rest_framework.viewsets import ViewSetMixin

from apps.core import ids
from apps.core.errors import Forbidden, NotFound, Unauthenticated
from apps.core.observability.context import identify
from apps.core.principal import Principal
from apps.core.write import Target, record_denied
from apps.surfaces.kit import paging
from apps.surfaces.kit.actions import Action, Handler, Served, declaration_of
from apps.surfaces.kit.answers import Answer
from apps.surfaces.kit.authentication import authenticate
from apps.surfaces.kit.calls import Call
from apps.surfaces.kit.changing import change
from apps.surfaces.kit.errors import NothingHere, answer, note, problem_of
from apps.surfaces.kit.fields import Flag
from apps.surfaces.kit.inputs import Query, parameters, single, validated
from apps.surfaces.kit.parsing import read_json
from apps.surfaces.kit.responses import response_of
from apps.surfaces.kit.steps import steps
from apps.surfaces.kit.surface import OPEN, Surface
from apps.surfaces.kit.throttling import Budget, BudgetSpent, burst_of, limit_of, throttle
from apps.surfaces.kit.versions import if_match


class _Try(Query):
    validate_only = Flag(default=False, help_text="Runs everything, then rolls it back.")


def _only(sent: dict[str, str], name: str) -> dict[str, str]:
    return {name: sent.pop(name)} if name in sent else {}


def _can_be_stored(text: str) -> bool:
    """False for what no row can hold, and no query should be asked: a NUL, or half of a surrogate pair."""
    try:
        return b"\0" not in text.encode()
    except UnicodeEncodeError:
        return False


class SurfaceViewSet(ViewSetMixin, APIView):
    """What a view of a surface is made of; `apps.surfaces.<name>.ViewSet` sets `surface`.

    Of DRF it has `as_view`, serializers and OpenAPI; the request's way through it is this file alone.
    """

    surface: ClassVar[Surface]
    http_method_names = ["get", "head", "post", "put", "patch", "delete"]
    action_map: dict[str, str]
    http: HttpRequest
    principal: Principal | None = None
    budget: Budget | None = None

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: str) -> HttpResponseBase:
        """Answers the request, whatever happens."""
        del args
        self.http, self.kwargs = request, kwargs
        try:
            response = self._served(kwargs)
        except Exception as error:  # noqa: BLE001  whatever it is has the surface's shape
            response = self._refused(error)
        if self.budget is not None:
            response["X-RateLimit-Limit"] = str(self.budget.limit)
            response["X-RateLimit-Remaining"] = str(max(0, self.budget.remaining))
            response["X-RateLimit-Reset"] = str(self.budget.reset)
        return response

    def serve(self, action: Action, handler: Handler, path: dict[str, str]) -> HttpResponseBase:
        """Validates the input of an action and runs its handler."""
        call = self._call(action, path)
        if not action.mutates:
            return response_of(
                handler(self, call), self.surface, if_none_match=self.http.headers.get("If-None-Match")
            )
        return change(
            lambda: cast("Answer", handler(self, call)), call=call, action=action, surface=self.surface
        )

    def _served(self, path: dict[str, str]) -> HttpResponseBase:
        if not self.surface.admits(self.http):
            raise NothingHere(self.http)
        method = (self.http.method or "").lower()
        name = self.action_map.get("get" if method == "head" else method, "")
        self.action = name
        action = declaration_of(self, name)
        if self.surface.closed:
            self._authenticate(action)
        if not name:
            raise MethodNotAllowed(method)
        if not self.surface.closed:
            self._authenticate(action)
        if action is None or not self._permits(action):
            raise Forbidden
        for step in steps(self.surface.name):
            step(self.http, self.principal, action, path)
        self._throttle(action)
        if not all(map(_can_be_stored, path.values())):
            raise NotFound
        served: Served = getattr(self, name)
        return served(path)

    def _refused(self, error: Exception) -> HttpResponseBase:
        """The surface's words for what went wrong; a refused right goes into the trail."""
        if isinstance(error, Forbidden) and self.principal is not None:
            try:
                self._record_denied(self.principal)
            except Exception as worse:  # noqa: BLE001  the trail is away: that is the answer then
                error = worse
        problem = problem_of(error)
        note(error, problem)
        response = answer(problem, self.surface, self.http)
        if response.status_code == 405:
            response["Allow"] = ", ".join(sorted(method.upper() for method in self.action_map))
        return response

    def _authenticate(self, action: Action | None) -> None:
        if self.surface.closed and action is not None and action.permission == OPEN:
            return
        try:
            self.principal = authenticate(self.http, self.surface.name)
        except (Unauthenticated, Forbidden):
            if action is None or action.permission != OPEN:
                raise
            return
        tenant = self.principal.tenant_id
        identify(actor=self.principal.id, tenant=ids.public(ids.TENANT, tenant) if tenant else None)

    def _permits(self, action: Action) -> bool:
        if action.permission == OPEN:
            return True
        return self.principal is not None and self.surface.permits(self.principal, action.permission)

    def _throttle(self, action: Action) -> None:
        address = getattr(self.http, "client_address", None)
        subject = self.surface.budget_of(self.principal, address)
        scope = action.throttle
        try:
            self.budget = throttle().take(scope, subject, limit=limit_of(scope), burst=burst_of(scope))
        except BudgetSpent as spent:
            self.budget = spent.budget
            raise

    def _call(self, action: Action, path: dict[str, str]) -> Call:
        request = self.http
        sent = single(parameters(request.META.get("QUERY_STRING", "")))
        asked: paging.Request | None = None
        style = (action.paging or self.surface.paging) if action.paged else None
        if style is not None:
            position = style.position(sent)
            chosen = action.ordering.chosen(sent.pop("ordering", None)) if action.ordering else ""
            listing = paging.listing(self.surface.name, request.path, chosen, sent)
            asked = paging.Request(position, action.ordering, chosen, listing)
        validate_only = action.mutates and validated(_Try, _only(sent, "validate_only"))["validate_only"]
        body: dict[str, Any] = {}
        if action.takes_body:
            limit = action.max_body_bytes or self.surface.max_body_bytes
            body = validated(action.body, read_json(request, max_bytes=limit))
        return Call(
            request=request,
            principal=self.principal,
            path=path,
            query=validated(action.query, sent),
            body=body,
            if_match=if_match(request.headers.get("If-Match")) if action.mutates else None,
            validate_only=validate_only,
            style=style,
            asked=asked,
            collection=action.collection,
        )

    def _record_denied(self, principal: Principal) -> None:
        action = declaration_of(self, self.action)
        name = f"{self.surface.name}.{type(self).__name__.lower()}.{self.action or 'unknown'}"
        identifier = next(filter(_can_be_stored, self.kwargs.values()), "")
        target = Target(type=action.target if action else "", id=str(identifier)[:64])
        record_denied(name, actor=principal, target=target)
