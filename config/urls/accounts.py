"""The pages at which staff sign in and keep their account: allauth's names, and only those pages that we serve."""

from allauth.account import views as account
from allauth.mfa.base import views as factors
from allauth.mfa.recovery_codes import views as codes
from django.urls import path, re_path
from django.views.generic import RedirectView

from apps.users.auth import views
from apps.users.auth.pages import page

urlpatterns = [
    path("", RedirectView.as_view(pattern_name="mfa_index"), name="account_home"),
    path("login/", page(account.login), name="account_login"),
    path("logout/", page(account.logout), name="account_logout"),
    path("reauthenticate/", page(account.reauthenticate), name="account_reauthenticate"),
    path("password/change/", page(views.ChangePassword.as_view()), name="account_change_password"),
    path("password/reset/", page(account.password_reset), name="account_reset_password"),
    path("password/reset/done/", page(account.password_reset_done), name="account_reset_password_done"),
    path(
        "password/reset/key/done/",
        page(account.password_reset_from_key_done),
        name="account_reset_password_from_key_done",
    ),
    re_path(
        r"^password/reset/key/(?P<uidb36>[0-9A-Za-z]+)-(?P<key>[0-9A-Za-z-]{1,100})/$",
        page(views.SetPasswordByLink.as_view()),
        name="account_reset_password_from_key",
    ),
    path("2fa/", page(factors.index), name="mfa_index"),
    path("2fa/authenticate/", page(factors.authenticate), name="mfa_authenticate"),
    path("2fa/reauthenticate/", page(factors.reauthenticate), name="mfa_reauthenticate"),
    path("2fa/totp/activate/", page(views.Enrol.as_view()), name="mfa_activate_totp"),
    path("2fa/totp/deactivate/", page(views.Remove.as_view()), name="mfa_deactivate_totp"),
    path("2fa/recovery-codes/", page(codes.view_recovery_codes), name="mfa_view_recovery_codes"),
    path(
        "2fa/recovery-codes/generate/",
        page(views.RenewRecoveryCodes.as_view()),
        name="mfa_generate_recovery_codes",
    ),
    path("sessions/", page(views.Sessions.as_view()), name="usersessions_list"),
]
