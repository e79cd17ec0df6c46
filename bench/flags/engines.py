"""PostgreSQL and Valkey of the measurement's own, which can be stopped while it goes on."""

import os
import shutil
import signal
import subprocess
import time

from apps.embedded import binaries, environment, keys, postgres, roles, servers
from apps.embedded.postgres import OWNER, Postgres
from apps.embedded.state import Home, default_root, place_for_servers, remove
from apps.embedded.valkey import Valkey


class Engines:
    """Both, on data that is removed at the end."""

    def __init__(self) -> None:
        self.home = Home(default_root(), f"bench{os.getpid()}")
        self.home.prepare()
        self._secrets = keys.load_keys(self.home, data=postgres.data_folder(self.home))
        self.database = Postgres(
            self.home,
            binaries.postgres_programs(self.home),
            self._secrets,
            keys.choose_port(self.home, "postgres"),
        )
        self.cache = Valkey(
            self.home,
            binaries.valkey_program(self.home),
            self._secrets,
            keys.choose_port(self.home, "valkey"),
        )
        self._running: list[subprocess.Popen[bytes]] = []

    def start(self) -> None:
        """Makes the cluster and starts both; returns when they answer.

        Raises:
            TimeoutError: one of them does not, within a minute.
        """
        postgres.make_cluster(self.database)
        for server in (self.database, self.cache):
            with self.home.file("engines.log").open("ab") as output:
                self._running.append(server.spawn(output))
            deadline = time.monotonic() + 60
            while not server.answers():
                if time.monotonic() > deadline:
                    raise TimeoutError(f"an engine does not answer: {self.home.file('engines.log')}")
                time.sleep(0.05)
        roles.make_roles(self.database)

    def stop(self) -> None:
        """Both, at once."""
        for process in reversed(self._running):
            process.send_signal(signal.SIGINT)
        for process in self._running:
            process.wait(timeout=30)
        self._running.clear()

    def environment(self) -> dict[str, str]:
        """Of Steward's processes on these engines."""
        engines = servers.postgres_addresses(self.database) | {
            "REDIS_URL": self.cache.url,
            "OBJECT_STORE_ROOT": str(self.home.file("objects")),
            "FLAGS_SNAPSHOT_FILE": str(self.home.file("flags.json")),
        }
        return environment.application_environment({}, self._secrets, engines, ports=None)

    @property
    def owner_url(self) -> str:
        return self.database.url(OWNER)

    def remove(self) -> None:
        self.stop()
        place = place_for_servers(self.home)
        remove(self.home.folder)
        if place != self.home.folder:
            shutil.rmtree(place, ignore_errors=True)
