"""What tests of the back office stand on."""

import pytest

from tests.backoffice.visits import World, make_world


@pytest.fixture
def world(db: None) -> World:
    """A real customer and a test tenant with people, past, jobs; staff; an approval that waits."""
    return make_world()
