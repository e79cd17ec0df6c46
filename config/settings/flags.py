"""Feature flags (apps.flags)."""

from config.env import environment

env = environment()

# Each machine its own: every process writes it with each change, and reads it where the database is away at its start.
FLAGS_SNAPSHOT_FILE = env.FLAGS_SNAPSHOT_FILE
