"""Processes of their own over this test's database and Redis."""

import os
import subprocess
import sys
import threading
from collections.abc import Callable
from typing import Any
from urllib.parse import quote, urlsplit

from django.conf import settings
from django.db import close_old_connections, connections

_START = "import django; django.setup()\nimport tests.core.sample_jobs\n"


def environment(**changes: str) -> dict[str, str]:
    """The environment of a process that serves this test's database."""
    known = connections["default"].settings_dict
    url = urlsplit(os.environ["DATABASE_URL"])._replace(path="/" + quote(known["NAME"])).geturl()
    return {
        **os.environ,
        "DJANGO_SETTINGS_MODULE": "config.settings",
        "DATABASE_URL": url,
        "REDIS_URL": settings.REDIS_URL,
        **changes,
    }


def owner_url() -> str:
    """The address of this test's database for the role that owns its schema."""
    name = connections["default"].settings_dict["NAME"]
    return urlsplit(os.environ["DATABASE_OWNER_URL"])._replace(path="/" + quote(name)).geturl()


def python(code: str, **changes: str) -> "subprocess.Popen[str]":
    """A process that runs `code` with Django and the sample jobs loaded."""
    return command([sys.executable, "-c", _START + code], **changes)


def command(line: list[str], **changes: str) -> "subprocess.Popen[str]":
    return subprocess.Popen(
        line, env=environment(**changes), stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )


def in_threads(number: int, function: Callable[[int], Any]) -> list[Any]:
    """What `function(0…number-1)` gave or raised, all started at one moment, each on a connection of its own."""
    barrier = threading.Barrier(number)
    results: list[Any] = [None] * number

    def work(place: int) -> None:
        try:
            barrier.wait(timeout=20)
            results[place] = function(place)
        except Exception as raised:  # noqa: BLE001  what a thread raises is its result
            results[place] = raised
        finally:
            connections.close_all()

    threads = [threading.Thread(target=work, args=(place,)) for place in range(number)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=60)
    close_old_connections()
    return results
