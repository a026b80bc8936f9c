"""One working day with a context, told through every client: asynchronous and blocking, local and over a server."""

import inspect
import re
from collections.abc import Iterator
from typing import Any

import pytest

from commontrace import AsyncClient, Client, connect, connect_async
from commontrace._async.contexts import AsyncContextRepository, AsyncContexts
from commontrace._async.contexts.syncing import AsyncSyncing
from commontrace._sync.contexts import ContextRepository, Contexts
from commontrace.errors import CommonTraceError
from commontrace.models.contexts import NewCommit
from commontrace.models.contributors import NewApiKey
from doors import Server

pytestmark = pytest.mark.both_databases


def slot(place: int) -> Any:
    """Stands in the day for a message of the current window, by its place."""

    async def find(handle: Any) -> str:
        return str((await settled(handle.window(explain=True))).explanation[place].slot_id)

    return find


async def back(handle: Any) -> Any:
    """Stands in the day for the way back to the window before."""
    return await settled(handle.diff("HEAD", "HEAD~1"))


async def sent(handle: Any) -> Any:
    """Stands in the day for the window that a model was given."""
    return await settled(handle.window())


async def newest_call(handle: Any) -> int:
    """Stands in the day for the number of the call that was recorded last."""
    found: int = (await settled(handle.calls(1)))[0].call_id
    return found


USAGE = {"object": "chat.completion", "model": "gpt-4o", "usage": {"prompt_tokens": 90, "completion_tokens": 5}}
VOLATILE = {
    "call_id",
    "request_sha256",
    "size",
    "bytes",
    "created_at",
    "expires_at",
    "author",
    "author_name",
    "contributor",
    "working_copy",
    "operation_id",
}
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
    ("window", (), {"format": "messages", "budget": 40}),
    ("window", (), {"budget": 1}),
    ("window", ("mian",), {}),
    ("branch", ("main",), {}),
    ("edit", (slot(1), "Why does it fail, and since when?"), {}),
    ("pin", (slot(1),), {"reason": "the task"}),
    ("skip", (slot(-1),), {}),
    ("undo", (), {}),
    ("annotate", ("important",), {"select": "type:tool"}),
    ("remove", (slot(2),), {}),
    ("undo", (), {}),
    ("slot", (slot(1),), {}),
    ("move", (slot(2),), {}),
    ("undo", (), {}),
    ("notes", (), {"keep": ["/line \\d+/"]}),
    ("revert", ("HEAD~3",), {}),
    ("compress", ("type:tool",), {"text": "Looked."}),
    ("expand", (slot(-1),), {"dry_run": True}),
    ("expand", (slot(2),), {"dry_run": True}),
    ("restore", (slot(0),), {}),
    ("apply", (back,), {}),
    ("plan", (30,), {}),
    ("plan", (1,), {}),
    ("branch", ("other", "asked"), {}),
    ("user", ("An aside.",), {}),
    ("commit", ("aside",), {}),
    ("rebase", ("main",), {}),
    ("cherry_pick", ("main~1",), {}),
    ("reset", ("HEAD~1",), {}),
    ("resolve", (), {"strategy": "ours"}),
    ("switch", ("main",), {}),
    ("label", ("good",), {}),
    ("labels", (), {}),
    ("delete_label", ("good",), {}),
    ("claim", (), {"minutes": 5}),
    ("release", (), {}),
    ("spawn", ("child",), {}),
    ("assistant", ("Found by a child.",), {}),
    ("commit", ("found",), {}),
    ("switch", ("main",), {}),
    ("collapse", ("child",), {"text": "A child found it."}),
    ("record_call", (sent,), {"usage": USAGE, "format": "openai"}),
    ("window", (), {"model": "gpt-4o"}),
    ("calls", (), {}),
    ("rebuild_call", (newest_call,), {}),
    ("usage", (), {}),
    ("grep", ("traceback",), {"limit": 1}),
    ("blame", (), {"grep": "child"}),
    ("verify", (), {"full": True}),
    ("gc", (), {"dry_run": True}),
    ("purge", ("Found by a child",), {"reason": "private"}),
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
    ("share", (), {}),
    ("share", ("private",), {}),
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
            return type(value).__name__, self._plain(str(value))
        if isinstance(value, (list, tuple)):
            return [self._plain(item) for item in value]
        if hasattr(value, "model_dump"):
            return self._plain(value.model_dump(mode="json"))
        if isinstance(value, dict):
            return {self._plain(name): name if name in VOLATILE else self._plain(item) for name, item in value.items()}
        if isinstance(value, bytes):  # full of ids, all of one length
            return len(value)
        return self._said(value) if isinstance(value, str) else value

    def _said(self, text: str) -> str:
        timeless = re.sub(r"\d{4}-\d\d-\d\dT[\d:.+]+", "a time", text)
        return re.sub(r"\b[0-9a-f]{10,64}\b", self._name, timeless)

    def _name(self, found: re.Match[str]) -> str:
        return self._names.setdefault(found[0][:10], f"id {len(self._names)}")


async def settled(answer: Any) -> Any:
    """The answer of a client, whichever it is."""
    return await answer if inspect.isawaitable(answer) else answer


async def tell(client: AsyncClient | Client) -> list[Any]:
    """Live through the day; `await` where the client wants it."""
    telling, handle = Telling(), client.contexts.open("day")
    for name, arguments, options in DAY:
        owner: Any = client.contexts if name.startswith(".") else handle
        try:
            given = [await argument(handle) if callable(argument) else argument for argument in arguments]
            telling.add(await settled(getattr(owner, name.removeprefix("."))(*given, **options)))
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
    assert answers["82 delete_tag"][0] == "NotFoundError"
    assert [commit["message"] for commit in answers["84 .commits_of_trace"]] == ["the question"]
    assert answers["86 store"][0] == "RefMovedError"


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
    between_stores = offered(AsyncSyncing)  # which have tests of their own
    assert offered(AsyncContextRepository) <= {name for name, _, _ in DAY} | between_stores
    assert offered(AsyncContexts) <= {"open", "create", *(name.removeprefix(".") for name, _, _ in DAY)}


@pytest.mark.parametrize(("one", "other"), [(AsyncContexts, Contexts), (AsyncContextRepository, ContextRepository)])
def test_blocking_and_asynchronous_clients_offer_the_same(one: type, other: type) -> None:
    def signatures(kind: type) -> dict[str, str]:
        found = {name: str(inspect.signature(getattr(kind, name))) for name in offered(kind)}
        plain = {
            name: re.sub(r"collections\.abc\.Awaitable\[([^\[\]]*)\]", r"\1", text) for name, text in found.items()
        }
        return {name: text.replace("Async", "").replace("_async", "_sync") for name, text in plain.items()}

    assert signatures(one) == signatures(other)
