"""Say where a program is that some tests drive; install it where we may: `scripts/programs.py chromium|nginx`.

Prints its path, or nothing where a package brings its own. Needs the standard library alone.
"""

import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Wanted:
    """`variable` names a path that was chosen; `playwright`: where all else fails, Playwright may bring it."""

    variable: str
    names: tuple[str, ...]
    packages: tuple[str, ...]
    playwright: bool = False


PROGRAMS = {
    "chromium": Wanted(
        "STEWARD_CHROMIUM",
        ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable"),
        ("chromium", "fonts-dejavu-core"),
        playwright=True,
    ),
    "nginx": Wanted("STEWARD_NGINX", ("nginx",), ("nginx-light",)),
}


# A mirror that is away for a moment is asked again.
RETRIES = ("-o", "Acquire::Retries=4")


def main(name: str) -> int:
    """Print the path; 1 and a sentence when there is none and none could be installed."""
    wanted = PROGRAMS[name]
    chosen = os.environ.get(wanted.variable) or find(wanted)
    if not chosen and os.geteuid() == 0 and Path("/etc/debian_version").exists() and shutil.which("apt-get"):
        sys.stderr.write(f"Installing Debian's {wanted.packages[0]} for the tests …\n")
        apt_install(wanted.packages)
        chosen = find(wanted)
    if chosen:
        print(chosen)
        return 0
    if wanted.playwright and playwright_installs(name):
        return 0
    sys.stderr.write(
        f"steward: some tests need {name} and it could not be installed: install it (Debian: "
        f"`apt-get install {wanted.packages[0]}`), or set {wanted.variable} to its path.\n"
    )
    return 1


def find(wanted: Wanted) -> str:
    """The first of its names in PATH, or where Debian keeps servers."""
    places = f"{os.environ.get('PATH', '')}:/usr/sbin:/usr/local/sbin"
    return next((path for name in wanted.names if (path := shutil.which(name, path=places))), "")


def apt_install(packages: tuple[str, ...]) -> None:
    """As well as it goes: what came of it, the next look shows. Nothing that it brings is started."""
    environment = os.environ | {"DEBIAN_FRONTEND": "noninteractive", "RUNLEVEL": "1"}
    for command in (
        ["apt-get", "update", "-qq", *RETRIES],
        ["apt-get", "install", "-y", "-qq", *RETRIES, "--no-install-recommends", *packages],
    ):
        subprocess.run(
            command, check=False, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env=environment
        )


def playwright_installs(name: str) -> bool:
    done = subprocess.run(
        [sys.executable, "-m", "playwright", "install", name], check=False, stdout=sys.stderr
    )
    return done.returncode == 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
