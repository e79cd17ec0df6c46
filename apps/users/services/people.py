"""People: made and changed."""

from django.contrib.auth.hashers import make_password
from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.db import IntegrityError, transaction

from apps.core.principal import Principal
from apps.core.write import Target, Write, write
from apps.users.errors import EmailInvalid, EmailTaken, NameInvalid
from apps.users.models import User, UserManager

# RFC 5321 section 4.5.3.1.3: a path has 256 characters, brackets included.
_LONGEST_EMAIL = 254
_LONGEST_NAME = 200


def checked_name(name: str) -> str:
    """The name without outer spaces.

    Raises:
        NameInvalid: too long, or with a NUL, which PostgreSQL can't store.
    """
    name = name.strip()
    if len(name) > _LONGEST_NAME or "\0" in name:
        raise NameInvalid(details={"name": [NameInvalid.message]})
    return name


def checked_email(email: str) -> str:
    """The address in lower case, as it is kept.

    Raises:
        EmailInvalid: no address, or too long a one.
    """
    address = UserManager.normalize_email(email)
    try:
        validate_email(address)
    except ValidationError:
        raise EmailInvalid(details={"email": [EmailInvalid.message]}) from None
    if len(address) > _LONGEST_EMAIL:
        raise EmailInvalid(details={"email": [f"At most {_LONGEST_EMAIL} characters."]})
    return address


def new_user_target() -> Target:
    """The target of a write that makes a person, until they are there."""
    return Target(type="user", id="")


def create_user(
    *, actor: Principal, email: str, name: str = "", password: str | None = None, reason: str = ""
) -> User:
    """Makes a person without tenant and without staff role. Without a password they can't sign in until a reset.

    Raises:
        EmailInvalid: not an e-mail address.
        EmailTaken: somebody has it.
    """
    with write("user.create", actor=actor, target=new_user_target(), reason=reason) as w:
        return new_user(w, email=email, name=name, password=password)


def new_user(w: Write, *, email: str, name: str, password: str | None) -> User:
    """Inside a write: the new person, who becomes its target.

    Raises:
        EmailInvalid, EmailTaken
    """
    address = checked_email(email)
    try:
        with transaction.atomic():
            user = User.objects.create(
                email=address, name=checked_name(name), password=make_password(password)
            )
    except IntegrityError:
        raise EmailTaken from None
    user.refresh_from_db()
    w.on(user.audit_target())
    w.changed(after={"email": user.email, "name": user.name})
    return user
