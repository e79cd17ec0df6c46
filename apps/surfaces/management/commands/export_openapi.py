"""`manage.py export_openapi`: writes openapi/<surface>.yaml anew; `--check` only compares."""

from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

from apps.surfaces.kit.documents import DocumentFlawed, documents


class Command(BaseCommand):
    help = "Write the OpenAPI document of each surface to openapi/."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--check", action="store_true", help="compare; write nothing")

    def handle(self, *args: Any, check: bool = False, **options: Any) -> None:
        folder = Path(settings.BASE_DIR) / "openapi"
        stale: list[str] = []
        try:
            for name, content in documents():
                file = folder / f"{name}.yaml"
                if check:
                    if not file.exists() or file.read_bytes() != content:
                        stale.append(file.name)
                else:
                    folder.mkdir(exist_ok=True)
                    file.write_bytes(content)
                    self.stdout.write(f"openapi/{file.name}: {len(content)} bytes")
        except DocumentFlawed as flawed:
            raise CommandError(f"A document can't be written: {flawed}") from flawed
        if stale:
            raise CommandError(f"Run `make schema`: openapi/ does not say what the code does: {stale}")
