"""Django's PostgreSQL backend with a client's deadline (settings.DATABASES["default"]["ENGINE"])."""
