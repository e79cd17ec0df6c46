"""No test sees keys or tokens that another remembered."""

from collections.abc import Iterator

import pytest

from apps.identity import trust
from apps.identity.trust import embedded_keys
from apps.identity.verification import forget_tokens


@pytest.fixture(autouse=True)
def _forgetful(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(trust, "_trust", trust._Trust())
    embedded_keys.forget()
    forget_tokens()
    yield
    embedded_keys.forget()
    forget_tokens()
