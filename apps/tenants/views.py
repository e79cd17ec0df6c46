"""The receipt of a purge as a file: `/downloads/receipts/{purge_id}`."""

from django.http import HttpRequest, HttpResponseBase

from apps.core import ids
from apps.core.access import allows
from apps.core.errors import Forbidden, NotFound
from apps.core.principal import Principal
from apps.core.write import record_denied, write
from apps.exports.views import door
from apps.surfaces.kit.answers import Stream
from apps.tenants.models import PURGE, Purge
from apps.tenants.services.receipts import read_receipt


def receipt(request: HttpRequest, purge_id: str) -> HttpResponseBase:
    """For whoever may purge; each download is in the trail."""
    return door(request, lambda principal: _receipt(principal, purge_id))


def _receipt(principal: Principal, purge_id: str) -> Stream:
    key = ids.parse_or_none(PURGE, purge_id)
    purge = Purge.objects.filter(id=key).first() if key is not None else None
    if not allows(principal, "tenants.lifecycle"):
        if purge is not None:
            record_denied("tenant.purge_receipt", actor=principal, target=purge.audit_target())
        raise Forbidden
    if purge is None:
        raise NotFound("There is no such purge.")
    body = read_receipt(purge)
    with write("tenant.download_receipt", actor=principal, target=purge.audit_target()) as w:
        w.note(purge_id=purge.public_id)
    return Stream(iter([body]), "application/json", f"receipt-{purge.public_id}.json", headers={})
