"""A process that writes as fast as it can until it is killed: `python -m tests.faults.victims.writer NAME`."""

import itertools
import os
import sys

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tests.faults.settings")
django.setup()

from apps.core.models import LiveTopic
from apps.core.principal import system
from apps.core.write import Target, write


def main(name: str) -> None:
    sys.stdout.write("ready\n")
    sys.stdout.flush()
    for number in itertools.count():
        effect = f"{name}-{number}"
        with write("victim.write", actor=system(name), target=Target(type="victim", id=effect)) as w:
            LiveTopic.objects.create(name=effect, revision=1)
            w.enqueue("victims.leaf", unique_key=f"leaf:{effect}", of=effect)


if __name__ == "__main__":
    main(sys.argv[1])
