"""What one reader may see of personal data. The only place where the back office masks."""

from dataclasses import dataclass
from typing import Any

from apps.core import access, masking
from apps.core.principal import Principal


@dataclass(frozen=True, slots=True)
class Seen:
    """The eyes of a reader under one permission; each cell and block is given it and shows personal data by it."""

    principal: Principal
    permission: str

    @property
    def masked(self) -> bool:
        return access.masked(self.principal, self.permission)

    def may(self, permission: str) -> bool:
        return access.allows(self.principal, permission)

    def under(self, permission: str) -> "Seen":
        """The same reader under another permission: a tab of another domain."""
        return Seen(self.principal, permission)

    def email(self, value: str) -> str:
        return masking.mask_email(value) if self.masked else value

    def name(self, value: str) -> str:
        return masking.mask_name(value) if self.masked else value

    def address(self, value: str) -> str:
        return masking.mask_ip(value) if self.masked else value

    def text(self, value: str) -> str:
        """Free text: addresses in it are masked, the rest stays."""
        return masking.mask_text(value) if self.masked else value

    def json(self, value: Any) -> Any:
        return masking.mask_json(value) if self.masked else value
