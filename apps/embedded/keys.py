"""Passwords, keys and ports of a stack: made once, kept in its folder, never in the repository."""

import base64
import hashlib
import secrets
from pathlib import Path

from apps.embedded import processes
from apps.embedded.state import Home, Trouble, notice, read_json, write_json

KEYS_FILE = "keys.json"
PORTS_FILE = "ports.json"
PREFERRED_PORTS = {
    "up": {"postgres": 54329, "valkey": 63790, "smtp": 10250, "mailbox": 8025, "stream": 8001},
    "test": {"postgres": 54429, "valkey": 63890},
}
# Below those that the kernel lends to clients (from 32768 on): a server may start again on its port at any time.
FIRST_PORT_OF_OTHERS = 25000


def new_keys() -> dict[str, str]:
    """A fresh set: three database passwords, the broker's, and what the application seals and signs with."""
    return {
        "postgres_superuser_password": secrets.token_urlsafe(24),
        "postgres_owner_password": secrets.token_urlsafe(24),
        "postgres_app_password": secrets.token_urlsafe(24),
        "valkey_password": secrets.token_urlsafe(24),
        "SECRET_KEY": secrets.token_urlsafe(48),
        "STEWARD_MASTER_KEYS": "k1:" + base64.b64encode(secrets.token_bytes(32)).decode(),
        "STEWARD_KEY_PEPPER": secrets.token_urlsafe(32),
        "STEWARD_ADMIN_KEY": "adm_" + secrets.token_urlsafe(32),
    }


def load_keys(home: Home, *, data: Path) -> dict[str, str]:
    """The keys of this home; made now when there is no database yet.

    Raises:
        Trouble: there is a database in `data`, but the keys that open it are gone.
    """
    path = home.file(KEYS_FILE)
    known = {name: str(value) for name, value in read_json(path).items()}
    if not known and data.exists():
        raise Trouble(
            f"{path} is gone or cut short, and without it the database in {data} can't be opened nor its sealed "
            "values read. Put the file back, or begin anew with `make up RESET=1` (which deletes the database)."
        )
    complete = new_keys() | known
    if complete != known:
        write_json(path, complete)
    return complete


def choose_port(home: Home, server: str) -> int:
    """The port of a server: the one it had, while that is free, else the next free one, which is remembered.

    Says so in a sentence when a remembered port had to be given up.
    """
    known: dict[str, int] = {name: int(port) for name, port in read_json(home.file(PORTS_FILE)).items()}
    others = {port for name, port in known.items() if name != server}
    if home.profile != "up":
        others |= {int(port) for port in read_json(home.root / PORTS_FILE).values()}
    before = known.get(server)
    usual = PREFERRED_PORTS.get(home.profile, {}).get(server)
    preferred = before or usual or _own_range(home)
    port = processes.free_port(preferred, taken=others)
    if port != preferred and preferred not in others and (before or usual):
        in_the_way = processes.who_listens(preferred)
        notice(f"port {preferred} is in use by {in_the_way}: {server} listens on {port} from now on.")
    if port != before:
        write_json(home.file(PORTS_FILE), known | {server: port})
    return port


def _own_range(home: Home) -> int:
    """Where homes of other profiles begin to look: apart from each other, since they may start at once."""
    digest = hashlib.sha256(str(home.folder).encode()).digest()
    return FIRST_PORT_OF_OTHERS + int.from_bytes(digest[:2]) % 500 * 10


def known_port(home: Home, server: str) -> int | None:
    """The port that a server had when it last started."""
    port = read_json(home.file(PORTS_FILE)).get(server)
    return int(port) if port else None
