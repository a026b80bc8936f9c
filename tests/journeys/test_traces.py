"""The whole story of a trace, through every door: in this process and over HTTP, blocking and not."""

import inspect
import json
import re
import shutil
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from pydantic import BaseModel

from commontrace import AsyncClient, Client, connect, connect_async
from commontrace.errors import CommonTraceError
from commontrace.models.contributors import NewApiKey
from commontrace.models.search import Query
from commontrace.models.traces import AmendmentProposal, Evidence
from doors import People, serving
from factories import contribution

DOORS = ["local async", "local blocking", "http async", "http blocking"]


class Awaitable:
    """A blocking client that can be used as if it were the asynchronous one."""

    def __init__(self, blocking: Any) -> None:
        self._blocking = blocking

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._blocking, name)
        if inspect.isgeneratorfunction(found):
            return _asynchronous(found)
        if not callable(found):
            return Awaitable(found)

        async def call(*arguments: Any, **named: Any) -> Any:
            return found(*arguments, **named)

        return call


def _asynchronous(generator: Callable[[], Iterator[Any]]) -> Callable[[], AsyncIterator[Any]]:
    async def items() -> AsyncIterator[Any]:
        for item in generator():
            yield item

    return items


@asynccontextmanager
async def enter(door: str, address: str, key: str) -> AsyncIterator[AsyncClient]:
    """A client through one of the doors."""
    if door.endswith("async"):
        async with connect_async(address, api_key=key) as client:
            yield client
    else:
        with connect(address, api_key=key) as blocking:
            yield Awaitable(blocking)  # type: ignore[misc]  # behaves as one


class Transcript:
    """What a story said, with everything that is different each time replaced by its order of appearance."""

    def __init__(self) -> None:
        self._lines: list[str] = []

    async def ask(self, said: Any) -> Any:
        """Note an answer, or the error in its place."""
        try:
            answer = await said
        except CommonTraceError as error:
            self._lines.append(f"{type(error).__name__}: {error} {json.dumps(error.extra)}")
            return None
        items = answer if isinstance(answer, list) else [answer]
        self._lines += [item.model_dump_json() if isinstance(item, BaseModel) else repr(item) for item in items]
        return answer

    def text(self) -> str:
        """The transcript, comparable between doors."""
        names: dict[str, str] = {}

        def named(match: re.Match[str]) -> str:
            return names.setdefault(match[0], f"<{len(names)}>")

        times = re.sub(r"\d{4}-\d\d-\d\dT[\d:.]+Z", "<time>", "\n".join(self._lines))
        # A content address is the same everywhere and stays; ids are random, and their prefixes too.
        return re.sub(r"(?<![0-9a-f])(?:[0-9a-f]{32}|[0-9a-f]{16}|[0-9a-f]{10}|[0-9a-f]{8})(?![0-9a-f])", named, times)


async def story(mine: AsyncClient, others: AsyncClient, note: Transcript) -> None:
    """Everything a trace can live through."""
    ask = note.ask
    await ask(mine.contributors.me())
    preview = await ask(mine.traces.contribute(contribution(visibility="team", dry_run=True)))
    stored = await ask(mine.traces.contribute(contribution(visibility="team", idempotency_key="once")))
    assert stored.version_id == preview.version_id
    await ask(mine.traces.contribute(contribution(visibility="team", idempotency_key="once")))
    await ask(mine.traces.contribute(contribution(1, idempotency_key="once")))
    await ask(mine.traces.contribute(contribution(title="Much the same")))
    await ask(mine.traces.contribute(contribution(1, solution="fixed")))
    known = stored.trace_id
    await ask(others.traces.vote(known, "worked"))
    await ask(others.traces.query("database is locked by several processes"))
    await ask(others.traces.query(Query(error=contribution().errors[0], detail="full", explain=True)))
    await ask(others.traces.query("nothing of the kind"))
    await ask(others.traces.query(""))
    await ask(others.traces.vote(known, "worked", evidence=Evidence(command="pytest", exit_after=0)))
    await ask(others.traces.vote(known, "outdated"))
    await ask(others.traces.vote(known, "worked_with_changes", "raised the timeout too"))
    await ask(mine.traces.vote(known, "worked"))
    proposed = await ask(
        others.traces.amend(known, AmendmentProposal(solution="Use a queue and one writer.", reason="r"))
    )
    await ask(mine.traces.amendments(known))
    await ask(others.traces.decide(proposed.amendment_id, accept=True))
    await ask(mine.traces.decide(proposed.amendment_id, accept=True, note="thank you"))
    await ask(mine.traces.history(known))
    await ending(mine, others, note, known)


async def ending(mine: AsyncClient, others: AsyncClient, note: Transcript, known: str) -> None:
    """Moderation, links, publication, withdrawal, and what lies around a trace."""
    ask = note.ask
    flag = await ask(others.traces.flag(known, "outdated", "since 3.46"))
    await ask(mine.traces.flags(known))
    await ask(others.traces.unflag(flag.flag_id))
    other = await ask(mine.traces.contribute(contribution(2)))
    await ask(mine.traces.link(known, "extends", other.trace_id))
    await ask(mine.traces.unlink(known, "extends", other.trace_id))
    await ask(mine.traces.publish(known, dry_run=True))
    await ask(mine.traces.publish(known))
    await ask(mine.traces.withdraw(known, "wrong"))
    await ask(others.traces.get(known))
    await ask(mine.traces.restore(known))
    await ask(others.traces.get(known[:12]))
    await ask(mine.tags.list("s", limit=5))
    await ask(mine.traces.page(limit=1))
    for trace in [item async for item in mine.traces.all()]:
        await ask(mine.traces.get(trace.trace_id))
    created = await ask(mine.contributors.create_key(NewApiKey(contributor="third", expires_in_days=1)))
    note._lines.pop()  # it shows a secret
    await ask(mine.contributors.revoke_key(created.key_id))
    await ask(others.contributors.keys())
    await ask(mine.traces.get("nonsense"))


async def told(door: str, url: str) -> str:
    """The transcript of the story through one door, on a store of its own."""
    note = Transcript()
    async with connect_async(url) as owner, connect_async(url, api_key="") as keyed:
        people = People(owner, keyed)
        ann = await people.key("ann", scopes=("read", "contribute", "vote", "admin"))
        bo = await people.key("bo")
    with serving(url) as server:
        address = url if door.startswith("local") else server.url
        async with enter(door, address, ann) as mine, enter(door, address, bo) as others:
            await story(mine, others, note)
    return note.text()


async def test_the_story_of_a_trace_is_the_same_through_every_door(template: Path, tmp_path: Path) -> None:
    stories = {}
    for door in DOORS:
        path = shutil.copy(template, tmp_path / f"{door}.db")
        stories[door] = await told(door, f"sqlite:///{path}")
    first, *others = stories.values()
    assert first.count("\n") > 35
    for other in others:
        assert other == first


async def test_the_story_of_a_trace_is_the_same_in_postgresql(url: str, postgres_url: str) -> None:
    assert await told("http async", postgres_url) == await told("local async", url)


def test_the_blocking_client_has_every_operation_of_the_asynchronous_one() -> None:
    def operations(client: type) -> set[str]:
        return {name for name in vars(client) if not name.startswith("_")}

    assert operations(Client) == {name.replace("aclose", "close") for name in operations(AsyncClient)}
