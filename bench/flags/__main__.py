"""`python -m bench.flags`: on engines of its own, which it stops at the end to see what still answers."""

import os
import subprocess
import sys

import django

from bench.flags.engines import Engines

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
engines = Engines()
try:
    engines.start()
    os.environ.update(engines.environment() | {"LOG_LEVEL": "ERROR"})
    subprocess.run([sys.executable, "manage.py", "migrate", "--verbosity=0"], check=True)
    django.setup()

    # Models exist only from here on.
    from bench.flags.table import main

    status = main(engines)
finally:
    engines.remove()
sys.exit(status)
