"""Feature flags (apps.flags)."""

from config.env import environment

env = environment()

# Each machine its own: every process writes it with each change, and reads it where the database is away at its start.
FLAGS_SNAPSHOT_FILE = env.FLAGS_SNAPSHOT_FILE
# A stream holds a thread for as long as it lasts: what a process holds of them stays below its threads.
FLAG_STREAMS = env.FLAG_STREAMS
FLAG_STREAM_SECONDS = env.FLAG_STREAM_SECONDS
