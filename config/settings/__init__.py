"""Settings, one file a concern; what comes from outside is declared in config/env.py."""

from config.settings.base import *
from config.settings.database import *
from config.settings.security import *
from config.settings.accounts import *
from config.settings.surfaces import *
from config.settings.backoffice import *
from config.settings.jobs import *
from config.settings.objects import *
from config.settings.flags import *
from config.settings.observability import *
