"""What every answer of the pages at /accounts/ carries."""

from collections.abc import Callable
from functools import wraps
from typing import Any

from django.http import HttpRequest, HttpResponseBase

View = Callable[..., HttpResponseBase]

_HEADERS = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": "default-src 'none'; style-src 'self'; img-src 'self' data:; form-action 'self'; "
    "frame-ancestors 'none'; base-uri 'none'",
    # A reset link must not travel on in a Referer.
    "Referrer-Policy": "same-origin",
}


def page(view: View) -> View:
    """The view, never stored by a browser or proxy, without scripts and in nobody's frame."""

    @wraps(view)
    def answer(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        response = view(request, *args, **kwargs)
        for name, value in _HEADERS.items():
            response.headers[name] = value
        return response

    return answer
