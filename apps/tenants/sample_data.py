"""What a test tenant is filled with: a registry of those who know how to make samples of their own things.

`apps.tenants.services.test_tenants.create_test_tenant` calls every seeder inside its write, in order, so that the
tenant, its owner and everything else exist at once or not at all. A seeder works on the tenant it is given, makes
its rows directly or by its services (their writes join), sends no mail and needs no network. The first ones:

    10  tenants.workspaces   two workspaces
    20  users.people         the owner (tenant.owner_email) and sample members; registered by apps.users

    # apps/users/apps.py
    sample_data.register("users.people", samples.make_people, order=20)
"""

from collections.abc import Callable

from apps.core.principal import Principal
from apps.tenants.models import Tenant

Seeder = Callable[[Tenant, Principal], None]

_seeders: dict[str, tuple[int, Seeder]] = {}


def register(name: str, seeder: Seeder, *, order: int = 100) -> None:
    """Adds a seeder; a lower order runs first.

    Raises:
        ValueError: the name is taken by another seeder.
    """
    known = _seeders.get(name)
    if known is not None and known[1] is not seeder:
        raise ValueError(f"the samples {name!r} are registered already")
    _seeders[name] = (order, seeder)


def fill(tenant: Tenant, actor: Principal) -> list[str]:
    """Runs every seeder; their names in the order in which they ran."""
    ordered = sorted(_seeders.items(), key=lambda item: (item[1][0], item[0]))
    for _, (_, seeder) in ordered:
        seeder(tenant, actor)
    return [name for name, _ in ordered]
