"""Whether a server says truthfully that it lives and that it can serve."""

import logging
import sqlite3
from collections.abc import AsyncIterator
from contextlib import closing
from pathlib import Path

import httpx2
import pytest
from fastapi import FastAPI

from commontrace.errors import UnavailableError
from commontrace_backend.app import create_app
from commontrace_backend.settings import BackendSettings


@pytest.fixture
async def app(url: str) -> AsyncIterator[FastAPI]:
    running = create_app(BackendSettings(database_url=url))
    async with running.router.lifespan_context(running):
        yield running


async def ask(app: FastAPI, path: str) -> httpx2.Response:
    async with httpx2.AsyncClient(transport=httpx2.ASGITransport(app), base_url="http://x") as plain:
        return await plain.get(path)


@pytest.mark.both_databases
async def test_a_server_on_a_good_store_is_ready(app: FastAPI) -> None:
    answer = await ask(app, "/health/ready")
    assert (answer.status_code, answer.json()) == (
        200,
        {"status": "ready", "checks": {"database": "ok", "schema": "ok"}, "degraded": []},
    )


async def test_a_store_that_a_newer_version_wrote_meanwhile_is_named(app: FastAPI, store: Path) -> None:
    with closing(sqlite3.connect(store)) as connection, connection:
        connection.execute("UPDATE alembic_version SET version_num = '0999'")
        connection.execute("UPDATE schema_info SET min_reader = 999")
    answer = await ask(app, "/health/ready")
    assert (answer.status_code, answer.json()["code"]) == (503, "unavailable")
    checks = answer.json()["extra"]["checks"]
    assert checks["database"] == "ok"
    assert "schema 999" in checks["schema"]
    assert (await ask(app, "/health")).status_code == 200


async def test_a_request_that_the_server_fails_is_in_the_log_at_its_default_level(
    app: FastAPI, store: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.WARNING, "commontrace"):
        await ask(app, "/health/ready")
        assert not caplog.records
        with closing(sqlite3.connect(store)) as connection, connection:
            connection.execute("UPDATE alembic_version SET version_num = '0001'")
        await ask(app, "/health/ready")
    assert "route=/health/ready status=503" in caplog.records[-1].getMessage()


async def test_a_store_of_an_older_schema_is_named(app: FastAPI, store: Path) -> None:
    with closing(sqlite3.connect(store)) as connection, connection:
        connection.execute("UPDATE alembic_version SET version_num = '0001'")
    assert "has schema" in (await ask(app, "/health/ready")).json()["extra"]["checks"]["schema"]


async def test_what_others_register_is_asked_as_well(app: FastAPI) -> None:
    async def lost() -> None:
        raise UnavailableError("The queue does not answer.", "Start it.")

    async def broken() -> None:
        raise ValueError("a password")

    app.state.checks |= {"queue": lost, "cache": broken}
    answer = await ask(app, "/health/ready")
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "1")
    assert answer.json()["extra"]["checks"] == {
        "database": "ok",
        "schema": "ok",
        "queue": "The queue does not answer",
        "cache": "ValueError",
    }
    assert "password" not in answer.text
