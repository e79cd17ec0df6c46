"""Settings of the processes that the fault tests start: the product's, with jobs to kill and quicker sweeps."""

from config.settings import *

INSTALLED_APPS = [*INSTALLED_APPS, "tests.faults.victims"]
CELERY_BROKER_TRANSPORT_OPTIONS = {**CELERY_BROKER_TRANSPORT_OPTIONS, "visibility_timeout": 60}
JOB_SWEEP_SECONDS = 1
