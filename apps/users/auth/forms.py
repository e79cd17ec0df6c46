"""Forms of the pages at /accounts/: allauth's, with our throttle and our services behind them."""

from typing import Any

from allauth.account.adapter import get_adapter
from allauth.account.fields import EmailField
from allauth.account.forms import ChangePasswordForm
from allauth.core import context
from allauth.mfa.base.forms import AuthenticateForm, ReauthenticateForm
from allauth.mfa.models import Authenticator
from django import forms
from django.core.exceptions import ValidationError
from django.http import HttpRequest

from apps.core.errors import DomainError
from apps.core.observability.addresses import client_address_of
from apps.core.sealing import SealBroken, open_text, seal_text
from apps.users.auth import devices, throttle
from apps.users.auth.passwords import record_failure, somebody
from apps.users.models import User
from apps.users.services.mfa import PURPOSE, matching_counter, new_secret, use_code
from apps.users.services.passwords import forgotten_password

_ENROLMENT_SECRET = "mfa.enrolment"  # noqa: S105  the name under which it stands in the session, sealed
WRONG_CODE = "This code is wrong, or was used already."


def _code_field() -> forms.CharField:
    attributes = {"autocomplete": "one-time-code", "inputmode": "numeric", "autofocus": True, "maxlength": 16}
    return forms.CharField(label="Code", max_length=16, widget=forms.TextInput(attrs=attributes))


def _begin(user: User, request: HttpRequest) -> throttle.Attempt:
    try:
        return throttle.begin(
            throttle.Proof.CODE,
            account=throttle.account_key(user.public_id),
            address=client_address_of(request),
            known_browser=devices.is_known(request, user),
        )
    except DomainError as refused:
        raise ValidationError(refused.message, code=refused.code) from refused


def _checked_code(user: User, code: str) -> Authenticator:
    """The authenticator whose code this is; an attempt that fails is counted and recorded."""
    request = context.request
    attempt = _begin(user, request)
    found = use_code(user, code)
    if found is None:
        record_failure(request, user, "auth.verify_code", because="code")
        raise ValidationError(WRONG_CODE, code="incorrect_code")
    throttle.succeeded(attempt)
    found.user = user
    return found


class SignInCodeForm(AuthenticateForm):  # type: ignore[misc]  # allauth is untyped
    """The second step of a sign-in: a code of the app, or a recovery code."""

    code = _code_field()

    def clean_code(self) -> str:
        code: str = self.cleaned_data["code"]
        self.authenticator = _checked_code(self.user, code)
        return code


class FreshCodeForm(ReauthenticateForm):  # type: ignore[misc]  # allauth is untyped
    """A fresh proof by code, within a session."""

    code = _code_field()

    def clean_code(self) -> str:
        code: str = self.cleaned_data["code"]
        self.authenticator = _checked_code(self.user, code)
        return code


class EnrolmentForm(forms.Form):
    """Sets up an authenticator app: its secret waits in the session, sealed, until a code proves it."""

    code = _code_field()

    def __init__(self, *args: Any, user: User, **kwargs: Any) -> None:
        self.user = user
        super().__init__(*args, **kwargs)
        self.secret = self._secret()
        self.counter = -1

    def _secret(self) -> str:
        session = context.request.session
        try:
            return open_text(session[_ENROLMENT_SECRET], purpose=PURPOSE)
        except (KeyError, SealBroken):
            secret = new_secret()
            session[_ENROLMENT_SECRET] = seal_text(secret, purpose=PURPOSE)
            return secret

    def clean_code(self) -> str:
        code: str = self.cleaned_data["code"]
        attempt = _begin(self.user, context.request)
        counter = matching_counter(self.secret, code)
        if counter is None:
            raise ValidationError(
                "This code is wrong. Is the clock of the telephone right?", code="incorrect_code"
            )
        throttle.succeeded(attempt)
        self.counter = counter
        return code

    def forget_secret(self) -> None:
        """Once the app is set up."""
        context.request.session.pop(_ENROLMENT_SECRET, None)


class PasswordChangeForm(ChangePasswordForm):  # type: ignore[misc]  # allauth is untyped
    """The present password counts as an attempt, so that a stolen session can't guess it."""

    def clean_oldpassword(self) -> str:
        password: str = self.cleaned_data["oldpassword"]
        if not get_adapter().reauthenticate(self.user, password):
            raise ValidationError("This is not your present password.", code="enter_current_password")
        return password


class ForgottenPasswordForm(forms.Form):
    """Asks for a link; the answer is the same for every address."""

    email = EmailField(required=True)

    def clean_email(self) -> str:
        email: str = self.cleaned_data["email"]
        request = context.request
        try:
            throttle.begin(
                throttle.Proof.RESET,
                account=throttle.account_key(email),
                address=client_address_of(request),
            )
        except DomainError as refused:
            raise ValidationError(refused.message, code=refused.code) from refused
        return email

    def save(self, request: HttpRequest, **_unused: Any) -> str:
        email: str = self.cleaned_data["email"]
        forgotten_password(actor=somebody(request), email=email)
        return email
