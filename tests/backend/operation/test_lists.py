"""Lists: whatever grows is read page by page, each item once, whatever comes meanwhile."""

import base64
import json
from collections.abc import Iterator
from typing import Any, Final

import httpx2
import pytest

from commontrace import AsyncClient
from commontrace.models.contexts import NewCommit
from commontrace.models.contributors import NewApiKey
from commontrace.models.traces import AmendmentProposal
from commontrace_backend.app import create_app
from commontrace_backend.settings import BackendSettings
from factories import contribution

API: Final = "/api/v1"
HERE: Final = f"{API}/contexts/{{repository}}"
WITHOUT: Final = {
    f"{API}/wanted": "a ranking: only its top is meant, 100 at most",
    f"{API}/log/consistency": "a proof: the logarithm of the log's size",
    f"{API}/traces/{{trace_id}}/proof": "a proof: the logarithm of the log's size",
    f"{API}/log/audit": "problems: none in a sound store",
    f"{API}/traces/{{trace_id}}": "one trace whole, with its links",
    f"{API}/traces/{{trace_id}}/history": "one trace whole, as another store takes it",
    f"{API}/contributors/{{contributor_id}}/reputation": "one row a tag, which are sums",
    f"{HERE}/commits/{{ref}}": "one commit, with its names",
    f"{HERE}/log": "goes on at next_ref, a place in the history that may be typed",
    f"{HERE}/window": "a window: a budget bounds it",
    f"{HERE}/diff": "two windows, which budgets bound",
    f"{HERE}/blame": "a window",
    f"{HERE}/status": "a window",
    f"{HERE}/calls/{{call_id}}": "a window",
    f"{HERE}/slots/{{slot}}": "one message whole",
    f"{HERE}/ancestry": "for copies: of a history that does not change, skip is a place",
    f"{HERE}/verify": "problems: none in a sound context",
    f"{HERE}/grep": "goes on behind `next`, a place among the messages",
    f"{HERE}/usage": "one row a model, which are sums",
    f"{API}/me": "scopes: four at most",
    f"{API}/jobs": "the kinds of jobs that there are",
    "/health/ready": "the checks that there are",
}
"""Answers that hold a list and have no cursor, each with its reason."""


def described() -> dict[str, Any]:
    """The description of a server."""
    return create_app(BackendSettings(database_url="sqlite:///none.db")).openapi()


def with_lists(description: dict[str, Any]) -> Iterator[tuple[str, set[str], dict[str, Any]]]:
    """Every GET whose answer is or holds a list: path, parameters, and the fields of the answer."""
    schemas = description["components"]["schemas"]
    for path, operations in description["paths"].items():
        content = operations.get("get", {}).get("responses", {}).get("200", {}).get("content", {})
        answer = content.get("application/json", {}).get("schema", {})
        fields = schemas[answer["$ref"].rpartition("/")[2]]["properties"] if "$ref" in answer else {"": answer}
        if any(kind.get("type") == "array" for field in fields.values() for kind in (field, *field.get("anyOf", ()))):
            yield path, {one["name"] for one in operations["get"].get("parameters", ())}, fields


def test_every_list_that_grows_has_a_cursor() -> None:
    found = list(with_lists(described()))
    assert {path for path, given, _ in found if not {"cursor", "limit"} <= given} == WITHOUT.keys()
    paged = [(path, fields) for path, given, fields in found if "cursor" in given]
    assert [path for path, fields in paged if "next_cursor" not in fields] == [f"{API}/sync/changes"]
    assert len(paged) > 15


async def read(http: httpx2.AsyncClient, path: str, limit: int) -> list[Any]:
    """Every item of a list, in pages of a size."""
    found: list[Any] = []
    cursor = ""
    while True:
        page = (await http.get(API + path, params={"limit": limit, "cursor": cursor})).raise_for_status().json()
        items = page["traces"] if path == "/traces" else page["items"]
        assert len(items) <= limit
        found += items
        cursor = page["next_cursor"]
        if cursor is None:
            return found


@pytest.fixture
async def filled(client: AsyncClient) -> str:
    """A store with a few of everything; gives the id of a trace."""
    context = client.contexts.open("pages")
    for number in range(4):
        await context.store(NewCommit(messages=[{"role": "user", "content": str(number)}], message=f"m{number}"))
        await context.branch(f"b{number}")
        await context.tag(f"t{number}")
        await context.label("same")
        await context.record_call(await context.window(), model="gpt-4o")
        await client.contributors.create_key(NewApiKey(contributor=f"p{number}", organization=f"o{number}"))
        await client.contexts.create(f"other{number}")
        await client.vouches.add(f"o{number}", "known")
    traces = [str((await client.traces.contribute(contribution(number))).trace_id) for number in range(4)]
    for number in range(3):
        await client.traces.amend(traces[0], AmendmentProposal(applies_when=f"n{number}", reason="r"))
    await context.store(NewCommit(messages=[{"role": "user", "content": "x"}], trace_ids=[traces[0]]))
    await context.store(NewCommit(messages=[{"role": "user", "content": "y"}], trace_ids=[traces[0], traces[0][:8]]))
    await client.traces.unflag((await client.traces.flag(traces[0], "spam")).flag_id)
    for trace in traces[:2]:
        await client.traces.flag(trace, "spam")
    return traces[0]


LISTS: Final = {
    "/traces": 4,
    "/tags": 7,
    "/keys": 4,
    "/vouches": 4,
    "/reviews": 2,
    "/reviews/decisions": 4,
    "/contexts": 5,
    "/contexts/pages/branches": 5,
    "/contexts/pages/tags": 4,
    "/contexts/pages/labels": 4,
    "/contexts/pages/calls": 4,
    "/contexts/pages/operations": 18,
    "/traces/{trace}/versions": 4,
    "/traces/{trace}/amendments": 3,
    "/traces/{trace}/commits": 2,
    "/traces/{trace}/flags": 2,
}
"""How many items each list of the filled store has."""


@pytest.mark.both_databases
async def test_pages_of_every_size_hold_each_item_once_and_in_the_same_order(
    http: httpx2.AsyncClient, filled: str
) -> None:
    for path, size in LISTS.items():
        whole = await read(http, path.format(trace=filled), 200)
        assert len(whole) == size, path
        for limit in sorted({1, 2, max(size - 1, 1), max(size, 1)}):
            assert await read(http, path.format(trace=filled), limit) == whole, (path, limit)


async def test_what_comes_or_goes_meanwhile_neither_repeats_an_item_nor_hides_one(
    client: AsyncClient, http: httpx2.AsyncClient
) -> None:
    context = client.contexts.open("pages")
    await context.store(NewCommit(messages=[{"role": "user", "content": "x"}]))
    for number in range(4):
        await context.branch(f"b{number}", switch=False)
    first = (await http.get(f"{API}/contexts/pages/branches", params={"limit": 2})).json()
    for name in ("a-late", "b0-late", "z-late"):
        await context.branch(name, switch=False)
    await context.delete_branch(first["items"][-1]["name"], force=True)
    rest = await http.get(f"{API}/contexts/pages/branches", params={"cursor": first["next_cursor"]})
    names = [branch["name"] for branch in (*first["items"], *rest.json()["items"])]
    assert names == ["b0", "b1", "b2", "b3", "main", "z-late"]
    assert [branch.name for branch in await context.branches()] == ["a-late", "b0", "b0-late", *names[2:]]


async def test_a_branch_without_a_commit_has_its_place_among_the_pages(
    client: AsyncClient, http: httpx2.AsyncClient
) -> None:
    await client.contexts.create("unborn")
    assert [branch["name"] for branch in await read(http, "/contexts/unborn/branches", 1)] == ["main"]


async def test_the_client_gives_a_list_whole_or_as_much_as_is_wanted(client: AsyncClient) -> None:
    context = client.contexts.open("many")
    await context.store(NewCommit(messages=[{"role": "user", "content": "x"}]))
    for number in range(205):
        await context.tag(f"t{number:03}")
    names = [tag.name for tag in await context.tags()]
    assert names == [f"t{number:03}" for number in range(205)]
    assert [tag.name for tag in await context.tags(203)] == names[:203]
    assert [tag.name for tag in await context.tags(3)] == names[:3]


def cursor(*values: object) -> str:
    """A cursor that somebody made up."""
    return base64.urlsafe_b64encode(json.dumps(values).encode()).decode().rstrip("=")


BAD: Final = [
    "x",
    "ä",
    "===",
    cursor(),
    cursor("keys"),
    cursor("tag", "t0"),
    cursor("keys", "2026-01-01", "k"),
    cursor("keys", "2026-01-01T00:00:00", "k"),
    cursor("keys", "0001-01-01T00:00:00+23:00", "k"),
    cursor("keys", 5, "k"),
    cursor("keys", "2026-01-01T00:00:00+00:00", "k\0"),
    cursor("keys", "2026-01-01T00:00:00+00:00", "\ud800"),
    cursor("keys", "2026-01-01T00:00:00+00:00", "k", "more"),
    base64.urlsafe_b64encode(b"[" * 700).decode().rstrip("="),
    base64.urlsafe_b64encode(b'{"keys": 1}').decode().rstrip("="),
]


async def test_what_is_no_cursor_of_a_list_is_refused_in_the_same_words(http: httpx2.AsyncClient) -> None:
    said = [(await http.get(f"{API}/keys", params={"cursor": bad})) for bad in BAD]
    said.append(await http.get(f"{API}/traces", params={"cursor": cursor("traces", 2**40)}))
    said.append(await http.get(f"{API}/traces", params={"cursor": cursor("traces", True)}))  # noqa: FBT003 - JSON
    assert {(one.status_code, one.json()["code"], one.json()["detail"]) for one in said} == {
        (422, "invalid_input", "This cursor is malformed.")
    }
    limits = [(await http.get(f"{API}/keys", params={"limit": limit})).status_code for limit in (0, 201, 1, 200)]
    assert limits == [422, 422, 200, 200]
