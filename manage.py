#!/usr/bin/env python
"""Django's command line. By hand, `python manage.py …` speaks to the stack that `make up` runs."""

import os
import sys

from django.core.management import execute_from_command_line

from apps.embedded.environment import load_into

if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    load_into(os.environ)
    execute_from_command_line(sys.argv)
