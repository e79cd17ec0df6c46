"""JSON in: content type, size, and the one strict parser (apps.core.parsing)."""

from collections.abc import Mapping
from typing import IO, Any

from django.core.exceptions import RequestDataTooBig
from django.http import HttpRequest
from django.http.request import UnreadablePostError
from rest_framework.exceptions import UnsupportedMediaType
from rest_framework.parsers import BaseParser

from apps.core.errors import Invalid
from apps.core.parsing import BodyTooLarge, MalformedJson, parse_json

JSON_TYPE = "application/json"


def media_type(request: HttpRequest) -> str:
    """`application/json` of `Application/JSON; charset=utf-8`; empty where none is named."""
    return str(request.META.get("CONTENT_TYPE", "")).partition(";")[0].strip().lower()


def read_body(request: HttpRequest, *, max_bytes: int) -> bytes:
    """The whole body.

    Raises:
        BodyTooLarge: more than `max_bytes`.
        Invalid: the connection ended before the body did.
    """
    declared = request.META.get("CONTENT_LENGTH") or "0"
    if not declared.isdecimal():
        raise Invalid("Content-Length is not a number.")
    if int(declared) > max_bytes:
        raise BodyTooLarge(f"The body has {declared} bytes; at most {max_bytes} are taken.")
    try:
        body = request.body
    except RequestDataTooBig:
        raise BodyTooLarge(f"At most {max_bytes} bytes are taken.") from None
    except UnreadablePostError:
        raise Invalid("The body ended early.") from None
    if len(body) > max_bytes:
        raise BodyTooLarge(f"The body has {len(body)} bytes; at most {max_bytes} are taken.")
    return body


def read_json(request: HttpRequest, *, max_bytes: int) -> object:
    """The JSON value of the body; an empty body counts as `{}`.

    Raises:
        UnsupportedMediaType: a body of another type.
        Invalid: a body without a Content-Length.
        BodyTooLarge, Invalid: see `read_body` and apps.core.parsing.
    """
    if request.META.get("HTTP_TRANSFER_ENCODING"):
        # WSGI gives no end of such a body, so Django reads none of it: better a refusal than an empty object.
        raise Invalid("Send the body with a Content-Length; a Transfer-Encoding is not read here.")
    if request.META.get("CONTENT_LENGTH") in {None, "", "0"}:
        return {}  # of whatever type: clients name one where there is nothing to send
    kind = media_type(request)
    if kind != JSON_TYPE:
        raise UnsupportedMediaType(kind)
    body = read_body(request, max_bytes=max_bytes)
    return parsed(body, max_bytes=max_bytes) if body else {}


def parsed(body: bytes, *, max_bytes: int) -> object:
    """The value of `body`, blamed on the field `body` where it is not JSON."""
    try:
        return parse_json(body, max_bytes=max_bytes)
    except MalformedJson as wrong:
        raise MalformedJson(wrong.message, details={"body": [wrong.message]}) from None


class StrictJSON(BaseParser):
    """The same parser for DRF's own machinery."""

    media_type = JSON_TYPE

    def parse(
        self,
        stream: IO[Any],
        media_type: str | None = None,
        parser_context: Mapping[str, Any] | None = None,
    ) -> Any:
        del media_type, parser_context
        body = stream.read()
        return parsed(body, max_bytes=1_048_576)
