"""The object store (apps.core.objectstore)."""

from pathlib import Path

from config.env import environment
from config.settings.base import BASE_DIR

env = environment()

# All processes share it: on several machines a shared file system.
OBJECT_STORE_ROOT = Path(env.OBJECT_STORE_ROOT or BASE_DIR / ".steward" / "objects")
