"""What floors below may ask about a tenant, by name (settings.TENANT_HOLDER)."""

from uuid import UUID

from django.db import connection


def hold(tenant_id: UUID) -> bool:
    """True where the tenant exists; its row then can't be removed until the transaction ends.

    A key-share lock: it stands in nobody's way but that of a removal.
    """
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1 FROM tenants_tenant WHERE id = %s FOR KEY SHARE", [tenant_id])
        return cursor.fetchone() is not None
