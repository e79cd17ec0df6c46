"""apps.core.aspects: the registry."""

import pytest

from apps.core.aspects import Aspect, Registry, Subject


def test_aspects_come_in_the_order_of_removal_and_of_their_subject_only() -> None:
    registry = Registry()
    registry.register(Aspect(name="late", subject=Subject.TENANT, order=200, models=["a.B"]))
    registry.register(Aspect(name="b", subject=Subject.TENANT))
    registry.register(Aspect(name="a", subject=Subject.TENANT))
    registry.register(Aspect(name="a", subject=Subject.USER, models=["a.C"]))
    assert [aspect.name for aspect in registry.of(Subject.TENANT)] == ["a", "b", "late"]
    assert [aspect.name for aspect in registry.of(Subject.USER)] == ["a"]
    assert registry.covered_models() == {"a.B", "a.C"}


def test_a_name_is_taken_once_for_a_subject() -> None:
    registry = Registry()
    registry.register(Aspect(name="a", subject=Subject.TENANT))
    with pytest.raises(ValueError, match="'a'"):
        registry.register(Aspect(name="a", subject=Subject.TENANT))
