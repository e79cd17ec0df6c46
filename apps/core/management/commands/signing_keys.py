"""manage.py signing_keys: the public keys that check what Steward signed; no secret."""

import base64
from typing import Any

from django.core.management.base import BaseCommand

from apps.core.sealing import SignaturePurpose, public_keys


class Command(BaseCommand):
    help = "Prints the public keys (Ed25519, base64) of anchors, ledger and receipts; keep them outside."

    def handle(self, *args: Any, **options: Any) -> None:
        for purpose in SignaturePurpose:
            for key_id, key in public_keys(purpose=purpose).items():
                self.stdout.write(f"{purpose.value}\t{key_id}\t{base64.b64encode(key).decode()}")
