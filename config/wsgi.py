"""The WSGI entry point of `web` and `stream`."""

import os

from django.core.wsgi import get_wsgi_application
from django.utils.module_loading import import_string

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")

_django = get_wsgi_application()
application = import_string("apps.flags.lane.Lane")(_django)

# Only processes that serve keep things in memory, and so only they listen. (Models can be imported from here on.)
import_string("apps.core.live.listener.listener").start()
