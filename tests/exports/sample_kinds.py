"""Kinds of the tests: rows that are many, slow, dangerous or broken."""

import time
from collections.abc import Iterator, Mapping
from typing import Any

from apps.core.access import masked
from apps.core.errors import Conflict, Unavailable
from apps.core.principal import Principal
from apps.exports.registry import Kind, exportable, find_kind


def numbers(principal: Principal, params: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """`number` rows, `pause` seconds before each; `fail` breaks off in the middle."""
    for number in range(params.get("number", 3)):
        time.sleep(params.get("pause", 0))
        if params.get("fail") and number == 1:
            raise {"refused": Conflict, "away": Unavailable, "bug": ZeroDivisionError}[params["fail"]]
        yield {
            "number": number,
            "text": params.get("text", "-1+1"),
            "masked": masked(principal, "users.read"),
        }


def count(principal: Principal, params: Mapping[str, Any]) -> int:
    del principal
    return int(params.get("number", 3))


def install() -> None:
    if find_kind("tests.numbers") is None:
        exportable(
            Kind(
                name="tests.numbers",
                title="Numbers",
                permission="users.read",
                columns=["number", "text", "masked"],
                rows=numbers,
                params=dict,
                count=count,
                limit=50_000,
            )
        )


install()
