"""Django's SMTP backend, configured by one address: settings.EMAIL_URL (apps.core.outbound.smtp)."""

from typing import Any

from django.conf import settings
from django.core.mail.backends.smtp import EmailBackend

from apps.core.outbound.smtp import smtp_options


class Backend(EmailBackend):
    """What settings.EMAIL_BACKEND names."""

    def __init__(self, *, fail_silently: bool = False, **_unused: Any) -> None:
        super().__init__(fail_silently=fail_silently, **smtp_options(settings.EMAIL_URL))
