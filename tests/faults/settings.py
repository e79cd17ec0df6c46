"""Settings of the processes that the fault tests start: the test's database and broker, and the jobs to kill."""

import os

from config.settings import *

INSTALLED_APPS = [*INSTALLED_APPS, "tests.faults.victims"]
CELERY_BROKER_TRANSPORT_OPTIONS = {"visibility_timeout": 60, "socket_timeout": 2, "socket_connect_timeout": 1}
DATABASES["default"]["NAME"] = os.environ["STEWARD_FAULT_DATABASE"]
