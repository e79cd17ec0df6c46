"""`python -m bench [--requests N] [--connections N] [--only TEXT]`: a table of routes and what they cost.

Measures the database that the environment names (or the running stack's). Reads and one write; the write
changes demo tenants, under a reason that says so.
"""

import os
import sys

import django

from apps.embedded.environment import load_into
from bench.server import RAISED

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
load_into(os.environ)
os.environ.update(RAISED)
django.setup()

# Models exist only from here on.
from bench.table import main

if __name__ == "__main__":
    sys.exit(main())
