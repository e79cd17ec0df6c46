"""allauth's hooks: e-mail and password under our throttle, no sign-up, staff alone, secrets sealed, all recorded."""

from datetime import UTC, datetime, timedelta
from typing import Any

from allauth.account.adapter import DefaultAccountAdapter
from allauth.account.authentication import get_authentication_records
from allauth.account.internal.stagekit import clear_login
from allauth.core import context
from allauth.core.exceptions import ImmediateHttpResponse
from allauth.mfa.adapter import DefaultMFAAdapter
from allauth.mfa.models import Authenticator
from django.contrib import messages
from django.contrib.auth.base_user import AbstractBaseUser
from django.core.exceptions import ValidationError
from django.forms import BaseForm
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse

from apps.core.clock import now
from apps.core.errors import DomainError
from apps.core.observability.addresses import client_address_of
from apps.core.principal import Principal
from apps.core.sealing import open_text, seal_text
from apps.core.write import write
from apps.users.auth import devices, mfa
from apps.users.auth.passwords import check_may_sign_in, verify_password
from apps.users.errors import SignInNotAllowed, SignInRefused
from apps.users.models import User, revoked
from apps.users.services.mfa import PURPOSE, mfa_required

# A proof this fresh is not asked for again before something sensitive.
_FRESH = timedelta(minutes=5)


def acting(request: HttpRequest, user: User) -> Principal:
    """The person as the actor of what they do to their own account."""
    return user.principal(via="accounts", address=client_address_of(request))


class AccountAdapter(DefaultAccountAdapter):  # type: ignore[misc]  # allauth is untyped
    """What settings.ACCOUNT_ADAPTER names."""

    def is_open_for_signup(self, request: HttpRequest) -> bool:
        """People are made by operators."""
        del request
        return False

    def get_client_ip(self, request: HttpRequest) -> str:
        """The rightmost hop that is not a trusted proxy; 0.0.0.0 over a local socket."""
        return client_address_of(request) or "0.0.0.0"  # noqa: S104  no address is bound here

    def authenticate(self, request: HttpRequest, **credentials: Any) -> AbstractBaseUser | None:
        """The person behind the credentials of the sign-in form.

        Raises:
            ValidationError: refused, with the sentence that the form shows.
        """
        try:
            user = verify_password(
                request,
                email=str(credentials.get("email", "")),
                password=str(credentials.get("password", "")),
            )
            check_may_sign_in(user)
        except DomainError as refused:
            raise ValidationError(refused.message, code=refused.code) from refused
        return user

    def reauthenticate(self, user: AbstractBaseUser, password: str) -> bool:
        """True for the person's own password.

        Raises:
            ValidationError: too many attempts, with the sentence that says until when.
        """
        if not isinstance(user, User):
            return False
        try:
            verify_password(context.request, email=user.email, password=password)
        except SignInRefused:
            return False
        except DomainError as refused:
            raise ValidationError(refused.message, code=refused.code) from refused
        return True

    def is_reauthentication_required(self, *, app: str, **kwargs: Any) -> bool:
        """Before something sensitive, a proof of the last five minutes: the sign-in counts too."""
        del app, kwargs
        proved = mfa.auth_time(context.request)
        return proved is None or now() - proved > _FRESH

    def login(self, request: HttpRequest, user: AbstractBaseUser) -> None:
        """Opens the session, with its row in the trail. Whoever was suspended, or whose sessions were ended, between
        password and code does not come in.

        Raises:
            ImmediateHttpResponse: back to the sign-in page, with a sentence.
        """
        person = User.objects.select_related("staff").get(pk=user.pk)
        try:
            check_may_sign_in(person)
            _check_still_counts(request, person)
        except SignInNotAllowed as refused:
            raise ImmediateHttpResponse(_back_to_sign_in(request, refused.message)) from refused
        used = mfa.named_methods(request, person)
        actor = acting(request, person)
        with write("auth.sign_in", actor=actor, target=person.audit_target(), metadata={"methods": used}):
            super().login(request, person)

    def post_login(self, request: HttpRequest, user: AbstractBaseUser, **kwargs: Any) -> HttpResponse:
        response: HttpResponse = super().post_login(request, user, **kwargs)
        if isinstance(request.user, User):
            devices.remember(response, request.user)
        return response

    def logout(self, request: HttpRequest) -> None:
        """Ends the session, with its row in the trail."""
        if not isinstance(request.user, User):
            super().logout(request)
            return
        actor = acting(request, request.user)
        with write("auth.sign_out", actor=actor, target=request.user.audit_target()):
            super().logout(request)

    def respond_user_inactive(self, request: HttpRequest, user: AbstractBaseUser) -> HttpResponse:
        del user
        return _back_to_sign_in(request, "This account can't sign in. Ask an operator.")

    def send_mail(self, template_prefix: str, email: str, context: dict[str, Any]) -> None:
        """allauth sends nothing by itself: our services queue what is to be sent, in the write that causes it."""
        del template_prefix, email, context

    def add_message(self, *args: Any, **kwargs: Any) -> None:
        """Pages say what happened in our words."""
        del args, kwargs

    def ajax_response(
        self,
        request: HttpRequest,
        response: HttpResponse,
        redirect_to: str | None = None,
        form: BaseForm | None = None,
        data: Any = None,
    ) -> HttpResponse:
        """These are pages for people; nothing of a form is told to scripts."""
        del request, form, data
        return HttpResponseRedirect(redirect_to) if redirect_to else response

    def is_ajax(self, request: HttpRequest) -> bool:
        del request
        return False


def _check_still_counts(request: HttpRequest, user: User) -> None:
    """Raises SignInNotAllowed where the password was proved before the person's sessions were ended."""
    records = get_authentication_records(request, user)
    if not records or revoked(user, datetime.fromtimestamp(records[0]["at"], UTC)):
        raise SignInNotAllowed("Sign in again.")


def _back_to_sign_in(request: HttpRequest, sentence: str) -> HttpResponse:
    clear_login(request)
    messages.error(request, sentence)
    return HttpResponseRedirect(reverse("account_login"))


class MFAAdapter(DefaultMFAAdapter):  # type: ignore[misc]  # allauth is untyped
    """What settings.MFA_ADAPTER names."""

    def encrypt(self, text: str) -> str:
        """TOTP secrets and the seeds of recovery codes, sealed."""
        return seal_text(text, purpose=PURPOSE)

    def decrypt(self, encrypted_text: str) -> str:
        return open_text(encrypted_text, purpose=PURPOSE)

    def can_delete_authenticator(self, authenticator: Authenticator) -> bool:
        user = User.objects.select_related("staff").get(pk=authenticator.user_id)
        return not mfa_required(user)
