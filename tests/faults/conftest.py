"""The test process orders the victims' jobs, so it must know them."""

from tests.faults.victims import tasks

__all__ = ["tasks"]
