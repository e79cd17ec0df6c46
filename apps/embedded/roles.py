"""The roles, the database and the extensions that an embedded PostgreSQL gets: `python -m apps.embedded.roles`.

Apart from the rest, so that the supervisor need not keep a database driver in memory.
"""

import sys

import psycopg
from psycopg import sql

from apps.embedded import servers
from apps.embedded.keys import KEYS_FILE
from apps.embedded.postgres import APPLICATION, DATABASE, OWNER, SUPERUSER, Postgres
from apps.embedded.state import Trouble, home_of

EXTENSIONS = ("pg_trgm", "citext", "btree_gin", "pgcrypto")


def make_roles(server: Postgres) -> None:
    """Make the two roles, the database and its extensions, each where it is missing.

    The owner migrates and may make databases (tests do). The application's role owns nothing. Extensions go
    into template1 too, so that a test database has them.

    Raises:
        Trouble: the database was made with other passwords than those in keys.json.
    """
    try:
        _make_roles(server)
    except psycopg.OperationalError as refused:
        if "password authentication failed" not in str(refused):
            raise
        raise Trouble(
            f"The database in {server.data} refuses the password in {server.home.file(KEYS_FILE)}: put the file that "
            "belongs to it back, or begin anew with `make up RESET=1` (which deletes the database)."
        ) from None


def _make_roles(server: Postgres) -> None:
    with psycopg.connect(server.url(SUPERUSER, "postgres"), autocommit=True) as connection:
        _make_role(connection, OWNER, server.keys["postgres_owner_password"], sql.SQL("CREATEDB"))
        _make_role(connection, APPLICATION, server.keys["postgres_app_password"], sql.SQL("NOCREATEDB"))
        known = connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", [DATABASE]).fetchone()
    # It counts for the whole server; in a database of ours its views would be nobody's to grant.
    _make_extensions(server, "postgres", ("pg_stat_statements",))
    _make_extensions(server, "template1", EXTENSIONS)
    if known is None:
        with psycopg.connect(server.url(SUPERUSER, "postgres"), autocommit=True) as connection:
            connection.execute(
                sql.SQL("CREATE DATABASE {} OWNER {}").format(sql.Identifier(DATABASE), sql.Identifier(OWNER))
            )
    _make_extensions(server, DATABASE, EXTENSIONS)


def _make_role(connection: psycopg.Connection, name: str, password: str, may: sql.SQL) -> None:
    verb = (
        "ALTER"
        if connection.execute("SELECT 1 FROM pg_roles WHERE rolname = %s", [name]).fetchone()
        else "CREATE"
    )
    connection.execute(
        sql.SQL("{} ROLE {} LOGIN NOSUPERUSER NOCREATEROLE {} PASSWORD {}").format(
            sql.SQL(verb), sql.Identifier(name), may, sql.Literal(password)
        )
    )


def _make_extensions(server: Postgres, database: str, extensions: tuple[str, ...]) -> None:
    with psycopg.connect(server.url(SUPERUSER, database), autocommit=True) as connection:
        for extension in extensions:
            connection.execute(sql.SQL("CREATE EXTENSION IF NOT EXISTS {}").format(sql.Identifier(extension)))


def main() -> int:
    """Do it for the stack of `make up`."""
    try:
        make_roles(servers.postgres_of(home_of("up")))
    except Trouble as trouble:
        sys.stderr.write(f"{trouble}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
