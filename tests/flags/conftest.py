"""A lane, and a tenant with two flags: checkout is given, dark-mode is on for everybody."""

from collections.abc import Iterator

import pytest
from django.core.signals import request_finished, request_started
from django.db import close_old_connections

from apps.flags.counting import counts
from apps.flags.snapshot import holder
from apps.identity.remembered import remembered
from apps.surfaces.kit.throttling import throttle
from apps.tenants.models import Tenant
from tests.factories import make_flag, make_override, make_tenant
from tests.flags.wires import Wire


@pytest.fixture
def wire(db: None) -> Iterator[Wire]:
    throttle().forget()
    remembered.forget()
    signals = (request_started, request_finished)
    # As Django's test client does: the connection holds the test's transaction.
    for signal in signals:
        signal.disconnect(close_old_connections)
    yield Wire()
    for signal in signals:
        signal.connect(close_old_connections)
    counts.take()
    remembered.forget()


@pytest.fixture
def tenant() -> Tenant:
    tenant = make_tenant()
    make_override(make_flag("checkout"), tenant)
    make_flag("dark-mode", default_enabled=True)
    holder.pin_present()
    return tenant
