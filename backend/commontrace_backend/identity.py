"""API key or token to Caller, and the sessions a route may ask for."""

import re
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from typing import Annotated

from fastapi import Depends, Request, Response

from commontrace.errors import AuthenticationError, ForbiddenError, InvalidInputError, RateLimitedError
from commontrace_backend.contributors import service
from commontrace_backend.contributors.caller import Caller, Scope
from commontrace_backend.contributors.keyring import Keyring
from commontrace_backend.database.engine import Database
from commontrace_backend.database.session import ReadSession, WriteSession
from commontrace_backend.rates import Kind, Meter
from commontrace_backend.reporting import NOTED

WORKING_COPY_HEADER = "CommonTrace-Working-Copy"
_CALLER = "commontrace.caller"
_WORKING_COPY = re.compile(r"[\x21-\x7e]{1,200}\Z")


def _database(request: Request) -> Database:
    database: Database = request.app.state.database
    return database


def _keyring(request: Request) -> Keyring:
    keyring: Keyring = request.app.state.keyring
    return keyring


KeyringDep = Annotated[Keyring, Depends(_keyring)]


async def caller_of(request: Request) -> Caller:
    """The contributor whose key the request carries; raises AuthenticationError without a good one.

    Whoever sends a body is asked for before it is read, and then known.
    """
    if _CALLER not in request.scope:
        request.scope[_CALLER] = await _shown_by(request)
    caller: Caller = request.scope[_CALLER]
    return caller


async def _shown_by(request: Request) -> Caller:
    working_copy, *more = request.headers.getlist(WORKING_COPY_HEADER) or ["default"]
    if more or not _WORKING_COPY.match(working_copy):
        raise InvalidInputError(
            f"The {WORKING_COPY_HEADER} header is malformed.", "Send it once, with 1 to 200 visible ASCII characters."
        )
    keyring = _keyring(request)
    if keyring.owner is not None and "Authorization" not in request.headers:
        return service.with_working_copy(keyring.owner, working_copy)
    # Two of them would let a proxy and this server each believe another one.
    given = request.headers.getlist("Authorization")
    scheme, _, text = (given[0] if len(given) == 1 else "").partition(" ")
    if scheme.lower() != "bearer" or not text:
        raise AuthenticationError(
            "This server needs an API key.",
            "Set COMMONTRACE_API_KEY to a key from `commontrace keys create`.",
        )
    return service.with_working_copy(await keyring.caller(_database(request), text.strip()), working_copy)


def _allowed(scope: Scope, kind: Kind) -> Callable[..., Awaitable[Caller]]:
    async def check(request: Request, response: Response, caller: Annotated[Caller, Depends(caller_of)]) -> Caller:
        if scope not in caller.scopes:
            raise ForbiddenError(
                f"This key may not {scope}.",
                f"Ask an admin for a key with the scope '{scope}'.",
                {"needed_scope": scope},
            )
        meter: Meter = request.app.state.meter
        if noted := NOTED.get():
            noted.key_id = caller.key_id
        response.headers.update(await meter.charge(caller, kind))
        return caller

    return check


async def _counted(request: Request, response: Response, caller: Annotated[Caller, Depends(caller_of)]) -> Caller:
    meter: Meter = request.app.state.meter
    response.headers.update(await meter.charge(caller, "reads"))
    return caller


async def _reading(request: Request, caller: Annotated[Caller, Depends(caller_of)]) -> AsyncIterator[ReadSession]:
    async with _database(request).reading(caller.tenant_id) as session:
        yield session


async def _writing(request: Request, caller: Annotated[Caller, Depends(caller_of)]) -> AsyncIterator[WriteSession]:
    async with _database(request).writing(caller.tenant_id) as session:
        yield session


async def charge_for(request: Request, response: Response, caller: Caller, costs: Sequence[int]) -> int:
    """Charge a writer for things that each cost so many writes; returns how many of these it may bring now.

    The first costs one less, for its request was one.

    Raises:
        RateLimitedError: other requests left nothing, not even for the first.
    """
    meter: Meter = request.app.state.meter
    if costs[0] > 1:
        response.headers.update(await meter.charge(caller, "writes", costs[0] - 1, least=0))
    for made, cost in enumerate(costs[1:], 1):
        try:
            response.headers.update(await meter.charge(caller, "writes", cost))
        except RateLimitedError:
            return made
    return len(costs)


Anyone = Annotated[Caller, Depends(caller_of)]
"""Whoever has a good key, whatever it allows."""

Holder = Annotated[Caller, Depends(_counted)]
"""The same; it counts as a read."""

Reader = Annotated[Caller, Depends(_allowed("read", "reads"))]
Writer = Annotated[Caller, Depends(_allowed("contribute", "writes"))]
Voter = Annotated[Caller, Depends(_allowed("vote", "votes"))]
Admin = Annotated[Caller, Depends(_allowed("admin", "writes"))]
KeyMaker = Annotated[Caller, Depends(_allowed("admin", "keys"))]

# scope="function": the transaction is committed before the answer starts, so an answer is a promise kept.
Reading = Annotated[ReadSession, Depends(_reading, scope="function")]
Writing = Annotated[WriteSession, Depends(_writing, scope="function")]
