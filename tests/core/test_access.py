"""apps.core.access: the matrix of contracts/platform.md, union over roles, and the mask."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from apps.core.access import PERMISSIONS, Reach, Role, allows, masked, reach, roles_with
from apps.core.principal import Principal, PrincipalKind

ROLES = st.frozensets(st.sampled_from(list(Role)))
PERMISSION = st.sampled_from(sorted(PERMISSIONS))


def _staff(*roles: str) -> Principal:
    return Principal(kind=PrincipalKind.STAFF, id="usr_1", roles=frozenset(roles))


@given(roles=ROLES, permission=PERMISSION)
def test_reach_is_the_widest_of_the_roles(roles: frozenset[Role], permission: str) -> None:
    single = {reach(_staff(role), permission) for role in roles}
    expected = Reach.ALL if Reach.ALL in single else Reach.TEST if Reach.TEST in single else None
    assert reach(_staff(*roles), permission) is expected
    assert allows(_staff(*roles), permission) is (expected is not None)


@given(permission=PERMISSION)
def test_super_admin_may_everything_unmasked_and_nobody_else_is_assumed(permission: str) -> None:
    assert reach(_staff(Role.SUPER_ADMIN), permission) is Reach.ALL
    assert not masked(_staff(Role.SUPER_ADMIN, Role.SUPPORT), permission)
    assert reach(_staff(), permission) is None
    assert reach(_staff("owner", "SUPER_ADMIN"), permission) is None
    assert Role.SUPER_ADMIN in roles_with(permission)


@pytest.mark.parametrize(
    ("roles", "hidden"),
    [
        ([Role.SUPPORT], True),
        ([Role.SUPPORT, Role.QA], True),
        ([Role.SUPPORT, Role.ADMIN], False),
        ([Role.ADMIN], False),
        ([Role.QA], False),
        ([], False),
    ],
)
def test_support_reads_users_masked_unless_another_role_reads_them_clearly(
    roles: list[Role], hidden: bool
) -> None:
    assert masked(_staff(*roles), "users.read") is hidden


def test_a_permission_that_nobody_declared_is_a_programming_error() -> None:
    with pytest.raises(KeyError):
        reach(_staff(Role.SUPER_ADMIN), "users.reed")


def test_a_principal_survives_its_job_without_its_roles() -> None:
    actor = Principal(
        kind=PrincipalKind.STAFF,
        id="usr_1",
        label="a@b.c",
        roles=frozenset({"admin"}),
        address="203.0.113.7",
        session="s",
    )
    back = Principal.from_json(actor.to_json())
    assert (back.kind, back.id, back.label, back.address) == (actor.kind, "usr_1", "a@b.c", "203.0.113.7")
    assert back.roles == frozenset()
    assert back.session is None
