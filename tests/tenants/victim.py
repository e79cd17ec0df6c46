"""`python -m tests.tenants.victim <purge id>`: runs a purge and dies in the middle of its second store."""

import os
import signal
import sys
from uuid import UUID

import django

django.setup()

# ruff: noqa: E402  models can only be imported once Django is set up
from apps.core.aspects import Aspect, Subject, register
from apps.core.principal import Principal, system
from apps.tenants.models import Workspace
from apps.tenants.services import run_purge


def die(tenant_id: UUID, actor: Principal) -> int:
    """Removes something, and is killed before the transaction can end."""
    Workspace.objects.filter(tenant_id=tenant_id).delete()
    os.kill(os.getpid(), signal.SIGKILL)
    return 0


if __name__ == "__main__":
    register(Aspect(name="victim_first", subject=Subject.TENANT, remove=lambda _tenant, _actor: 5, order=1))
    register(Aspect(name="victim_second", subject=Subject.TENANT, remove=die, order=2))
    run_purge(actor=system("victim"), purge_id=UUID(sys.argv[1]))
