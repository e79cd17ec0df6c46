"""The receipt of a purge: what was removed, signed, so that the former customer can check it without trusting us.

A JSON file in the object store: `receipt` (what is said), `signature` (Ed25519 over the canonical JSON of `receipt`:
sorted keys, no spaces, UTF-8) and `public_key`. Whoever must not take the key from the file itself keeps the one
that `manage.py signing_keys` prints. It holds ids and counts, no personal data.
"""

import base64
import json
from typing import Any
from uuid import UUID

from apps.audit.models import AuditEntry
from apps.core.clock import iso
from apps.core.errors import NotFound
from apps.core.ids import TENANT, public
from apps.core.objectstore import ObjectNotFound, store
from apps.core.principal import Principal
from apps.core.sealing import Signature, SignaturePurpose, SignatureWrong, public_keys, sign, verify
from apps.core.write import write
from apps.tenants.enums import PurgeStatus
from apps.tenants.models import Purge

VERSION = 1
_PURPOSE = SignaturePurpose.PURGE_RECEIPT


def issue_receipt(*, actor: Principal, purge_id: UUID) -> None:
    """Signs and stores the receipt of a purge that is done, once. The same purge gives the same bytes, so that a run
    which was killed between storing and noting it does no harm."""
    purge = Purge.objects.filter(id=purge_id, status=PurgeStatus.DONE, receipt_sha256="").first()
    if purge is None:
        return
    stat = store().put(purge.receipt_key, [_file(purge)], content_type="application/json")
    with write("tenant.purge_receipt", actor=actor, target=purge.audit_target()) as w:
        Purge.objects.filter(id=purge_id).update(receipt_sha256=stat.sha256)
        w.note(purge_id=str(purge_id), sha256=stat.sha256)


def read_receipt(purge: Purge) -> bytes:
    """The file.

    Raises:
        NotFound: it was not issued yet.
    """
    if not purge.receipt_sha256:
        raise NotFound("There is no receipt yet.")
    try:
        with store().open(purge.receipt_key) as opened:
            return b"".join(opened.chunks)
    except ObjectNotFound:
        raise NotFound("The receipt is gone from the object store.") from None


def verify_receipt(text: bytes, *, public_key: bytes | None = None) -> dict[str, Any]:
    """What a receipt says, once its signature was checked.

    Args:
        public_key: 32 bytes kept from before; without it the key must be one of this installation's.

    Raises:
        SignatureWrong: it was changed, is none, or its key is not known here.
    """
    try:
        body = json.loads(text)
        receipt, signature = body["receipt"], Signature.from_json(body["signature"])
    except (ValueError, KeyError, TypeError):
        raise SignatureWrong("This is no receipt.") from None
    verify(_canonical(receipt), signature, purpose=_PURPOSE, public_key=public_key)
    return dict(receipt)


def _file(purge: Purge) -> bytes:
    receipt = _receipt(purge)
    signature = sign(_canonical(receipt), purpose=_PURPOSE)
    key = public_keys(purpose=_PURPOSE)[signature.key_id]
    body = {
        "receipt": receipt,
        "signature": signature.as_json(),
        "public_key": base64.b64encode(key).decode(),
    }
    return json.dumps(body, indent=2, sort_keys=True, ensure_ascii=False).encode() + b"\n"


def _receipt(purge: Purge) -> dict[str, Any]:
    last = AuditEntry.objects.filter(tenant_id=purge.tenant_id, action="tenant.purged").latest("seq")
    return {
        "version": VERSION,
        "kind": "purge of a tenant",
        "purge_id": purge.public_id,
        "tenant_id": public(TENANT, purge.tenant_id),
        "slug": purge.slug,
        "requested_by": purge.actor.get("id", ""),
        "started_at": iso(purge.started_at),
        "finished_at": iso(purge.finished_at) if purge.finished_at else None,
        "stores": purge.manifest(),
        "trail": {"chain": last.chain, "seq": last.seq, "hash": bytes(last.hash).hex()},
    }


def _canonical(receipt: Any) -> bytes:
    return json.dumps(receipt, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()
