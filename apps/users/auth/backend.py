"""What Django's machinery asks: who is this, and who was that again."""

from typing import Any
from uuid import UUID

from django.contrib.auth.backends import BaseBackend
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest

from apps.core.errors import DomainError
from apps.users.auth.passwords import check_may_sign_in, verify_password
from apps.users.models import User


class StaffBackend(BaseBackend):
    """Active staff, by e-mail and password."""

    def authenticate(
        self,
        request: HttpRequest | None,
        username: str | None = None,
        password: str | None = None,
        **credentials: Any,
    ) -> User | None:
        """The person; None without credentials of this kind.

        Raises:
            PermissionDenied: wrong, too many attempts, or not one of ours; no other backend is asked.
        """
        email = credentials.get("email") or username
        if request is None or not email or password is None:
            return None
        try:
            user = verify_password(request, email=email, password=password)
            check_may_sign_in(user)
        except DomainError as refused:
            raise PermissionDenied(refused.message) from refused
        return user

    def get_user(self, user_id: UUID) -> User | None:
        """The person of a session, asked on each request; None where they were suspended or blocked since.

        Whether the session was revoked is said by its hash (User._get_session_auth_hash). A person without staff
        role is given too: the surfaces answer them 403, not 401.
        """
        user = User.objects.select_related("staff").filter(pk=user_id).first()
        return user if user is not None and user.is_active else None
