"""What every test stands on: two database roles, an empty Redis, the clock as it is."""

from collections.abc import Iterator
from typing import Any

import pytest
import redis
from django.conf import settings
from django.db import connections
from django.test import TransactionTestCase
from hypothesis import HealthCheck
from hypothesis import settings as hypothesis_settings
from pytest_django import DjangoDbBlocker

from apps.configuration import snapshot
from apps.flags.snapshot import holder
from apps.identity.remembered import remembered
from apps.surfaces.kit.throttling import throttle
from tests import database, hearing

# However busy the machine is, a run draws the same examples as the last one; `--hypothesis-profile=searching` looks
# for new ones.
for _name, _is_same in (("same", True), ("searching", False)):
    hypothesis_settings.register_profile(
        _name,
        derandomize=_is_same,
        database=None,
        deadline=None,
        print_blob=True,
        suppress_health_check=[HealthCheck.too_slow],
    )
hypothesis_settings.load_profile("same")


@pytest.fixture(scope="session")
def django_db_setup(request: pytest.FixtureRequest, django_db_blocker: DjangoDbBlocker) -> Iterator[None]:
    """Replaces pytest-django's: the owner migrates, tests run as the application's role."""
    worker = getattr(request.config, "workerinput", {}).get("workerid", "main")
    with django_db_blocker.unblock(), database.test_database(worker) as name:
        # From here on this process listens, as one that serves does; nothing that a test does begins it.
        assert remembered.generation >= 0
        with database.owner_link(name) as link:
            hearing.begin_anew(link)
        emptied = pytest.MonkeyPatch()
        emptied.setattr(TransactionTestCase, "_fixture_teardown", _emptying(name))
        yield
        emptied.undo()


def _emptying(name: str) -> Any:
    def teardown(self: TransactionTestCase) -> None:
        del self
        connections["default"].close()
        with database.owner_link(name) as link:
            database.empty(link)
            hearing.begin_anew(link)
        # Where a change was heard late, it was loaded once more before the database was empty.
        for known in (snapshot.store, holder):
            if not known.is_empty:
                known.forget()

    return teardown


@pytest.fixture(scope="session", autouse=True)
def _redis_has_time() -> None:
    """Where the machine has other work to do, Redis is not away: requests are counted all the same."""
    client = throttle()._script.registered_client
    assert isinstance(client, redis.Redis)
    client.connection_pool.connection_kwargs.update(socket_timeout=30, socket_connect_timeout=30)


@pytest.fixture(autouse=True)
def _empty_redis() -> Iterator[None]:
    """Counters, locks and messages of one test are not another's."""
    link = redis.Redis.from_url(settings.REDIS_URL)
    link.flushdb()
    yield
    link.close()


@pytest.fixture(autouse=True)
def _fresh_knobs() -> Iterator[None]:
    """What one test set in the configuration does not turn another's knobs."""
    yield
    if not snapshot.store.is_empty:
        snapshot.store.forget()


@pytest.fixture(autouse=True)
def _fresh_flags() -> Iterator[None]:
    """The flags that one test knew are not another's."""
    yield
    if not holder.is_empty:
        holder.forget()
