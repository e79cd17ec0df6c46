"""`manage.py audit_verify`: 0 where every chain is intact, 2 with the first bad row of each that is not."""

import sys
from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from apps.audit.verification import verify_all


class Command(BaseCommand):
    help = "Recomputes the audit chains. Exit status: 0 intact, 2 broken."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--chain", help="only this chain: platform, or tenant:<uuid>")

    def handle(self, *args: Any, **options: Any) -> None:
        reports = list(verify_all(options["chain"]))
        for report in reports:
            if report.broken is not None:
                self.stdout.write(f"{report.chain}: broken at row {report.broken.seq}: {report.broken.what}")
        bad = sum(1 for report in reports if report.broken is not None)
        rows = sum(report.rows for report in reports)
        if bad:
            self.stdout.write(f"{bad} of {len(reports)} chains are broken.")
            sys.exit(2)
        self.stdout.write(f"{len(reports)} chains with {rows} rows are intact.")
