#!/bin/sh
# Runs once, when the database's folder is empty. CommonTrace gets a role of its own that is no superuser:
# a superuser passes by row-level security.
set -eu
psql --set ON_ERROR_STOP=1 --set password="$COMMONTRACE_DATABASE_PASSWORD" --username "$POSTGRES_USER" <<'SQL'
CREATE ROLE commontrace LOGIN NOSUPERUSER NOBYPASSRLS PASSWORD :'password';
CREATE DATABASE commontrace OWNER commontrace ENCODING 'UTF8' TEMPLATE template0;
\connect commontrace
CREATE EXTENSION vector;
SQL
