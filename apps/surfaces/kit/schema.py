"""OpenAPI of an action, from its declaration alone."""

from collections.abc import Mapping
from typing import Any, cast

from drf_spectacular.openapi import AutoSchema
from drf_spectacular.plumbing import ResolvedComponent, force_instance, is_serializer
from drf_spectacular.utils import OpenApiParameter

from apps.core.errors import Kind
from apps.surfaces.kit.actions import Action, declaration_of
from apps.surfaces.kit.changing import KEY_PATTERN
from apps.surfaces.kit.inputs import Body
from apps.surfaces.kit.problems import Problem, Sort, Transport
from apps.surfaces.kit.surface import OPEN, Surface
from apps.surfaces.kit.versions import PATTERN as VERSION_PATTERN

_HEADERS: Mapping[str, tuple[str, str]] = {
    "Idempotency-Key": (
        "The same key with the same request gets the first answer again, for 24 hours.",
        KEY_PATTERN,
    ),
    "If-Match": (
        'The version that you have read, "v7" or 7; 412 where it is not the present one.',
        VERSION_PATTERN,
    ),
}
# What a route answers that waits for a second person (apps.approvals).
_PENDING: dict[str, Any] = {
    "type": "object",
    "properties": {
        "approval_id": {"type": "string"},
        "status": {"type": "string", "enum": ["pending_approval"]},
    },
    "required": ["approval_id", "status"],
}
_TEXT: dict[str, Any] = {"type": "string"}
# Of other media types: what one piece is.
_FORMS: Mapping[str, dict[str, Any]] = {
    "text/event-stream": {
        "type": "object",
        "properties": {name: {"type": "string"} for name in ("event", "id", "data")},
        "required": ["event", "id", "data"],
    }
}
_DESCRIPTIONS: Mapping[int, str] = {
    200: "Done.",
    201: "Created.",
    202: "Accepted; it will be done later.",
    204: "Done; there is nothing to say.",
    304: "Nothing has changed since the answer with that ETag.",
    400: "The input is wrong; the body says where.",
    401: "Nobody is signed in.",
    403: "The caller may not do this.",
    404: "There is no such thing, or not for this caller.",
    409: "It conflicts with the present state.",
    412: "The resource has changed since it was read.",
    413: "The body is too large.",
    415: "The body is not JSON.",
    422: "It can't be done in the present state.",
    423: "The resource is locked.",
    429: "Too many requests; `Retry-After` says when to try again.",
    500: "Something went wrong on our side.",
    503: "A part of Steward is away.",
}


class SurfaceSchema(AutoSchema):
    """settings.REST_FRAMEWORK["DEFAULT_SCHEMA_CLASS"]"""

    @property
    def action(self) -> Action:
        found = declaration_of(self.view, getattr(self.view, "action", None))
        if found is None:
            raise LookupError(f"{type(self.view).__name__} does not declare what {self.method} is")
        return found

    @property
    def surface(self) -> Surface:
        return cast("Surface", getattr(self.view, "surface"))  # noqa: B009  APIView declares none

    def get_operation_id(self) -> str:
        return f"{type(self.view).__name__.lower()}_{self.action.name}"

    def get_summary(self) -> str:
        return self.action.summary

    def get_description(self) -> str:  # type: ignore[override]  # as drf-spectacular has it
        return self.action.description

    def get_tags(self) -> list[str]:
        return [getattr(self.view, "tag", type(self.view).__name__)]

    def get_auth(self) -> list[dict[str, list[str]]]:
        for name, definition in self.surface.security.items():
            self.registry.register_on_missing(
                ResolvedComponent(
                    name=name,
                    type=ResolvedComponent.SECURITY_SCHEMA,
                    object=name,
                    schema=dict(definition),
                )
            )
        schemes: list[dict[str, list[str]]] = [{name: []} for name in self.surface.security]
        if self.action.permission == OPEN:
            return [] if self.surface.closed else [{}, *schemes]
        return schemes if self.surface.is_secured(self.action.permission) else []

    def get_override_parameters(self) -> list[Any]:
        found: list[Any] = []
        if self.action.paged:
            found.append((self.action.paging or self.surface.paging).query)
        if self.action.ordering is not None:
            found.append(
                OpenApiParameter(
                    "ordering",
                    str,
                    enum=self.action.ordering.choices(),
                    default=self.action.ordering.default,
                    description="The column to order by, - for descending.",
                )
            )
        if self.action.query().fields:
            found.append(self.action.query)
        found += [
            OpenApiParameter(
                each.name,
                str,
                OpenApiParameter.HEADER,
                required=each.required,
                description=each.description,
                pattern=each.pattern,
            )
            for each in self.surface.headers(self.path)
        ]
        if self.action.conditional:
            found.append(
                OpenApiParameter(
                    "If-None-Match", str, OpenApiParameter.HEADER, description="The ETag that you have."
                )
            )
        if self.action.mutates:
            found += [
                OpenApiParameter("validate_only", bool, description="Runs everything, then rolls it back."),
                *(
                    OpenApiParameter(
                        name, str, OpenApiParameter.HEADER, description=description, pattern=pattern
                    )
                    for name, (description, pattern) in _HEADERS.items()
                ),
            ]
        return found

    def get_filter_backends(self) -> list[Any]:
        return []

    def _is_list_view(self, serializer: Any = None) -> bool:
        del serializer
        return False

    def _map_serializer(self, serializer: Any, direction: Any, *args: Any, **kwargs: Any) -> Any:
        schema = super()._map_serializer(serializer, direction, *args, **kwargs)  # type: ignore[no-untyped-call]  # theirs
        known = force_instance(serializer)
        if isinstance(known, Body) and isinstance(schema, dict):
            schema["additionalProperties"] = known.is_open
            if fewest := force_instance(serializer).fewest:
                schema["minProperties"] = fewest
        return schema

    def _map_serializer_field(self, field: Any, direction: Any, *args: Any, **kwargs: Any) -> Any:
        schema = super()._map_serializer_field(field, direction, *args, **kwargs)  # type: ignore[no-untyped-call]  # theirs
        return {**schema, **getattr(field, "openapi", {})} if isinstance(schema, dict) else schema

    def _get_request_body(self, direction: Any = "request") -> dict[str, Any] | None:
        body = self.action.body()
        if not body.fields:
            return None
        component = self.resolve_serializer(body, direction)
        media: dict[str, Any] = {"schema": component.ref}
        if self.action.body_example is not None:
            media["example"] = self.action.body_example
        found: dict[str, Any] = {"content": {"application/json": media}}
        if component.schema.get("required") or body.fewest:
            found["required"] = True
        return found

    def _get_response_bodies(self, direction: Any = "response") -> dict[str, Any]:
        action = self.action
        found = {str(status): self._success(status, direction) for status in (action.status, *action.also)}
        if action.conditional:
            tag = {"ETag": {"schema": {"type": "string"}}}
            found["200"]["headers"] = tag
            found["304"] = {"description": _DESCRIPTIONS[304], "headers": tag}
        for status in sorted(self._refused()):
            found[str(status)] = self._refusal(status)
        return found

    def _refused(self) -> set[int]:
        """The statuses of refusals that the route can answer with."""
        action = self.action
        sorts: list[Sort] = [Kind.INVALID, Kind.RATE_LIMITED, Kind.UNAVAILABLE, Transport.INTERNAL]
        if action.permission != OPEN:
            sorts += [Kind.UNAUTHENTICATED, Kind.FORBIDDEN]
        if action.mutates:
            sorts.append(Kind.CONFLICT)
        if action.takes_body:
            sorts += [Kind.TOO_LARGE, Transport.UNSUPPORTED_MEDIA_TYPE]
        found = {self.surface.status(Problem(sort, code="", message="")) for sort in sorts}
        for refusal in action.refusals:
            found.add(self.surface.status(Problem(refusal.kind, refusal.code, refusal.message)))
        return found

    def _success(self, status: int, direction: Any) -> dict[str, Any]:
        action = self.action
        response: dict[str, Any] = {"description": _DESCRIPTIONS.get(status, "Done.")}
        if action.links and status == action.status:
            response["links"] = {
                operation: {
                    "operationId": operation,
                    "parameters": {name: f"$response.body#{at}" for name, at in parameters.items()},
                }
                for operation, parameters in action.links.items()
            }
        others = {
            media_type: {"schema": {**_FORMS.get(media_type, _TEXT), "description": description}}
            for media_type, description in action.formats.items()
        }
        if action.answer is None or status == 204:
            return {**response, "content": others} if others else response
        data: dict[str, Any]
        if status == 202 and action.status != 202:
            data = _PENDING
        elif is_serializer(action.answer):
            data = self.resolve_serializer(force_instance(action.answer), direction).ref
        else:
            data = dict(cast("Mapping[str, Any]", action.answer))
        if action.paged:
            schema = self.surface.page_schema(data, action.collection, action.paging or self.surface.paging)
        else:
            schema = self.surface.envelope_schema(data)
        media: dict[str, Any] = {"schema": schema}
        if action.example is not None:
            media["example"] = action.example
        response["content"] = {"application/json": media, **others}
        return response

    def _refusal(self, status: int) -> dict[str, Any]:
        component = ResolvedComponent(
            name="Error",
            type=ResolvedComponent.SCHEMA,
            object="Error",
            schema=self.surface.error_schema(),
        )
        self.registry.register_on_missing(component)
        media = {"schema": component.ref, "example": self.surface.error_example(status)}
        response: dict[str, Any] = {
            "description": _DESCRIPTIONS.get(status, "Refused."),
            "content": {"application/json": media},
        }
        if status in {429, 503}:
            response["headers"] = {
                "Retry-After": {"description": "Seconds.", "schema": {"type": "integer"}},
            }
        shared = ResolvedComponent(
            name=f"Refused{status}",
            type=ResolvedComponent.RESPONSE,
            object=f"Refused{status}",
            schema=response,
        )
        self.registry.register_on_missing(shared)
        return shared.ref
