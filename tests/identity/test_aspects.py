"""What the identity app holds about people is told, and goes with them."""

import pytest

from apps.core.aspects import Subject, registry
from apps.core.sealing import SealedColumn, sealed_columns
from apps.identity.models import ExternalIdentity
from apps.identity.services import link_identity
from tests.factories import actor, make_user

pytestmark = pytest.mark.django_db


def test_identities_of_a_person_are_summed_up_exported_and_erased() -> None:
    person, other = make_user(), make_user()
    link_identity(actor=actor(), user=person, issuer="https://kc.example", subject="a")
    link_identity(actor=actor(), user=other, issuer="https://kc.example", subject="b")
    aspect = next(each for each in registry.of(Subject.USER) if each.name == "identity.external_identities")
    assert aspect.models == ["identity.ExternalIdentity"]
    assert aspect.summary is not None
    assert aspect.export is not None
    assert aspect.remove is not None
    assert aspect.summary(person.id) == {"external_identities": 1}
    assert [row["subject"] for row in aspect.export(person.id)] == ["a"]
    assert aspect.remove(person.id, actor()) == 1
    assert aspect.remove(person.id, actor()) == 0
    assert ExternalIdentity.objects.get().subject == "b"


def test_sealed_private_keys_are_known_to_the_rotation_of_master_keys() -> None:
    assert SealedColumn("identity.SigningKey", "sealed_private", "identity.signing-key") in sealed_columns()
