"""Write .env for docker-compose.yml, once: passwords and keys, each random. Needs the standard library alone.

deploy/.env.example explains each variable and the optional ones.
"""

import base64
import os
import secrets
import sys
from pathlib import Path

TARGET = Path(__file__).resolve().parent.parent / ".env"


def main() -> int:
    """Write the file; 1 when there is one already, since new keys would lock its data up."""
    password = secrets.token_urlsafe
    values = {
        "COMPOSE_PROFILES": "mailbox",
        "SECRET_KEY": password(48),
        "STEWARD_MASTER_KEYS": "k1:" + base64.b64encode(secrets.token_bytes(32)).decode(),
        "STEWARD_KEY_PEPPER": password(32),
        "ADMIN_KEYS": f"compose:adm_{password(32)}",
        "POSTGRES_PASSWORD": password(24),
        "POSTGRES_OWNER_PASSWORD": password(24),
        "POSTGRES_APP_PASSWORD": password(24),
        "VALKEY_PASSWORD": password(24),
    }
    try:
        descriptor = os.open(TARGET, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        sys.stderr.write(
            f"{TARGET} exists: its keys open the database that was made with them. Remove it yourself.\n"
        )
        return 1
    with os.fdopen(descriptor, "w") as file:
        file.writelines(f"{name}={value}\n" for name, value in values.items())
    print(f"Wrote {TARGET}: keep it, and keep it secret.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
