"""The restore drill: a base backup and the log, a server killed, restored elsewhere, erasures replayed, trail verified.

An erasure was told and its job had not begun. The same steps as in docs/operations.md, "Backup and restore".
"""

import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from apps.embedded import environment, keys, postgres, roles, servers
from apps.embedded.state import Home, remove
from tests.drills import acts as acts_module
from tests.drills.cluster import Cluster, own

ROOT = Path(__file__).resolve().parent.parent.parent

pytestmark = [pytest.mark.faults, pytest.mark.timeout(420)]


@dataclass(frozen=True)
class Site:
    """A folder that servers of any user can reach: archive, backup, objects, and a home for each server."""

    folder: Path

    def home(self, name: str) -> Home:
        return Home(self.folder / ".steward", name)

    @property
    def archive(self) -> Path:
        return self.folder / "archive"

    @property
    def base(self) -> Path:
        return self.folder / "base"

    def act(self, cluster: Cluster, *acts: str) -> list[Any]:
        """Runs acts on a server, in one process."""
        done = self._run(cluster, "-c", acts_module.START, *acts)
        answers: list[Any] = json.loads(done.splitlines()[-1])
        return answers

    def manage(self, cluster: Cluster, *line: str) -> str:
        return self._run(cluster, "manage.py", *line)

    def _run(self, cluster: Cluster, *line: str) -> str:
        secrets = keys.load_keys(self.home("first"), data=postgres.data_folder(self.home("first")))
        engines = servers.postgres_addresses(cluster.server) | {"REDIS_URL": os.environ["REDIS_URL"]}
        variables = os.environ | environment.application_environment({}, secrets, engines, ports=None)
        variables |= {
            "DJANGO_SETTINGS_MODULE": "config.settings",
            "OBJECT_STORE_ROOT": str(self.folder / "objects"),
            "STEWARD_DRILL_NOTES": str(self.folder / "notes.json"),
            "LOG_LEVEL": "ERROR",
        }
        done = subprocess.run(
            [sys.executable, *line],
            cwd=ROOT,
            env=variables,
            capture_output=True,
            text=True,
            timeout=180,
            check=False,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout


@pytest.fixture
def site() -> Iterator[Site]:
    folder = Path(tempfile.mkdtemp(prefix="steward-drill-"))
    folder.chmod(0o755)
    found = Site(folder)
    try:
        yield found
    finally:
        remove(found.home("first").elsewhere)
        shutil.rmtree(folder)


def elsewhere(site: Site, name: str) -> Cluster:
    """Another server's empty place, with the passwords of the first."""
    home = site.home(name)
    home.prepare()
    shutil.copy(site.home("first").file(keys.KEYS_FILE), home.file(keys.KEYS_FILE))
    return Cluster(home)


def test_killed_server_is_restored_to_the_end_and_to_before_an_erasure(site: Site) -> None:
    first = Cluster(site.home("first"))
    others: list[Cluster] = []
    try:
        first.make(site.archive)
        roles.make_roles(first.server)
        site.manage(first, "migrate", "--verbosity=0")
        site.act(first, "before")
        first.base_backup(site.base)
        site.act(first, "after")
        first.name_this_moment("before_the_erasure")
        seen = site.act(first, "erase", "answer", "look")[-1]
        first.kill()
        first.save_log(site.archive)
        own(site.archive)
        # Two restores of one store of objects: the one to an older state comes last, since its anchors end the other's.
        others.append(elsewhere(site, "whole"))
        others[0].restore(site.base, site.archive)
        assert_nothing_is_lost(site.act(others[0], "look", "restored", "look"), seen)
        others[0].stop()
        others.append(elsewhere(site, "earlier"))
        others[1].restore(site.base, site.archive, until="before_the_erasure")
        assert_erased_again(site.act(others[1], "look", "restored", "look", "accept", "look"), seen)
    finally:
        for cluster in (first, *others):
            cluster.stop()


def assert_nothing_is_lost(answers: list[Any], seen: dict[str, Any]) -> None:
    found, steps, left = answers
    assert found == seen
    assert steps["migrate"]["code"] == 0
    assert steps["verify"]["code"] == 0, steps["verify"]["said"]
    # The one whose job had not begun is brought to its end.
    assert " 1 erased again, 0 due, 2 already gone" in steps["replay"]["said"]
    assert " 0 erased again, 0 due, 3 already gone" in steps["again"]["said"]
    assert (left["person"], left["later"], left["tenant"], left["mentions"]) == (False, False, False, [])


def assert_erased_again(answers: list[Any], seen: dict[str, Any]) -> None:
    found, steps, left, accepted, end = answers
    # The backup has brought them back, and the newest anchor tells that the database is older.
    assert (found["person"], found["later"], found["tenant"]) == (True, True, True)
    assert "audit_detail" in found["mentions"]
    assert steps["migrate"]["code"] == 0
    assert steps["verify"]["code"] == 3
    assert "it is older than the newest anchor (3, of " in steps["verify"]["said"]
    assert " 0 erased again, 3 due, 0 already gone" in steps["dry"]["said"]
    assert " 3 erased again, 0 due, 0 already gone" in steps["replay"]["said"]
    assert " 0 erased again, 0 due, 3 already gone" in steps["again"]["said"]
    # They are gone again, from everything.
    assert (left["person"], left["later"], left["tenant"]) == (False, False, False)
    assert left["tombstones"] == [1, 1]
    assert (left["mentions"], left["details"]) == ([], 0)
    assert seen["mentions"] == []
    # The older state is accepted by name, and from there on the anchors hold.
    assert accepted["refused"]["code"] == 1
    assert "--after-restore" in accepted["refused"]["said"]
    assert "The state after anchor 2 is accepted." in accepted["accepted"]["said"]
    assert accepted["verify"]["code"] == 0, accepted["verify"]["said"]
    assert (
        "accepted a restore to the state after anchor 2; 1 anchors tell of what was lost"
        in accepted["verify"]["said"]
    )
    same = {"users_user", "tenants_tenant", "users_tombstone", "tenants_tombstone"}
    late = {"users_user": 1}  # made after the erasure, and lost with it
    assert {name: end["counts"][name] + late.get(name, 0) for name in same} == {
        name: seen["counts"][name] for name in same
    }
