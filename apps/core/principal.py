"""Who acts. Every service takes one; every audit row names one."""

from dataclasses import asdict, dataclass, replace
from enum import StrEnum
from typing import Any
from uuid import UUID


class PrincipalKind(StrEnum):
    STAFF = "staff"  # a person of ours, by session or token
    USER = "user"  # a tenant's own person
    SERVICE = "service"  # a machine with a token
    KEY = "key"  # a machine with an automation or tenant key
    SYSTEM = "system"  # Steward itself: schedules, commands


@dataclass(frozen=True, slots=True)
class Principal:
    """An authenticated caller.

    Attributes:
        id: stable and not personal: a public user id, a key's name, `issuer|subject`, a command's name.
        label: how people know the caller, usually an e-mail; personal data, never logged.
        user_id: the person's row, where the caller is a person.
        roles: staff roles (apps.core.access.Role values).
        scopes: scopes and roles of a token.
        address: client address, or None inside.
        via: surface or place: `platform`, `backoffice`, `job`, `command`, ….
        session: what a fresh proof is bound to: session key, or the token's `sid`/`jti`.
    """

    kind: PrincipalKind
    id: str
    label: str = ""
    user_id: UUID | None = None
    tenant_id: UUID | None = None
    workspace_id: UUID | None = None
    roles: frozenset[str] = frozenset()
    scopes: frozenset[str] = frozenset()
    address: str | None = None
    via: str = ""
    session: str | None = None

    def at(self, *, via: str, address: str | None) -> "Principal":
        """The same caller, seen at this door from this address."""
        return replace(self, via=via, address=address)

    def to_json(self) -> dict[str, Any]:
        """What a job keeps of the person who caused it. Roles do not travel: a job has the system's rights."""
        whole = asdict(self)
        for name in ("roles", "scopes", "session", "workspace_id"):
            whole.pop(name)
        return {key: str(value) if isinstance(value, UUID) else value for key, value in whole.items()}

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> "Principal":
        known = {"kind", "id", "label", "address", "via"}
        return cls(
            **{key: value for key, value in data.items() if key in known - {"kind"}},
            kind=PrincipalKind(data["kind"]),
            user_id=UUID(data["user_id"]) if data.get("user_id") else None,
            tenant_id=UUID(data["tenant_id"]) if data.get("tenant_id") else None,
        )


def system(name: str) -> Principal:
    """Steward acting by itself: `system("jobs.sweeper")`."""
    return Principal(kind=PrincipalKind.SYSTEM, id=name, label=name, via="system")
