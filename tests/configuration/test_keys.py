"""Keys that operators declare."""

from typing import Any

import pytest

from apps.audit.models import AuditEntry
from apps.configuration import selectors, services
from apps.configuration.errors import ConfigNotFound, KeyInUse, KeyInvalid, KeyTaken, KeyUnknown
from apps.configuration.models import DeclaredKey
from apps.configuration.services import KeyDeclaration
from apps.core.errors import PreconditionFailed
from tests.factories import actor

NAME = "mail.footer_lines"


def declaration(**changes: Any) -> KeyDeclaration:
    values: dict[str, Any] = {
        "type": "integer",
        "description": "Lines.",
        "default": "3",
        "maximum": "50",
        **changes,
    }
    return KeyDeclaration(**values)


@pytest.mark.django_db
def test_declare_key_makes_it_settable_with_its_bounds_and_default() -> None:
    row = services.declare_key(
        actor=actor(), name=NAME, declaration=declaration(default="007", minimum="1000e-3")
    )
    assert (row.default, row.version) == ("7", 1)
    row.refresh_from_db()
    assert row.knob().shape.describe() == "integer, 1 to 50"
    assert services.set_value(actor=actor(), key=NAME, value="50").value == "50"
    assert list(AuditEntry.objects.order_by("seq").values_list("action", flat=True)) == [
        "configuration.declare",
        "configuration.set",
    ]


@pytest.mark.django_db
def test_declare_key_whose_default_could_not_be_read_again_is_refused() -> None:
    wrong = declaration(type="json", default='["\\u007f"]', maximum=None)
    with pytest.raises(KeyInvalid) as refused:
        services.declare_key(actor=actor(), name=NAME, declaration=wrong)
    assert set(refused.value.details) == {"default"}
    assert not DeclaredKey.objects.exists()


@pytest.mark.django_db
@pytest.mark.parametrize("bound", ["1e999999999999", "-1e999999999999", "1e-999999999999", "sNaN"])
def test_declare_key_with_an_absurd_bound_is_refused(bound: str) -> None:
    with pytest.raises(KeyInvalid) as refused:
        services.declare_key(actor=actor(), name=NAME, declaration=declaration(minimum=bound))
    assert set(refused.value.details) == {"minimum"}


@pytest.mark.django_db
def test_declare_key_with_a_nought_of_absurd_exponent_has_the_bound_nought() -> None:
    row = services.declare_key(actor=actor(), name=NAME, declaration=declaration(minimum="0e999999999"))
    assert str(row.minimum) == "0"


@pytest.mark.django_db
def test_declare_key_that_is_declared_is_refused() -> None:
    with pytest.raises(KeyTaken):
        services.declare_key(actor=actor(), name="governance_scan_mode", declaration=declaration())
    services.declare_key(actor=actor(), name=NAME, declaration=declaration())
    with pytest.raises(KeyTaken):
        services.declare_key(actor=actor(), name=NAME, declaration=declaration())


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"type": "float"}, "type"),
        ({"description": ""}, "description"),
        ({"type": "string", "default": None}, "minimum"),
        ({"type": "choice", "default": None, "maximum": None}, "choices"),
        ({"choices": ("a",)}, "choices"),
        ({"type": "choice", "default": None, "maximum": None, "choices": ("a", "a")}, "choices"),
        ({"secret": True}, "default"),
        ({"minimum": "51"}, "maximum"),
        ({"minimum": "one"}, "minimum"),
        ({"maximum": "Infinity"}, "maximum"),
        ({"maximum": "1e20"}, "maximum"),
        ({"default": "51"}, "default"),
        ({"default": "three"}, "default"),
    ],
)
def test_declare_key_that_makes_no_sense_is_refused(changes: dict[str, Any], field: str) -> None:
    with pytest.raises(KeyInvalid) as refused:
        services.declare_key(actor=actor(), name=NAME, declaration=declaration(**changes))
    assert list(refused.value.details) == [field]
    assert not DeclaredKey.objects.exists()


@pytest.mark.django_db
@pytest.mark.parametrize("name", ["", "Mail", "mail..x", "mail x", "x" * 121, "mäil"])
def test_declare_key_with_a_malformed_name_is_refused(name: str) -> None:
    with pytest.raises(KeyInvalid):
        services.declare_key(actor=actor(), name=name, declaration=declaration())


@pytest.mark.django_db
def test_redeclare_key_that_a_value_does_not_fit_is_refused() -> None:
    services.declare_key(actor=actor(), name=NAME, declaration=declaration())
    services.set_value(actor=actor(), key=NAME, value="40")
    for changes in ({"maximum": "39"}, {"secret": True, "default": None}):
        with pytest.raises(KeyInUse):
            services.redeclare_key(actor=actor(), name=NAME, declaration=declaration(**changes))
    assert DeclaredKey.objects.get().knob().shape.describe() == "integer, at most 50"
    with pytest.raises(PreconditionFailed):
        services.redeclare_key(
            actor=actor(), name=NAME, declaration=declaration(maximum="40"), expected_version=2
        )
    assert (
        services.redeclare_key(actor=actor(), name=NAME, declaration=declaration(maximum="40")).version == 2
    )


@pytest.mark.django_db
def test_undeclare_key_waits_for_its_values_and_keeps_history() -> None:
    services.declare_key(actor=actor(), name=NAME, declaration=declaration())
    row = services.set_value(actor=actor(), key=NAME, value="40")
    with pytest.raises(KeyInUse) as refused:
        services.undeclare_key(actor=actor(), name=NAME)
    assert refused.value.details == {"values": 1}
    services.archive_value(actor=actor(), value_id=row.id)
    services.undeclare_key(actor=actor(), name=NAME)
    with pytest.raises(ConfigNotFound):
        services.undeclare_key(actor=actor(), name=NAME)
    with pytest.raises(KeyUnknown):
        services.set_value(actor=actor(), key=NAME, value="40")
    assert selectors.history(actor(), key=NAME).count() == 2
    with pytest.raises(KeyUnknown):
        selectors.history(actor(), key="mail.never_there")
