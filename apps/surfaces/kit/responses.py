"""From what a handler gives back to bytes."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from typing import Any

from django.http import HttpResponse, HttpResponseBase, StreamingHttpResponse
from django.utils.http import content_disposition_header

from apps.surfaces.kit import tables
from apps.surfaces.kit.answers import Answer, Csv, Page, Prepared, Result, Stream
from apps.surfaces.kit.errors import SurfaceResponse
from apps.surfaces.kit.rendering import dumps
from apps.surfaces.kit.surface import Surface
from apps.surfaces.kit.versions import etag, is_known

# Stands where the rows of a long list go, while the rest of its body is written.
_GAP = "\u0000rows"


def response_of(result: Result, surface: Surface, *, if_none_match: str | None = None) -> HttpResponseBase:
    """The response in the surface's envelope.

    Args:
        if_none_match: the header of that name.
    """
    if isinstance(result, Csv):
        chunks = tables.encoded(result.columns, result.rows)
        return _streamed(Stream(chunks, "text/csv; charset=utf-8", result.filename))
    if isinstance(result, Stream):
        return _streamed(result)
    if isinstance(result, Page) and result.batches is not None:
        return _streamed(Stream(_pieces(result, result.batches, surface), "application/json"))
    if isinstance(result, Prepared):
        return _prepared(result, if_none_match)
    if isinstance(result, Page):
        return SurfaceResponse(dumps(surface.page(result)), status=200)
    return _answered(result, surface)


def _answered(answer: Answer, surface: Surface) -> HttpResponse:
    headers = dict(answer.headers)
    if answer.version is not None:
        headers["ETag"] = etag(answer.version)
    if answer.status == 204:
        response = SurfaceResponse(b"", status=204, headers=headers)
        del response["Content-Type"]
        return response
    return SurfaceResponse(dumps(surface.envelope(answer)), status=answer.status, headers=headers)


def _prepared(answer: Prepared, if_none_match: str | None) -> HttpResponse:
    headers = dict(answer.headers) | ({"ETag": answer.etag} if answer.etag is not None else {})
    if answer.etag is None or not is_known(answer.etag, if_none_match):
        return SurfaceResponse(answer.body, status=200, headers=headers)
    response = SurfaceResponse(b"", status=304, headers=headers)
    del response["Content-Type"]
    return response


def _pieces(page: Page, batches: Iterable[Sequence[Any]], surface: Surface) -> Iterator[bytes]:
    """The body of a page, written while its rows are read."""
    before, after = dumps(surface.page(replace(page, rows=[_GAP]))).split(dumps(_GAP))
    yield before
    comma = b""
    for rows in batches:
        if rows:
            yield comma + dumps(list(rows))[1:-1]
            comma = b","
    yield after


def _streamed(stream: Stream) -> StreamingHttpResponse:
    response = StreamingHttpResponse(stream.chunks, content_type=stream.content_type)
    response["Cache-Control"] = "no-store"
    for name, value in stream.headers.items():
        response[name] = value
    if stream.filename is not None:
        disposition = content_disposition_header(as_attachment=True, filename=stream.filename)
        if disposition:
            response["Content-Disposition"] = disposition
    return response


def without(value: Any, names: frozenset[str]) -> Any:
    """The value with null under these keys, however deep: what a replay must not show again."""
    if isinstance(value, dict):
        return {key: None if key in names else without(inner, names) for key, inner in value.items()}
    if isinstance(value, list):
        return [without(inner, names) for inner in value]
    return value
