"""Staff: taken on, given roles, let go; people made and changed."""

import pytest

from apps.core.access import Role
from apps.users import services
from apps.users.errors import EmailInvalid, EmailTaken, LastSuperAdmin, NotStaff, UserNotFound
from apps.users.models import StaffMember, User
from apps.users.services.profile import NothingToChange
from apps.users.services.staff import StaffRolesInvalid
from tests.factories import actor, make_staff, make_user, staff_principal
from tests.users.support import detail, mails, open_session, trail

pytestmark = pytest.mark.django_db


def test_a_new_person_has_a_lower_case_address_and_no_password() -> None:
    user = services.create_user(actor=actor(), email=" Ada@People.Example ", name=" Ada ")
    assert (user.email, user.name) == ("ada@people.example", "Ada")
    assert not user.has_usable_password()
    entry = trail("user.create")
    assert (entry.resource_id, entry.person_id) == (user.public_id, user.pk)


def test_an_address_is_given_once() -> None:
    make_user(email="ada@people.example")
    with pytest.raises(EmailTaken):
        services.create_user(actor=actor(), email="ADA@people.example")


@pytest.mark.parametrize("email", ["", "ada", "ada@", "a b@c.example", "x" * 250 + "@c.example"])
def test_what_is_no_address_is_refused(email: str) -> None:
    with pytest.raises(EmailInvalid):
        services.create_user(actor=actor(), email=email)


def test_new_staff_are_invited_by_mail_and_never_told_a_password() -> None:
    user = services.create_staff(actor=actor(), email="olga@steward.example", roles=["support", "ops", "ops"])
    assert user.staff_roles == {"support", "ops"}
    (mail,) = mails()
    assert mail["to"] == "olga@steward.example"
    assert "/accounts/password/reset/key/" in mail["text"]
    assert detail(trail("staff.create"))["after"]["staff_roles"] == ["support", "ops"]


@pytest.mark.parametrize("roles", [[], ["king"], ["support", "root"]])
def test_staff_have_known_roles(roles: list[str]) -> None:
    with pytest.raises(StaffRolesInvalid):
        services.create_staff(actor=actor(), email="olga@steward.example", roles=roles)
    assert not User.objects.filter(email="olga@steward.example").exists()


def test_other_roles_end_the_sessions_and_the_same_ones_do_not() -> None:
    user = make_staff("support")
    open_session(user)
    services.set_staff_roles(actor=actor(), user_id=user.pk, roles=["support"])
    assert User.objects.get(pk=user.pk).tokens_valid_after is None
    changed = services.set_staff_roles(actor=actor(), user_id=user.pk, roles=["ops", "support"])
    assert changed.staff_roles == {"ops", "support"}
    assert changed.tokens_valid_after is not None


def test_somebody_becomes_staff_and_leaves_again() -> None:
    user = make_user()
    assert services.set_staff_roles(actor=actor(), user_id=user.pk, roles=["qa"]).is_staff
    assert not services.deactivate_staff(actor=actor(), user_id=user.pk, reason="moved on").is_staff
    assert StaffMember.objects.get(user=user).roles == ["qa"]  # kept for the record
    with pytest.raises(NotStaff):
        services.deactivate_staff(actor=actor(), user_id=user.pk)
    back = services.set_staff_roles(actor=actor(), user_id=user.pk, roles=["ops"])
    assert back.staff_roles == {"ops"}


def test_the_last_super_admin_stays() -> None:
    last = make_staff("super_admin", "ops")
    with pytest.raises(LastSuperAdmin):
        services.set_staff_roles(actor=actor(), user_id=last.pk, roles=["ops"])
    with pytest.raises(LastSuperAdmin):
        services.deactivate_staff(actor=actor(), user_id=last.pk)
    assert services.set_staff_roles(actor=actor(), user_id=last.pk, roles=["super_admin"]).is_staff


@pytest.mark.parametrize("role", [role.value for role in Role if role is not Role.SUPER_ADMIN])
def test_staff_are_a_super_admins_business(role: str) -> None:
    user = make_user()
    with pytest.raises(UserNotFound):
        services.set_staff_roles(actor=staff_principal(role), user_id=user.pk, roles=["ops"])


def test_a_patch_without_a_change_is_refused() -> None:
    with pytest.raises(NothingToChange):
        services.update_user(actor=actor(), user_id=make_user().pk, changes=services.UserChanges())
