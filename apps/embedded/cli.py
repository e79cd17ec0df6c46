"""The commands: `python -m apps.embedded up | env | run | stop | clean | mailbox`. `make` calls them."""

import argparse
import os
import subprocess
import sys
from collections.abc import Sequence

from apps.embedded import engines, environment, keys, mailbox, postgres, stack
from apps.embedded.state import Home, Trouble, home_of


def main(arguments: Sequence[str]) -> int:
    """Run a command; its exit code. What only a person can put right is said in a sentence on standard error."""
    options = _parser().parse_args(arguments)
    try:
        return int(options.command(options))
    except Trouble as trouble:
        sys.stderr.write(f"steward: {trouble}\n")
        return 1


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m apps.embedded", description=__doc__)
    commands = parser.add_subparsers(required=True)
    run = commands.add_parser(
        "run", help="run a command with engines of its own: run --profile test -- pytest"
    )
    run.add_argument("--profile", default="test")
    run.add_argument("arguments", nargs=argparse.REMAINDER)
    run.set_defaults(command=_run)
    up = commands.add_parser("up", help="start the whole stack and keep it running")
    up.add_argument("--reset", action="store_true", help="delete the embedded data first")
    up.set_defaults(command=lambda options: stack.up(reset=options.reset))
    env = commands.add_parser("env", help="print the running stack's addresses and keys as shell exports")
    env.set_defaults(command=_env)
    stop = commands.add_parser("stop", help="stop the running stack")
    stop.set_defaults(command=lambda _options: stack.stop())
    clean = commands.add_parser("clean", help="delete all embedded data")
    clean.set_defaults(command=lambda _options: stack.clean())
    catcher = commands.add_parser("mailbox", help="catch mails and show them")
    catcher.add_argument("smtp_port", type=int)
    catcher.add_argument("http_port", type=int)
    catcher.set_defaults(command=_mailbox)
    return parser


def _env(_options: argparse.Namespace) -> int:
    sys.stdout.write(environment.as_exports(stack.ready_environment()))
    return 0


def _mailbox(options: argparse.Namespace) -> int:
    mailbox.run(smtp_port=options.smtp_port, http_port=options.http_port)
    return 0


def _run(options: argparse.Namespace) -> int:
    """Start the engines, run the command with their addresses, stop them; the command's exit code."""
    command = options.arguments[1:] if options.arguments[:1] == ["--"] else options.arguments
    if not command:
        raise Trouble("Say what to run: python -m apps.embedded run --profile test -- python -m pytest")
    if options.profile == "up":
        raise Trouble("The profile `up` belongs to `make up`: take `test`, or a word of your own.")
    home = home_of(options.profile)
    given = environment.without_ours(os.environ, Home(home.root))
    os.environ.clear()
    os.environ.update(given)
    addresses = engines.ensure_running(home=home)
    secrets = keys.load_keys(home, data=postgres.data_folder(home))
    variables = given | environment.application_environment(given, secrets, addresses, ports=None)
    try:
        return subprocess.run(command, env=variables, check=False).returncode
    except KeyboardInterrupt:
        return 130
    except FileNotFoundError:
        raise Trouble(f"There is no program {command[0]}.") from None
    finally:
        engines.leave(home)
