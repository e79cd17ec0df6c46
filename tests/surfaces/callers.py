"""Everybody who may come to a door: each staff role by session and by token, and those who must not pass."""

from dataclasses import dataclass
from functools import cached_property

from django.test import Client

from apps.core.access import Role
from apps.core.principal import system
from apps.identity.services.tokens import issue_token
from apps.users.models import User
from tests.factories import make_staff
from tests.surfaces.places import Place
from tests.users.support import sign_in


@dataclass(frozen=True)
class Caller:
    """One principal at a door.

    Attributes:
        roles: the staff roles that count.
        is_known: somebody is signed in.
    """

    name: str
    roles: frozenset[str]
    is_known: bool
    user: User | None
    by: str

    @cached_property
    def client(self) -> Client:
        if self.user is None:
            return Client(raise_request_exception=False)
        return by_session(self.user) if self.by == "session" else by_token(self.user)


def by_session(user: User) -> Client:
    """A browser in which the person has signed in with password and code."""
    client = Client(raise_request_exception=False)
    sign_in(client, user)
    return client


def by_token(user: User) -> Client:
    token = issue_token(actor=system("tests"), subject=user)
    return Client(headers={"Authorization": f"Bearer {token.text}"}, raise_request_exception=False)


def make_callers(place: Place) -> list[Caller]:
    """Nobody, a tenant's owner, inactive staff, and each role; everybody who can by session and by token."""
    people: list[tuple[str, frozenset[str], User]] = [
        ("owner", frozenset(), place.owner),
        ("inactive", frozenset(), make_staff("super_admin", is_active=False)),
        *((role.value, frozenset({role.value}), make_staff(role.value)) for role in Role),
    ]
    return [
        Caller("anonymous", frozenset(), is_known=False, user=None, by=""),
        *(
            Caller(f"{name} by {by}", roles, is_known=True, user=user, by=by)
            for name, roles, user in people
            for by in ("session", "token")
        ),
    ]
