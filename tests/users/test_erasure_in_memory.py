"""What processes keep in memory of tables that an erasure sweeps: they are told to read it anew."""

from uuid import UUID

import pytest

from apps.configuration.enums import ValueScope
from apps.configuration.models import ConfigValue
from apps.configuration.snapshot import TOPIC as CONFIGURATION
from apps.core.erasing.columns import sweep_columns
from apps.core.erasing.traces import Traces
from apps.core.live import revisions
from apps.core.principal import system
from apps.flags.models import TOPIC as FLAGS
from apps.tenants.events import ATTRIBUTES_TOPIC as TENANTS
from tests.factories import make_flag, make_segment, make_tenant

EMAIL = "xanthe.wyvern@people.example"
PERSON = Traces(UUID(int=7), "usr_00000000000000000000000007", (EMAIL,))
ONLY_THEM = [{"attribute": "email", "operator": "in", "value": [EMAIL]}]

pytestmark = pytest.mark.django_db


def swept() -> set[str]:
    """The topics that a sweep raises."""
    before = revisions()
    assert sweep_columns(PERSON, system("x")) >= 1
    return {topic for topic, revision in revisions().items() if revision != before.get(topic, 0)}


def test_flag_with_a_rule_for_the_person_is_read_anew() -> None:
    make_flag(rules=[{"conditions": ONLY_THEM, "variation": "on"}])
    assert swept() == {FLAGS}


def test_segment_with_the_person_is_read_anew() -> None:
    make_segment(conditions=ONLY_THEM)
    assert swept() == {FLAGS}


def test_setting_with_the_person_is_read_anew() -> None:
    ConfigValue.objects.create(key="mail.boss", scope=ValueScope.PLATFORM, value=EMAIL)
    assert swept() == {CONFIGURATION}


def test_tenant_tagged_with_the_person_is_read_anew() -> None:
    make_tenant(tags=[EMAIL])
    assert swept() == {TENANTS}
