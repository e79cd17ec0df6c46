"""What one reader may see of personal data. The only place where the back office masks."""

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from apps.core import access, masking
from apps.core.principal import Principal


@dataclass(frozen=True, slots=True)
class Seen:
    """The eyes of a reader under one permission; each cell and block is given it and shows personal data by it.

    Attributes:
        names: of people whom a page is about; in free text only who knows them can mask them.
    """

    principal: Principal
    permission: str
    names: tuple[str, ...] = ()
    _staff: dict[str, str] = field(default_factory=dict, compare=False, repr=False)

    def staff(self, load: Callable[[], Mapping[str, str]]) -> Mapping[str, str]:
        """The names of our own people by their public ids, read once for a page."""
        if not self._staff:
            self._staff.update(load())
        return self._staff

    @property
    def masked(self) -> bool:
        return access.masked(self.principal, self.permission)

    def may(self, permission: str) -> bool:
        return access.allows(self.principal, permission)

    def under(self, permission: str) -> "Seen":
        """The same reader under another permission: a tab of another domain."""
        return replace(self, permission=permission)

    def knowing(self, names: Iterable[str]) -> "Seen":
        """The same reader of a page about these people."""
        return replace(self, names=tuple(name for name in names if name))

    def email(self, value: str) -> str:
        return masking.mask_email(value) if self.masked else value

    def name(self, value: str) -> str:
        return masking.mask_name(value) if self.masked else value

    def address(self, value: str) -> str:
        return masking.mask_ip(value) if self.masked else value

    def text(self, value: str) -> str:
        """Free text: addresses, and the names that are known here, are masked; the rest stays."""
        return self._without_names(masking.mask_text(value)) if self.masked else value

    def json(self, value: Any) -> Any:
        """A JSON value: by key, and inside its texts."""
        return self._in_texts(masking.mask_json(value)) if self.masked else value

    def _in_texts(self, value: Any) -> Any:
        if isinstance(value, str):
            return self._without_names(value)
        if isinstance(value, list):
            return [self._in_texts(each) for each in value]
        if isinstance(value, dict):
            return {key: self._in_texts(each) for key, each in value.items()}
        return value

    def _without_names(self, text: str) -> str:
        words = {word for name in self.names for word in name.split() if len(word) > 1}
        for word in sorted(words, key=len, reverse=True):
            pattern = rf"(?<!\w){re.escape(word)}(?!\w)"
            text = re.sub(pattern, masking.mask_name(word), text, flags=re.IGNORECASE)
        return text
