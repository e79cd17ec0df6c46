"""`manage.py receipt_verify FILE`: whether the receipt of a purge is ours and unchanged."""

import base64
import binascii
import json
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from apps.core.sealing import SignatureWrong
from apps.tenants.services.receipts import verify_receipt


class Command(BaseCommand):
    help = (
        "Checks the signature of a purge's receipt and prints what it says. Ends with 1 where it is not ours."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("file", type=Path)
        parser.add_argument(
            "--public-key", help="base64, as signing_keys printed it; for a master key that is gone"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        kept = options["public_key"]
        try:
            text = options["file"].read_bytes()
            key = base64.b64decode(kept, validate=True) if kept else None
            receipt = verify_receipt(text, public_key=key)
        except OSError as unread:
            raise CommandError(f"The file can't be read: {unread.strerror}.") from None
        except binascii.Error:
            raise CommandError("The public key is not base64.") from None
        except SignatureWrong as wrong:
            raise CommandError(wrong.message) from None
        self.stdout.write(json.dumps(receipt, indent=2, sort_keys=True, ensure_ascii=False))
        self.stdout.write("The signature belongs to this receipt.")
