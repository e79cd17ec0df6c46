"""The product's settings, as the tests load them: own engines, own Redis database, cheap password hashes.

`make test` starts the embedded engines and stops them at the end.
"""

import os

from tests.environment import prepare

prepare(os.environ)

from config.settings import *

ADMIN_KEYS = ["pipeline:key-of-the-tests-0123456789", "deploy:second-key-of-the-tests-012345"]
PASSWORD_HASHERS = ["tests.hashing.CheapArgon2"]
EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"
# Where the machine has other work to do, the broker is not away.
CELERY_BROKER_TRANSPORT_OPTIONS = {
    "visibility_timeout": 60,
    "socket_timeout": 30,
    "socket_connect_timeout": 30,
}
# A test that reads an answer reads it to its end.
FLAG_STREAM_SECONDS = 0
