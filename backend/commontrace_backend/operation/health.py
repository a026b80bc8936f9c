"""Whether a server lives, and whether it can serve: for balancers, orchestrators and people."""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Final, Literal

from fastapi import APIRouter, Request
from pydantic import BaseModel
from sqlalchemy import Integer, column, func, select, table
from starlette.datastructures import State

from commontrace.errors import CommonTraceError, UnavailableError
from commontrace_backend.database.engine import Database
from commontrace_backend.database.schema import CURRENT, is_older
from commontrace_backend.database.tenancy import EVERY_TENANT
from commontrace_backend.shared.link import AwayError

Check = Callable[[], Awaitable[None]]
"""Ends well, or raises what is wrong."""

router = APIRouter(tags=["operation"])

_PATIENCE: Final = 3.0  # seconds for one check
_VERSION: Final = table("alembic_version", column("version_num"))
_INFO: Final = table("schema_info", column("min_reader", Integer))


class Alive(BaseModel):
    """The process answers."""

    status: Literal["ok"] = "ok"


class Ready(BaseModel):
    """Everything that a request needs answers: what was asked, by name.

    Attributes:
        status: that of the server as a whole.
        checks: what a request cannot do without.
        degraded: what is gone that requests do without, and what that means, in sentences.
    """

    status: Literal["ready"] = "ready"
    checks: dict[str, Literal["ok"]]
    degraded: list[str]


@router.get("/health")
async def health() -> Alive:
    """Alive: this process answers. Restart it when it does not."""
    return Alive()


@router.get("/health/ready")
async def ready(request: Request) -> Ready:
    """Ready: what a request needs answers too; 503 names what does not, and why. Send no requests meanwhile."""
    return await readiness(request.app.state)


def checks_of(database: Database) -> dict[str, Check]:
    """What every server checks; others add to it in `app.state.checks`."""

    async def answers() -> None:
        async with database.reading() as session:
            await session.scalar(select(1))

    async def is_current() -> None:
        async with database.reading(EVERY_TENANT) as session:
            found = await session.scalar(select(_VERSION.c.version_num))
            min_reader = await session.scalar(select(func.max(_INFO.c.min_reader)))
        if is_older(int(found or 0), int(min_reader or 0), "The store"):
            raise UnavailableError(f"The store has schema {found}, this server needs {CURRENT}.", "Restart it.")

    return {"database": answers, "schema": is_current}


async def readiness(state: State) -> Ready:
    """Run every check at once.

    Raises:
        UnavailableError: at least one failed; `extra["checks"]` has for each name "ok" or the reason.
    """
    checks: dict[str, Check] = state.checks
    found = dict(zip(checks, await asyncio.gather(*(_reason(check) for check in checks.values())), strict=True))
    wrong = {name: reason for name, reason in found.items() if reason}
    if wrong:
        raise UnavailableError(
            f"This server is not ready: {', '.join(f'{name} ({reason})' for name, reason in wrong.items())}.",
            "Mend what is named; it is asked anew each time.",
            {"checks": {name: reason or "ok" for name, reason in found.items()}},
        )
    return Ready(checks=dict.fromkeys(found, "ok"), degraded=await _degraded(state))


async def _degraded(state: State) -> list[str]:
    if state.shared is None:
        return []
    with suppress(AwayError):  # it says so itself
        await state.shared.ping()
    found: list[str] = state.shared.degraded
    return found


async def _reason(check: Check) -> str:
    """Why a check fails, or nothing. Whoever asks has no key: of an error that is not ours only its kind is said."""
    try:
        async with asyncio.timeout(_PATIENCE):
            await check()
    except TimeoutError:
        return f"no answer in {_PATIENCE:g} s"
    except CommonTraceError as error:
        return error.detail.rstrip(".")
    except Exception as error:  # noqa: BLE001 - whatever it is, it is not ready
        return type(error).__name__
    return ""
