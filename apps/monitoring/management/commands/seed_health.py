"""`manage.py seed_health name=url …`: the sources of health that a trial begins with.

A source that is there already gets the address; all else that operators set on it stays. `make up` runs it the first
time, and when one of its ports is another one: a source that operators removed stays away until then.
"""

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from apps.core.errors import DomainError
from apps.core.principal import system
from apps.monitoring import selectors, services


class Command(BaseCommand):
    help = "Registers sources of health, or gives those that are there their address."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("sources", nargs="+", metavar="name=url", help="the first one is made critical")

    def handle(self, *args: Any, **options: Any) -> None:
        actor = system("seed_health").at(via="command", address=None)
        made = 0
        for place, source in enumerate(options["sources"]):
            name, equals, url = source.partition("=")
            if not equals:
                raise CommandError(f"{source}: name=url is what is needed.")
            critical = None if selectors.is_registered(name) else place == 0
            try:
                made += services.register_source(actor=actor, service_id=name, url=url, critical=critical)[1]
            except DomainError as refused:
                # A setting that forbids loopback is no reason not to start.
                self.stderr.write(f"{name} is not registered: {refused.message} {refused.details}")
        self.stdout.write(f"Sources of health made: {made}.")
