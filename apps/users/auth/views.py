"""The pages at /accounts/ whose effect is a service of ours; the others are allauth's as they are."""

from typing import Any
from urllib.parse import urlencode

from allauth.account.internal.flows.login import record_authentication
from allauth.account.views import PasswordChangeView, PasswordResetFromKeyView
from allauth.mfa.models import Authenticator
from allauth.mfa.recovery_codes.views import GenerateRecoveryCodesView
from allauth.mfa.totp.views import ActivateTOTPView, DeactivateTOTPView
from allauth.usersessions.views import ListUserSessionsView
from django import forms
from django.conf import settings
from django.contrib import messages
from django.contrib.auth import update_session_auth_hash
from django.http import HttpRequest, HttpResponse, HttpResponseBase, HttpResponseRedirect
from django.urls import reverse, reverse_lazy

from apps.core.errors import DomainError
from apps.core.write import write
from apps.users.auth import mfa
from apps.users.auth.adapters import acting
from apps.users.auth.agents import called
from apps.users.auth.forms import EnrolmentForm
from apps.users.errors import LinkUsed
from apps.users.models import User
from apps.users.services.mfa import enrol_totp, remove_totp, renew_recovery_codes
from apps.users.services.passwords import set_password, set_password_by_link
from apps.users.services.sessions import end_other_sessions, end_own_session


def person(request: HttpRequest) -> User:
    """The signed-in person; every view here stands behind a sign-in."""
    if not isinstance(request.user, User):
        raise TypeError("this page needs a session")
    return request.user


class Enrol(ActivateTOTPView):  # type: ignore[misc]  # allauth is untyped
    """Sets up an authenticator app; its recovery codes are shown next."""

    form_class = EnrolmentForm

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        """Whoever has an app, but has not shown its code in this session, is asked for it."""
        own = Authenticator.objects.filter(user_id=request.user.pk, type=Authenticator.Type.TOTP)
        if mfa.must_enrol(request) and own.exists():
            query = urlencode({"next": settings.LOGIN_REDIRECT_URL})
            return HttpResponseRedirect(f"{reverse('mfa_reauthenticate')}?{query}")
        response: HttpResponseBase = super().dispatch(request, *args, **kwargs)
        return response

    def get_form_class(self) -> type[forms.Form]:
        return EnrolmentForm

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        values: dict[str, Any] = super().get_context_data(**kwargs)
        values["required"] = mfa.must_enrol(self.request)
        secret = values["form"].secret
        values["secret_groups"] = [secret[i : i + 4] for i in range(0, len(secret), 4)]
        return values

    def form_valid(self, form: EnrolmentForm) -> HttpResponse:
        user = person(self.request)
        enrol_totp(
            actor=acting(self.request, user),
            user=user,
            secret=form.secret,
            counter=form.counter,
            keep=self.request.session.session_key,
        )
        form.forget_secret()
        # The code that proved the app is a second factor of this session.
        record_authentication(self.request, user, "mfa", type="totp")
        return HttpResponseRedirect(reverse("mfa_view_recovery_codes"))


class Remove(DeactivateTOTPView):  # type: ignore[misc]  # allauth is untyped
    """Takes the authenticator app away, where the role needs none."""

    def form_valid(self, form: forms.Form) -> HttpResponse:
        user = person(self.request)
        try:
            remove_totp(actor=acting(self.request, user), user=user)
        except DomainError as refused:
            form.add_error(None, refused.message)
            return self.form_invalid(form)  # type: ignore[no-any-return]  # allauth is untyped
        messages.success(self.request, "Your authenticator app was removed.")
        return HttpResponseRedirect(reverse("mfa_index"))


class RenewRecoveryCodes(GenerateRecoveryCodesView):  # type: ignore[misc]  # allauth is untyped
    """Ten new codes for the ones that were used or lost."""

    def form_valid(self, form: forms.Form) -> HttpResponse:
        del form
        user = person(self.request)
        renew_recovery_codes(actor=acting(self.request, user), user=user)
        return HttpResponseRedirect(reverse("mfa_view_recovery_codes"))


class ChangePassword(PasswordChangeView):  # type: ignore[misc]  # allauth is untyped
    """A new password: every session but this one ends."""

    def form_valid(self, form: forms.Form) -> HttpResponse:
        user = person(self.request)
        with write("auth.change_password", actor=acting(self.request, user), target=user.audit_target()) as w:
            set_password(w, user, form.cleaned_data["password1"])
        # Keeps this session, under a new key; the stamp has voided all others.
        update_session_auth_hash(self.request, user)
        messages.success(self.request, "Your password was changed. Your other sessions were ended.")
        return HttpResponseRedirect(reverse("mfa_index"))


class SetPasswordByLink(PasswordResetFromKeyView):  # type: ignore[misc]  # allauth is untyped
    """What the link of a mail opens: a new password, and with it the end of every session and of the link."""

    def form_valid(self, form: forms.Form) -> HttpResponse:
        user: User = self.reset_user
        try:
            set_password_by_link(
                actor=acting(self.request, user),
                user_id=user.pk,
                token=self.key,
                password=form.cleaned_data["password1"],
            )
        except LinkUsed:
            page: HttpResponse = self.render_to_response(self.get_context_data(token_fail=True))
            return page
        return HttpResponseRedirect(str(self.success_url))


class Sessions(ListUserSessionsView):  # type: ignore[misc]  # allauth is untyped
    """One's own sessions: `end` names one, without it all others end."""

    success_url = reverse_lazy("usersessions_list")

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        found: dict[str, Any] = super().get_context_data(**kwargs)
        for session in found["sessions"]:
            session.browser = called(session.user_agent)
        return found

    def form_valid(self, form: forms.Form) -> HttpResponse:
        del form
        user = person(self.request)
        actor = acting(self.request, user)
        wanted = self.request.POST.get("end", "")
        try:
            if wanted:
                end_own_session(actor=actor, user=user, session_id=int(wanted) if wanted.isdecimal() else 0)
                messages.success(self.request, "The session was ended.")
            else:
                ended = end_other_sessions(actor=actor, user=user, keep=self.request.session.session_key)
                messages.success(self.request, f"{ended} other session{'' if ended == 1 else 's'} ended.")
        except DomainError as refused:
            messages.error(self.request, refused.message)
        return HttpResponseRedirect(str(self.success_url))
