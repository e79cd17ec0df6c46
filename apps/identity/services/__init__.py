"""Writes of the identity app.

keys     signing keys: created, rotated with overlap, withdrawn, pruned
tokens   tokens: issued, revoked
people   people of other issuers
nile     sessions of Nile: seen, pruned
minting  tokens by hand (manage.py mint_token)
"""

from apps.identity.services.keys import (
    ensure_signing_key,
    prune,
    rotate_due_key,
    rotate_signing_key,
    withdraw_signing_keys,
)
from apps.identity.services.nile import prune_nile_sessions, see_session
from apps.identity.services.people import link_identity, unlink_identity
from apps.identity.services.tokens import IssuedToken, issue_token, revoke_token

__all__ = [
    "IssuedToken",
    "ensure_signing_key",
    "issue_token",
    "link_identity",
    "prune",
    "prune_nile_sessions",
    "revoke_token",
    "rotate_due_key",
    "rotate_signing_key",
    "see_session",
    "unlink_identity",
    "withdraw_signing_keys",
]
