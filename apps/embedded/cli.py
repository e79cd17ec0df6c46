"""The commands: `python -m apps.embedded up | env | run | stop | clean | mailbox`. `make` calls them."""

import argparse
import sys
from collections.abc import Sequence
from importlib import import_module

from apps.embedded.state import Trouble


def main(arguments: Sequence[str]) -> int:
    """Run a command; its exit code. What only a person can put right is said in a sentence on standard error."""
    options = _parser().parse_args(arguments)
    # Each command loads what it needs and no more: the supervisor and the mail catcher stay in memory.
    command = getattr(import_module(f"apps.embedded.{options.module}"), options.function)
    try:
        return int(command(options))
    except Trouble as trouble:
        sys.stderr.write(f"steward: {trouble}\n")
        return 1


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m apps.embedded", description=__doc__)
    commands = parser.add_subparsers(required=True)

    def command(name: str, module: str, function: str, says: str) -> argparse.ArgumentParser:
        found = commands.add_parser(name, help=says)
        found.set_defaults(module=module, function=function)
        return found

    up = command("up", "stack", "up_command", "start the whole stack and keep it running")
    up.add_argument("--reset", action="store_true", help="delete the embedded data first")
    command("env", "stack", "env_command", "print the running stack's addresses and keys as shell exports")
    command("stop", "stack", "stop_command", "stop the running stack")
    command("clean", "stack", "clean_command", "delete all embedded data")
    run = command("run", "engines", "run_command", "run a command with engines of its own: run -- pytest")
    run.add_argument("--profile", default="test")
    run.add_argument("arguments", nargs=argparse.REMAINDER)
    mailbox = command("mailbox", "mailbox", "mailbox_command", "catch mails and show them")
    mailbox.add_argument("smtp_port", type=int)
    mailbox.add_argument("http_port", type=int)
    return parser
