"""One working day with a context, told through every client: asynchronous and blocking, local and over a server."""

import inspect
import re
from collections.abc import Iterator
from typing import Any

import pytest

from commontrace import AsyncClient, Client, connect, connect_async
from commontrace._async.contexts import AsyncContextRepository, AsyncContexts
from commontrace._sync.contexts import ContextRepository, Contexts
from commontrace.errors import CommonTraceError
from commontrace.models.contexts import NewCommit
from commontrace.models.contributors import NewApiKey
from doors import Server

pytestmark = pytest.mark.both_databases

CALL = {"id": "a", "type": "function", "function": {"name": "run", "arguments": "{}"}}
# What is called on the handle, or with a dot in front on the client's contexts, and with what.
DAY: list[tuple[str, tuple[Any, ...], dict[str, Any]]] = [
    ("window", (), {}),
    ("system", ("Be brief.",), {}),
    ("user", ("Why does it fail?",), {}),
    ("commit", ("the question",), {"agent": "claude", "trace_ids": ["ab" * 16]}),
    ("tag", ("asked",), {}),
    ("branch", ("try/one",), {}),
    ("add", ({"role": "assistant", "content": "Let me see.", "tool_calls": [CALL]},), {}),
    ("add", ({"role": "tool", "tool_call_id": "a", "content": "a traceback"},), {}),
    ("commit", (), {"message": "looked"}),
    ("assistant", ("A dead end.",), {}),
    ("commit", ("gave up",), {}),
    ("undo", (), {}),
    ("redo", (), {}),
    ("undo", (), {}),
    ("switch", ("main",), {}),
    ("assistant", ("Meanwhile, on main.",), {}),
    ("commit", ("meanwhile",), {}),
    ("merge", ("try/one",), {"dry_run": True}),
    ("merge", ("try/one",), {"message": "bring it home"}),
    ("merge", ("try/one",), {}),
    ("status", (), {}),
    ("branches", (), {}),
    ("log", (), {"limit": 2}),
    ("log", (), {"grep": "traceback"}),
    ("diff", ("asked",), {}),
    ("window", (), {"format": "openai", "explain": True}),
    ("window", ("HEAD^",), {"format": "anthropic"}),
    ("window", (), {"format": "messages", "max_tokens": 40}),
    ("window", (), {"max_tokens": 1}),
    ("window", ("mian",), {}),
    ("branch", ("main",), {}),
    ("get", ("main~1",), {}),
    ("tags", (), {}),
    ("delete_branch", ("try/one",), {}),
    ("delete_tag", ("asked",), {}),
    ("delete_tag", ("asked",), {}),
    ("operations", (), {"limit": 3}),
    (".commits_of_trace", ("ab" * 16,), {}),
    (".repositories", (), {}),
    ("store", (NewCommit(messages=[{"role": "user", "content": "bye"}], expected_head="0" * 64),), {}),
    ("bundle", (), {}),
    ("bundle", (["main"],), {"since": ["main~1"]}),
    ("import_bundle", (b"nonsense",), {}),
    ("import_transcript", (['[{"role": "user", "content": "from elsewhere"}]'],), {}),
    ("import_transcript", (['[{"role": "user", "content": "from elsewhere"}]'], "anthropic"), {}),
    ("export", ("openai",), {}),
    ("session", ("main",), {"folder": "/work", "session_id": "1f2e3d4c-0000-4000-8000-000000000000"}),
]


def offered(kind: type) -> set[str]:
    """The public methods."""
    return {name for name, _ in inspect.getmembers(kind, inspect.isfunction) if not name.startswith("_")}


class Telling:
    """What was answered, with ids and times named in the order in which they came up."""

    def __init__(self) -> None:
        self.answers: list[Any] = []
        self._names: dict[str, str] = {}

    def add(self, answer: Any) -> None:
        self.answers.append(self._plain(answer))

    def _plain(self, value: Any) -> Any:
        if isinstance(value, CommonTraceError):
            return type(value).__name__, re.sub(r"[0-9a-f]{10}", "an id", str(value))
        if isinstance(value, (list, tuple)):
            return [self._plain(item) for item in value]
        if hasattr(value, "model_dump"):
            return self._plain(value.model_dump(mode="json"))
        if isinstance(value, dict):
            return {name: self._named(name, item) for name, item in value.items()}
        if isinstance(value, bytes):  # full of ids, all of one length
            return len(value)
        if isinstance(value, str):
            return self._names.get(value[:10], re.sub(r"\d{4}-\d\d-\d\dT[\d:.+]+", "a time", value))
        return value

    def _named(self, name: str, value: Any) -> Any:
        if name in {"created_at", "author", "contributor", "working_copy", "operation_id"}:
            return name
        if name == "next_ref" and isinstance(value, str):
            return [self._named("commit_id", part) for part in value.split(",")]
        if name in {"commit_id", "short_id"} and isinstance(value, str):
            return self._names.setdefault(value[:10], f"commit {len(self._names)}")
        return self._plain(value)


async def tell(client: AsyncClient | Client) -> list[Any]:
    """Live through the day; `await` where the client wants it."""
    telling, handle = Telling(), client.contexts.open("day")
    for name, arguments, options in DAY:
        owner: Any = client.contexts if name.startswith(".") else handle
        try:
            answer = getattr(owner, name.removeprefix("."))(*arguments, **options)
            telling.add(await answer if inspect.isawaitable(answer) else answer)
        except CommonTraceError as error:
            telling.add(error)
    return telling.answers


@pytest.fixture
def key(blocking: Client) -> str:
    """A key on the server."""
    return blocking.contributors.create_key(NewApiKey(contributor="ann")).key


@pytest.fixture
def far(server: Server, key: str) -> Iterator[Client]:
    """A blocking client on the server."""
    with connect(server.url, api_key=key) as client:
        yield client


async def test_the_day_goes_as_it_should(client: AsyncClient) -> None:
    answers = dict(zip([f"{number} {step[0]}" for number, step in enumerate(DAY)], await tell(client), strict=True))
    assert answers["0 window"][0] == "NotFoundError"
    assert answers["3 commit"]["messages"] == 2
    assert answers["11 undo"]["summary"] == answers["12 redo"]["summary"] == "gave up"
    assert (answers["17 merge"]["commit_id"], answers["17 merge"]["added"]) == (None, 2)
    assert (answers["18 merge"]["kind"], answers["19 merge"]["kind"]) == ("merged", "up_to_date")
    assert answers["20 status"]["messages"] == 5
    assert [commit["message"] for commit in answers["22 log"]["commits"]] == ["bring it home", "meanwhile"]
    assert [commit["message"] for commit in answers["23 log"]["commits"]] == ["looked"]
    assert [change["text"][:9] for change in answers["24 diff"]["changes"]] == ["Meanwhile", "Let me se", "[result a"]
    assert [message["role"] for message in answers["25 window"]["messages"]] == [
        "system",
        "user",
        "assistant",
        "assistant",
        "tool",
    ]
    assert answers["26 window"]["system"] == "Be brief."
    assert answers["28 window"][0] == "InvalidInputError"
    assert answers["29 window"][1].endswith("There is main.")
    assert answers["30 branch"][0] == "ConflictError"
    assert answers["35 delete_tag"][0] == "NotFoundError"
    assert [commit["message"] for commit in answers["37 .commits_of_trace"]] == ["the question"]
    assert answers["39 store"][0] == "RefMovedError"


async def test_every_client_lives_through_the_same_day(
    client: AsyncClient, tmp_path: Any, far: Client, key: str
) -> None:
    expected = await tell(client)
    with connect(f"sqlite:///{tmp_path / 'other.db'}") as blocking:
        assert await tell(blocking) == expected
    assert await tell(far) == expected


async def test_the_same_day_over_a_server(client: AsyncClient, server: Server, key: str) -> None:
    expected = await tell(client)
    async with connect_async(server.url, api_key=key) as over:
        assert await tell(over) == expected


def test_the_day_uses_everything_that_a_client_offers() -> None:
    assert offered(AsyncContextRepository) <= {name for name, _, _ in DAY}
    assert offered(AsyncContexts) <= {"open", *(name.removeprefix(".") for name, _, _ in DAY)}


@pytest.mark.parametrize(("one", "other"), [(AsyncContexts, Contexts), (AsyncContextRepository, ContextRepository)])
def test_blocking_and_asynchronous_clients_offer_the_same(one: type, other: type) -> None:
    def signatures(kind: type) -> dict[str, str]:
        found = {name: str(inspect.signature(getattr(kind, name))) for name in offered(kind)}
        return {name: text.replace("Async", "").replace("_async", "_sync") for name, text in found.items()}

    assert signatures(one) == signatures(other)
