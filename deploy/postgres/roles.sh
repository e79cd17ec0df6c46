#!/bin/sh
# Run once, when the database is made: the owner's role migrates, the application's owns nothing.
set -eu
psql --set=ON_ERROR_STOP=1 --username "$POSTGRES_USER" --dbname postgres \
    --set=owner_password="$OWNER_PASSWORD" --set=app_password="$APP_PASSWORD" <<'SQL'
CREATE EXTENSION IF NOT EXISTS pg_stat_statements;
CREATE ROLE steward_owner LOGIN PASSWORD :'owner_password';
CREATE ROLE steward_app LOGIN PASSWORD :'app_password';
CREATE DATABASE steward OWNER steward_owner;
\connect steward
CREATE EXTENSION IF NOT EXISTS pg_trgm;
CREATE EXTENSION IF NOT EXISTS citext;
CREATE EXTENSION IF NOT EXISTS btree_gin;
CREATE EXTENSION IF NOT EXISTS pgcrypto;
SQL
