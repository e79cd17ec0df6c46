"""`manage.py audit_verify`: recomputes the trail and, if asked, holds it against its anchors."""

import argparse
import re
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from apps.audit.anchors.checking import AnchorReport
from apps.audit.enums import Verdict
from apps.audit.examination import SHOWN, Examination, examine
from apps.audit.export import export_trail
from apps.audit.models import AuditEntry, AuditHead
from apps.audit.services import PLATFORM_CHAIN
from apps.core.errors import DomainError

_CHAIN = re.compile(r"tenant:[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
EXIT = {Verdict.INTACT: 0, Verdict.BROKEN: 2, Verdict.MISMATCH: 3}


class Command(BaseCommand):
    help = (
        "Recomputes the audit chains. Exit status: 0 intact, 2 broken (says which chain and the first bad row), "
        "3 not as anchored, 1 the command itself could not run."
    )

    _began = False

    def run_from_argv(self, argv: list[str]) -> None:
        """As ever, but wrong arguments, for which argparse has 2, end with 1: here 2 means a broken chain."""
        try:
            super().run_from_argv(argv)
        except SystemExit as ended:
            sys.exit(1 if ended.code == 2 and not self._began else ended.code)

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--chain", type=_chain, help="only this chain: platform, or tenant:<uuid>")
        parser.add_argument(
            "--since",
            type=_instant,
            metavar="ISO",
            help="only what was written since (2026-11-01 or 2026-11-01T12:00:00Z); what stood before is not looked at",
        )
        parser.add_argument(
            "--anchors",
            action="store_true",
            help="also hold the trail against the anchors in the object store, and these against each other",
        )
        parser.add_argument(
            "--export",
            type=Path,
            metavar="FILE",
            help="also write rows and proofs as JSON lines (scripts/verify_audit_export.py checks them elsewhere)",
        )
        parser.add_argument(
            "--with-personal-details",
            action="store_true",
            help="with --export: names, addresses, reasons, before and after too",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        self._began = True
        chain, since = options["chain"], options["since"]
        if options["with_personal_details"] and not options["export"]:
            raise CommandError("--with-personal-details says what --export writes: give --export FILE.")
        if chain is not None and not options["anchors"] and not _is_there(chain):
            raise CommandError(f"There is no chain {chain}. Whether there was one, --anchors tells.")
        try:
            found = examine(chain=chain, since=since, anchors=options["anchors"])
            if options["export"] is not None:
                self._export(options)
        except DomainError as refused:
            raise CommandError(refused.message) from refused
        except OSError as refused:
            raise CommandError(f"{options['export']} can't be written: {refused.strerror}.") from refused
        self._tell(found, since)
        sys.exit(EXIT[found.verdict])

    def _export(self, options: dict[str, Any]) -> None:
        rows = export_trail(
            options["export"],
            chain=options["chain"],
            since=options["since"],
            details=options["with_personal_details"],
        )
        self.stdout.write(f"{rows} rows are written to {options['export']}.")

    def _tell(self, found: Examination, since: datetime | None) -> None:
        for sentence in found.sentences():
            self.stdout.write(sentence)
        if found.broken:
            more = f" The first {SHOWN} are named." if found.broken > SHOWN else ""
            self.stdout.write(f"{found.broken} of {found.chains} chains are broken.{more}")
        else:
            self.stdout.write(f"{found.chains} chains with {found.rows} rows are intact.")
        if since is not None:
            self.stdout.write(
                f"Read since {since.isoformat()}: this proves that the rows written since are as they were written "
                "and go on from the row before them; of what stood before it says nothing."
            )
        if found.anchors is not None:
            self._tell_of_anchors(found.anchors)

    def _tell_of_anchors(self, report: AnchorReport) -> None:
        for sentence in report.restores:
            self.stdout.write(sentence)
        if report.old_keys:
            self.stdout.write(
                f"{report.old_keys} anchors are signed with keys that are not known here any more; the anchors after "
                "them name their digests and vouch for them."
            )
        if report.wrong:
            self.stdout.write(f"{report.wrong} things are not as they were anchored.")
        if report.lost and report.newest is not None:
            self.stdout.write(
                f"{report.lost} anchored rows are not in the database: it is older than the newest anchor "
                f"({report.newest.number}, of {report.newest.taken_at:%Y-%m-%d %H:%M:%S} UTC), or tails were cut. "
                "After a restore that you know of: manage.py audit_anchor --after-restore REASON."
            )
        if report.newest is None and not report.wrong:
            self.stdout.write("No anchor has been taken yet: manage.py audit_anchor takes one.")
        elif report.newest is not None and not report.wrong:
            self.stdout.write(
                f"{report.anchors} anchors hold, the newest of {report.newest.taken_at:%Y-%m-%d %H:%M:%S} UTC; "
                f"{report.lines} heads were looked up."
            )


def _chain(text: str) -> str:
    if text != PLATFORM_CHAIN and not _CHAIN.fullmatch(text):
        raise argparse.ArgumentTypeError(f"a chain is written platform or tenant:<uuid>, not {text!r}")
    return text


def _instant(text: str) -> datetime:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise argparse.ArgumentTypeError(
            f"a time is written 2026-11-01 or 2026-11-01T12:00:00Z, not {text!r}"
        ) from None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _is_there(chain: str) -> bool:
    heads, rows = AuditHead.objects.filter(chain=chain), AuditEntry.objects.filter(chain=chain)
    return heads.exists() or rows.exists()
