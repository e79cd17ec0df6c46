"""Freshness: what processes keep in memory, and how they learn that it has changed.

A topic has a revision in PostgreSQL, raised in the write that changes it and announced by NOTIFY at commit.
Each process listens on one connection and, in case an announcement is lost, reads the revisions every 1.5 s.
"""

from apps.core.live.link import open_link
from apps.core.live.listener import Listener, listener
from apps.core.live.topics import bump, revision, revisions

__all__ = ["Listener", "bump", "listener", "open_link", "revision", "revisions"]
