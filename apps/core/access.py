"""The matrix of staff roles: which role may do what, and to whom. Data; the API and the back office both ask here.

Source: contracts/platform.md, "Roles". Union over the roles that somebody holds; `qa` reaches test tenants
and their users only, and what it can't reach is as if it were not there.
"""

from enum import StrEnum

from apps.core.principal import Principal


class Role(StrEnum):
    SUPER_ADMIN = "super_admin"
    ADMIN = "admin"
    SUPPORT = "support"
    FINANCE = "finance"
    OPS = "ops"
    QA = "qa"


class Reach(StrEnum):
    """Whose rows a permission covers."""

    ALL = "all"
    TEST = "test"  # test tenants and their users


_ALL = {Role.SUPER_ADMIN: Reach.ALL}
_ADMIN = {**_ALL, Role.ADMIN: Reach.ALL, Role.QA: Reach.TEST}

PERMISSIONS: dict[str, dict[Role, Reach]] = {
    "users.read": {**_ADMIN, Role.SUPPORT: Reach.ALL},
    "users.suspend": _ADMIN,
    "users.revoke_sessions": _ADMIN,
    "users.reset_password": _ADMIN,
    "users.update": _ALL,
    "users.block": _ALL,
    "users.erase": _ALL,
    "users.audit_trail": {**_ADMIN, Role.SUPPORT: Reach.ALL},
    "staff.manage": _ALL,
    "identities.manage": _ALL,  # who of ours somebody is at another issuer: it opens what their roles open
    "tenants.read": {**_ADMIN, Role.SUPPORT: Reach.ALL, Role.FINANCE: Reach.ALL, Role.OPS: Reach.ALL},
    "tenants.override": _ADMIN,
    "tenants.create_test": _ADMIN,
    "tenants.lifecycle": _ALL,
    "plans.read": {
        **_ALL,
        Role.ADMIN: Reach.ALL,
        Role.SUPPORT: Reach.ALL,
        Role.FINANCE: Reach.ALL,
        Role.QA: Reach.ALL,
    },
    "plans.write": _ALL,
    "flags.read": {**_ADMIN, Role.SUPPORT: Reach.ALL},
    "flags.override": _ADMIN,  # what a tenant is given against the rules
    "flags.manage": _ALL,
    "audit.read": _ALL,
    "configuration.read": _ALL,
    "configuration.write": _ALL,
    "approvals.read": _ALL,
    "approvals.decide": _ALL,
    "exports.use": {**_ADMIN, Role.SUPPORT: Reach.ALL, Role.FINANCE: Reach.ALL, Role.OPS: Reach.ALL},
    "exports.read_any": _ALL,
    "data.export": _ALL,  # all that is held about one person or tenant, in clear
    "jobs.read": {**_ALL, Role.OPS: Reach.ALL},
    "health.read": {**_ALL, Role.OPS: Reach.ALL},
    "health.manage": _ALL,
}

# Roles that read personal data only masked.
_MASKED = frozenset({Role.SUPPORT})


def reach(principal: Principal, permission: str) -> Reach | None:
    """How far `principal` may use `permission`; None: not at all.

    Raises:
        KeyError: a permission that the matrix does not know (a programming error).
    """
    found = {how for role, how in PERMISSIONS[permission].items() if role in principal.roles}
    if Reach.ALL in found:
        return Reach.ALL
    return Reach.TEST if found else None


def allows(principal: Principal, permission: str) -> bool:
    return reach(principal, permission) is not None


def masked(principal: Principal, permission: str) -> bool:
    """True where personal data under this permission must be masked for the caller.

    Unmasked only by a role that sees clear text everywhere: holding `qa` too does not lift support's mask.
    """
    granting = {role for role in PERMISSIONS[permission] if role in principal.roles}
    clear = {role for role in granting - _MASKED if PERMISSIONS[permission][role] is Reach.ALL}
    return not clear and bool(granting & _MASKED)


def roles_with(permission: str) -> list[Role]:
    """Who has it: what a 403 page names."""
    return list(PERMISSIONS[permission])
