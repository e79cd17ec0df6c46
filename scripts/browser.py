"""Say where a Chromium is that the browser tests can drive; install one where we may. Standard library alone.

Prints its path, or nothing when Playwright brings its own.
"""

import os
import shutil
import subprocess
import sys
from pathlib import Path

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")


def main() -> int:
    """Print the path; 1 and a sentence when there is no browser and none could be installed."""
    chosen = os.environ.get("STEWARD_CHROMIUM") or find()
    if not chosen and os.geteuid() == 0 and Path("/etc/debian_version").exists() and shutil.which("apt-get"):
        sys.stderr.write("Installing Debian's chromium for the browser tests …\n")
        environment = os.environ | {"DEBIAN_FRONTEND": "noninteractive"}
        for command in (
            ["apt-get", "update", "-qq"],
            ["apt-get", "install", "-y", "-qq", "--no-install-recommends", "chromium", "fonts-dejavu-core"],
        ):
            subprocess.run(
                command, check=False, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env=environment
            )
        chosen = find()
    if chosen:
        print(chosen)
        return 0
    playwright = subprocess.run(
        [sys.executable, "-m", "playwright", "install", "chromium"], check=False, stdout=sys.stderr
    )
    if playwright.returncode == 0:
        return 0
    sys.stderr.write(
        "steward: the browser tests need Chromium and none could be installed: install it (Debian: "
        "`apt-get install chromium`), or set STEWARD_CHROMIUM to its path.\n"
    )
    return 1


def find() -> str:
    """The first browser in PATH."""
    return next((path for name in NAMES if (path := shutil.which(name))), "")


if __name__ == "__main__":
    sys.exit(main())
