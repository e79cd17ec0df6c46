"""How a tenant's personal data look to who reads them: the one place, for surfaces and back office.

Personal are the owner's e-mail and free text; a company's name is not. Source: contracts/platform.md, "Roles".
"""

from apps.core.access import masked
from apps.core.masking import mask_email, mask_text
from apps.core.principal import Principal

READ = "tenants.read"


def owner_email(email: str, reader: Principal) -> str:
    """The owner's address, masked where the reader's roles see none in clear."""
    return mask_email(email) if masked(reader, READ) else email


def text(words: str, reader: Principal) -> str:
    """Free text of operators (reasons): addresses in it are masked likewise."""
    return mask_text(words) if masked(reader, READ) else words
