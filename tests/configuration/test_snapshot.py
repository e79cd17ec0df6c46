"""What processes know of the configuration, and how soon."""

import queue
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

import psycopg
import pytest
from django.db import connections
from psycopg import sql

from apps.configuration import selectors, services
from apps.configuration.enums import Origin
from apps.configuration.errors import KeyUnknown
from apps.configuration.models import DeclaredKey
from apps.configuration.services import KeyDeclaration
from apps.configuration.snapshot import Snapshot, store
from apps.core.ids import new_id
from apps.core.knobs import knob
from tests.core.processes import python
from tests.database import owner_link
from tests.factories import actor, make_tenant

IDLE = "tenant.session_idle_minutes"

# Prints the value each time that it differs from the one before.
_WATCHER = """
import time
from apps.core.knobs import knob
idle, last = knob("tenant.session_idle_minutes"), None
while True:
    value = idle.get()
    if value != last:
        print(value, flush=True)
        last = value
    time.sleep(0.005)
"""

# The same in a child that was forked after its parent had read: as Celery's and RQ's workers run.
_FORKED = """
import os, time
from apps.core.knobs import knob
knob("tenant.session_idle_minutes").get()
parent = os.getpid()
if os.fork():
    os.wait()
idle, last = knob("tenant.session_idle_minutes"), None
while os.getppid() == parent:
    value = idle.get()
    if value != last:
        print(value, flush=True)
        last = value
    time.sleep(0.005)
"""


class Watcher:
    """Another process that reads one knob."""

    def __init__(self, process: "subprocess.Popen[str]") -> None:
        self._said: queue.Queue[str] = queue.Queue()
        self._process = process
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self) -> None:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            if line.strip().isdigit():
                self._said.put(line.strip())

    def says(self, value: str) -> None:
        """Waits until the process reads `value`, and no other one before it."""
        assert self._said.get(timeout=60) == value

    def silent(self, seconds: float) -> bool:
        time.sleep(seconds)
        return self._said.empty() and self._process.poll() is None


# A process that hears of a change by its announcement or not at all.
_UNPOLLED = "import importlib; importlib.import_module('apps.core.live.listener').POLL_SECONDS = 3600\n"


@contextmanager
def watcher(code: str = _WATCHER) -> Iterator[Watcher]:
    process = python(code)
    try:
        yield Watcher(process)
    finally:
        process.kill()
        process.wait(timeout=60)


@pytest.mark.django_db(transaction=True)
def test_change_is_in_force_in_two_other_processes_as_soon_as_it_is_announced() -> None:
    with watcher(_UNPOLLED + _WATCHER) as one, watcher(_UNPOLLED + _WATCHER) as other:
        for process in (one, other):
            process.says("30")
        for value in ("45", "46", "47"):
            services.set_value(actor=actor(), key=IDLE, value=value)
            assert knob(IDLE).get() == int(value)  # at once in the process that wrote it
            one.says(value)
            other.says(value)
        row = selectors.list_values(actor()).get()
        services.archive_value(actor=actor(), value_id=row.id)
        one.says("30")
        other.says("30")


@pytest.mark.django_db(transaction=True)
def test_change_is_heard_in_a_forked_child_of_a_process_that_had_read() -> None:
    with watcher(_UNPOLLED + _FORKED) as child:
        child.says("30")
        for value in ("45", "46"):
            services.set_value(actor=actor(), key=IDLE, value=value)
            child.says(value)


@pytest.mark.django_db(transaction=True)
def test_change_whose_announcement_was_lost_is_found_by_the_poll() -> None:
    services.set_value(actor=actor(), key=IDLE, value="45")
    with watcher() as process:
        process.says("45")
        process.silent(0.5)
        with owner_link(connections["default"].settings_dict["NAME"]) as link, link.transaction():
            link.execute("UPDATE configuration_value SET value = '50'")
            link.execute("UPDATE core_live_topic SET revision = revision + 1 WHERE name = 'configuration'")
        process.says("50")


@pytest.mark.django_db(transaction=True)
def test_last_snapshot_serves_while_the_database_is_away() -> None:
    services.set_value(actor=actor(), key=IDLE, value="45")
    name = connections["default"].settings_dict["NAME"]
    with watcher() as process:
        process.says("45")
        with owner_link("postgres") as link, connections["default"].cursor() as cursor:
            link.execute(sql.SQL("ALTER DATABASE {} ALLOW_CONNECTIONS false").format(sql.Identifier(name)))
            try:
                cursor.execute(
                    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
                    "WHERE datname = %s AND usename = current_user AND pid <> pg_backend_pid()",
                    [name],
                )
                assert process.silent(3)
            finally:
                link.execute(sql.SQL("ALTER DATABASE {} ALLOW_CONNECTIONS true").format(sql.Identifier(name)))
        services.set_value(actor=actor(), key=IDLE, value="50")
        process.says("50")


@pytest.mark.django_db(transaction=True)
def test_reading_takes_no_query(django_assert_num_queries: object) -> None:
    tenant = make_tenant()
    services.set_value(actor=actor(), key=IDLE, value="45", scope="TENANT", tenant_id=tenant.id)
    knob(IDLE).get()
    assert callable(django_assert_num_queries)
    with django_assert_num_queries(0):
        assert knob(IDLE).get(tenant.id) == 45
        assert knob(IDLE).get(new_id()) == 30
        assert selectors.look_up(IDLE, tenant.id).source == "tenant"


@pytest.mark.django_db(transaction=True)
def test_look_up_says_whose_value_it_is() -> None:
    tenant = make_tenant()
    assert selectors.look_up(IDLE, tenant.id) == selectors.InForce(IDLE, "30", Origin.DEFAULT)
    services.set_value(actor=actor(), key=IDLE, value="46")
    assert selectors.look_up(IDLE, tenant.id) == selectors.InForce(IDLE, "46", Origin.PLATFORM)
    row = services.set_value(actor=actor(), key=IDLE, value="45", scope="TENANT", tenant_id=tenant.id)
    assert selectors.look_up(IDLE, tenant.id) == selectors.InForce(IDLE, "45", Origin.TENANT)
    assert selectors.look_up(IDLE, None).value == "46"
    services.archive_value(actor=actor(), value_id=row.id)
    assert selectors.look_up(IDLE, tenant.id).source == "platform"
    with pytest.raises(KeyUnknown):
        selectors.look_up("nobody.knows_this")


@pytest.mark.django_db(transaction=True)
def test_key_of_an_operator_is_read_typed_and_its_secret_is_opened_at_the_reader() -> None:
    secret = KeyDeclaration(type="string", description="A password.", secret=True)
    services.declare_key(actor=actor(), name="relay.password", declaration=secret)
    services.declare_key(
        actor=actor(),
        name="relay.weight",
        declaration=KeyDeclaration(type="number", description="W", default="0.5"),
    )
    store.refresh()
    assert selectors.get("relay.weight") == 0.5
    assert selectors.get("relay.password") is None
    services.set_value(actor=actor(), key="relay.password", value="hunter2")
    services.set_value(actor=actor(), key="relay.weight", value="0.250")
    assert selectors.get("relay.password") == "hunter2"
    assert selectors.look_up("relay.weight").value == "0.25"
    assert "hunter2" not in repr(store.current())


@pytest.mark.django_db(transaction=True)
def test_stored_value_that_no_longer_fits_its_declaration_is_passed_over() -> None:
    services.set_value(actor=actor(), key=IDLE, value="46")
    with owner_link(connections["default"].settings_dict["NAME"]) as link:
        link.execute("UPDATE configuration_value SET value = 'soon'")
    store.forget()
    assert selectors.look_up(IDLE).source == "default"


@pytest.mark.django_db(transaction=True)
def test_declaration_that_can_not_be_read_does_not_keep_the_rest_from_being_read() -> None:
    for name in ("mail.broken", "mail.whole"):
        declaration = KeyDeclaration(type="integer", description="A number.", default="3")
        services.declare_key(actor=actor(), name=name, declaration=declaration)
    DeclaredKey.objects.filter(name="mail.broken").update(default="three")
    services.set_value(actor=actor(), key=IDLE, value="45")
    assert (knob(IDLE).get(), selectors.get("mail.whole")) == (45, 3)
    with pytest.raises(KeyUnknown):
        selectors.get("mail.broken")


@pytest.mark.django_db(transaction=True)
def test_values_of_a_restored_database_are_read_where_its_revision_is_the_same_or_lower() -> None:
    services.set_value(actor=actor(), key=IDLE, value="45")
    services.set_value(actor=actor(), key=IDLE, value="46")
    name = connections["default"].settings_dict["NAME"]
    with watcher() as process:
        process.says("46")
        process.silent(0.5)
        for value, step in (("50", 0), ("51", -1)):
            with owner_link(name) as link, link.transaction():
                link.execute("UPDATE configuration_value SET value = %s", [value])
                link.execute("UPDATE core_live_topic SET revision = revision + %s", [step])
            with connections["default"].cursor() as cursor:
                cursor.execute(
                    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
                    "WHERE query LIKE '%%core_live_topic%%' AND pid <> pg_backend_pid() "
                    "AND datname = current_database()"
                )
            process.says(value)


def test_without_a_database_the_default_stands(monkeypatch: pytest.MonkeyPatch) -> None:
    def away() -> Snapshot:
        raise psycopg.OperationalError

    monkeypatch.setattr("apps.configuration.snapshot._load", away)
    assert knob(IDLE).get() == 30
