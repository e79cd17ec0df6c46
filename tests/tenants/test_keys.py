"""Keys of tenants: form, storage, look-up, rotation."""

import pytest
from django.conf import settings
from hypothesis import given
from hypothesis import strategies as st

from apps.audit.models import AuditDetail
from apps.core.live import revision
from apps.tenants import events, keys
from apps.tenants.errors import KeyNotFound
from apps.tenants.models import Tenant, TenantKey
from apps.tenants.selectors import key_in_clear
from apps.tenants.services import expire_key, provision_tenant, rotate_key
from tests.factories import actor


def provision() -> tuple[Tenant, str]:
    made = provision_tenant(
        actor=actor(), company_name="Acme", owner_email="jane@acme.example", plan="starter"
    )
    return made.tenant, made.api_key


def test_generated_keys_are_well_formed_and_differ() -> None:
    made = {keys.generate() for _ in range(200)}
    assert len(made) == 200
    assert all(keys.well_formed(key) and key.startswith("gai-") and len(key) == 53 for key in made)


@given(position=st.integers(min_value=4, max_value=52), letter=st.sampled_from("0aZ"))
def test_key_with_one_letter_changed_is_malformed(position: int, letter: str) -> None:
    key = keys.generate()
    changed = key[:position] + letter + key[position + 1 :]
    assert keys.well_formed(changed) is (changed == key)


@given(st.text(max_size=80))
def test_text_that_is_no_key_is_malformed(text: str) -> None:
    assert not keys.well_formed(text)
    assert len(keys.digest(text, pepper="p" * 16)) == 32


@pytest.mark.django_db
def test_clear_key_is_stored_nowhere_and_found_by_what_is_stored() -> None:
    tenant, clear = provision()
    row = TenantKey.objects.get(tenant=tenant)
    assert bytes(row.digest) == keys.digest(clear, pepper=settings.KEY_PEPPER)
    assert row.masked == f"{clear[:8]}…{clear[-4:]}"
    assert not any(clear in detail.body for detail in AuditDetail.objects.all())
    found = key_in_clear(clear)
    assert found is not None
    assert found.tenant_id == tenant.id


@pytest.mark.django_db
def test_key_with_the_right_prefix_alone_is_not_found() -> None:
    _, clear = provision()
    body = clear[:12] + "0" * 35
    forged = body + keys._checksum(body[4:])
    assert keys.well_formed(forged)
    assert key_in_clear(forged) is None
    assert key_in_clear("") is None
    assert key_in_clear("gai-" + "é" * 49) is None


@pytest.mark.django_db
def test_rotation_ends_the_old_key_at_once() -> None:
    tenant, old = provision()
    before = revision(events.ACCESS_TOPIC)
    issued = rotate_key(actor=actor(), tenant_id=tenant.id)
    standing = TenantKey.objects.filter(tenant=tenant, expired_at__isnull=True)
    assert [key.id for key in standing] == [issued.key.id]
    former = key_in_clear(old)
    assert former is not None
    assert former.expired_at is not None
    assert revision(events.ACCESS_TOPIC) == before + 1


@pytest.mark.django_db
def test_expiring_twice_is_refused() -> None:
    tenant, _ = provision()
    expire_key(actor=actor(), tenant_id=tenant.id)
    assert not TenantKey.objects.filter(expired_at__isnull=True).exists()
    with pytest.raises(KeyNotFound):
        expire_key(actor=actor(), tenant_id=tenant.id)
