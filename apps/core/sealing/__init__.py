"""Secrets at rest: AES-256-GCM envelopes, a fresh data key for each value, wrapped by a master key.

keys       settings.MASTER_KEYS read and checked
envelope   seal, open, reseal
registry   which columns hold sealed values
rotation   re-seals them under the current master key (manage.py rotate_master_key)
signatures sign and verify what leaves the house: audit anchors, erasure ledger, purge receipts
"""

from apps.core.sealing.envelope import (
    SealBroken,
    key_id_of,
    open_sealed,
    open_text,
    reseal,
    reseal_text,
    seal,
    seal_text,
)
from apps.core.sealing.keys import MasterKeysWrong, parse_master_keys
from apps.core.sealing.registry import SealedColumn, register_sealed, sealed_columns
from apps.core.sealing.signatures import (
    Signature,
    SignaturePurpose,
    SignatureWrong,
    public_keys,
    sign,
    verify,
)

__all__ = [
    "MasterKeysWrong",
    "SealBroken",
    "SealedColumn",
    "Signature",
    "SignaturePurpose",
    "SignatureWrong",
    "key_id_of",
    "open_sealed",
    "open_text",
    "parse_master_keys",
    "public_keys",
    "register_sealed",
    "reseal",
    "reseal_text",
    "seal",
    "seal_text",
    "sealed_columns",
    "sign",
    "verify",
]
