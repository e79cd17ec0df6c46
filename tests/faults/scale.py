"""How much is broken: a little in `make test`, everything in `make test-faults` (STEWARD_FAULTS=long)."""

import os

LONG = os.environ.get("STEWARD_FAULTS") == "long"
KILLS = int(os.environ.get("STEWARD_KILLS") or (1000 if LONG else 12))
RESTARTS = int(os.environ.get("STEWARD_RESTARTS") or (20 if LONG else 1))
