"""The server over HTTP: every caller is who their own key or token says, whichever process answers."""

import asyncio
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx2
import pytest
from mcp.client.subscriptions import listen
from mcp.server.subscriptions import ResourceUpdated

from commontrace import AsyncClient, connect_async
from commontrace.errors import RateLimitedError
from commontrace.mcp.verifying import REMEMBERED, CallerVerifier
from commontrace.models.contributors import NewIdentity, NewToken
from commontrace.settings import Settings
from doors import People, serving
from identities import AUDIENCE, identity_provider
from remote_mcp import bearer, day, mcp_client, serving_mcp

COMMONTRACE = str(Path(sys.executable).parent / "commontrace")
FOUND: dict[str, str] = {"title": "Port taken", "problem": "EADDRINUSE", "solution": "run `lsof -i`"}
LISTING = {"jsonrpc": "2.0", "id": 1, "method": "tools/list", "params": {}}
HEADERS = {"Accept": "application/json, text/event-stream", "Content-Type": "application/json"}


@pytest.fixture(params=["http", "sse"])
def remote(request: pytest.FixtureRequest, url: str) -> Iterator[str]:
    """The server over HTTP on the store, by either transport."""
    with serving_mcp(url, request.param) as address:
        yield address


@pytest.fixture
def address(url: str) -> Iterator[str]:
    """The server over streamable HTTP on the store."""
    with serving_mcp(url) as running:
        yield running


async def status(url: str, headers: dict[str, Any]) -> int:
    async def first() -> int:
        method = "GET" if url.endswith("sse") else "POST"
        async with httpx2.AsyncClient() as web, web.stream(method, url, headers=headers) as answer:
            return answer.status_code

    return await asyncio.wait_for(first(), 10)


async def asked(url: str, key: str, **headers: str) -> httpx2.Response:
    """The answer to a request for the list of tools."""
    async with httpx2.AsyncClient() as web:
        return await web.post(url, json=LISTING, headers=HEADERS | bearer(key) | headers)


async def test_over_http_each_caller_is_who_their_key_says(remote: str, people: People) -> None:
    ann, ben = await people.key("ann"), await people.key("ben")
    async with mcp_client(remote, ann) as mcp:
        stored = await mcp.call_tool("contribute_trace", {**FOUND, "visibility": "team"})
    assert stored.structured_content is not None
    trace_id = stored.structured_content["trace_id"]
    async with mcp_client(remote, ben) as mcp:
        await mcp.call_tool("query_traces", {"ids": [trace_id]})
        vote = await mcp.call_tool("vote_trace", {"trace_id": trace_id, "outcome": "worked"})
    assert vote.structured_content is not None
    assert not vote.structured_content["self_report"]
    assert (await people.owner.traces.get(trace_id)).contributor.name == "ann"


async def test_over_http_no_key_and_a_wrong_key_are_turned_away(remote: str) -> None:
    for headers in ({}, bearer("ct_live_00000000_nonsense"), bearer("a.b.c"), {"Authorization": b"Bearer \xe9"}):
        assert await status(remote, headers) == 401


async def test_over_http_a_foreign_host_or_origin_is_turned_away(remote: str, people: People) -> None:
    key = await people.key("ann")
    for bad in ({"Host": "evil.example"}, {"Origin": "https://evil.example"}):
        assert await status(remote, {**bearer(key), **bad}) in {403, 421}


async def test_over_http_a_key_that_is_revoked_meanwhile_opens_nothing_more(remote: str, people: People) -> None:
    key = await people.key("ann")
    async with mcp_client(remote, key) as mcp:
        await mcp.call_tool("query_traces", {"query": "before"})
        await people.owner.contributors.revoke_key(key.split("_")[2])
        refused = await mcp.call_tool("query_traces", {"query": "after"}, raise_on_error=False)
    assert refused.is_error
    assert "was revoked" in str(refused.content)


async def test_over_http_nobody_hears_of_what_others_change(address: str, people: People) -> None:
    said = {"messages": [{"role": "user", "content": "hello"}]}
    watched = [f"commontrace://branches/{name}" for name in ("theirs", "mine")]
    async with (
        mcp_client(address, await people.key("ann")) as mine,
        mcp_client(address, await people.key("ben")) as theirs,
        listen(mine.session, resource_subscriptions=watched) as events,
    ):
        await theirs.call_tool("context_commit", {**said, "repository": "theirs"})
        await mine.call_tool("context_commit", {**said, "repository": "mine"})
        async with asyncio.timeout(10):
            assert await anext(aiter(events)) == ResourceUpdated("commontrace://branches/mine")


async def test_over_http_a_token_acts_as_its_key_and_no_further(address: str, people: People) -> None:
    ann = await people("ann")
    given = await ann.contributors.create_token(NewToken(scopes=["read", "contribute"]))
    async with mcp_client(address, given.token) as mcp:
        stored = await mcp.call_tool("contribute_trace", {**FOUND, "visibility": "team"})
        assert stored.structured_content is not None
        trace_id = stored.structured_content["trace_id"]
        refused = await mcp.call_tool("vote_trace", {"trace_id": trace_id, "outcome": "worked"}, raise_on_error=False)
    assert "may not vote" in str(refused.content)
    assert (await people.owner.traces.get(trace_id)).contributor.name == "ann"


async def test_over_http_a_key_that_may_only_contribute_contributes(address: str, people: People) -> None:
    async with mcp_client(address, await people.key("bot", scopes=("contribute",))) as mcp:
        assert (await mcp.call_tool("contribute_trace", dict(FOUND))).structured_content is not None
        refused = await mcp.call_tool("query_traces", {"query": "x"}, raise_on_error=False)
    assert "may not read" in str(refused.content)


async def test_over_http_who_signed_in_elsewhere_is_told_where_and_let_in(
    client: AsyncClient, url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with identity_provider() as provider:
        monkeypatch.setenv("COMMONTRACE_OIDC_ISSUER", provider.url)
        monkeypatch.setenv("COMMONTRACE_PUBLIC_URL", AUDIENCE)
        wanted = NewIdentity.of(issuer=provider.url, subject="ann-1", contributor="ann")
        with serving_mcp(url) as address:
            nobody = await asked(address, "wrong")
            async with httpx2.AsyncClient() as web:
                described = (await web.get(address.replace("/mcp", "/.well-known/oauth-protected-resource/mcp"))).json()
            await client.contributors.create_identity(wanted)
            async with mcp_client(address, provider.token()) as mcp:
                stored = await mcp.call_tool("contribute_trace", {**FOUND, "visibility": "team"})
    assert nobody.status_code == 401
    metadata = f'resource_metadata="{AUDIENCE}/.well-known/oauth-protected-resource/mcp"'
    assert metadata in nobody.headers["WWW-Authenticate"]
    assert described["resource"] == f"{AUDIENCE}/mcp"
    assert described["authorization_servers"] == [provider.url]
    assert stored.structured_content is not None
    known = await client.traces.get(stored.structured_content["trace_id"])
    assert known.contributor.name == "ann"


async def test_over_http_who_asks_too_often_is_told_when_to_come_back(
    url: str, people: People, monkeypatch: pytest.MonkeyPatch
) -> None:
    key = await people.key("ann")
    monkeypatch.setenv("COMMONTRACE_RATE_READS", "3")
    with serving_mcp(url) as address:
        async with mcp_client(address, key) as mcp:
            answers = [await mcp.call_tool("query_traces", {"query": "x"}, raise_on_error=False) for _ in range(4)]
        refused = [str(answer.content) for answer in answers if answer.is_error]
    assert "made all the reads that it may for now: 3 in 60 s. Try again in" in refused[0]


async def test_who_calls_is_asked_again_after_some_seconds_and_never_mistaken(
    url: str, people: People, monkeypatch: pytest.MonkeyPatch
) -> None:
    ann, ben = await people.key("ann"), await people.key("ben")
    ids = [(await people.keyed.acting_as(key).contributors.me()).contributor_id for key in (ann, ben)]
    monkeypatch.setenv("COMMONTRACE_RATE_READS", "2")
    now = 0.0
    async with connect_async(url, api_key="") as counting:
        verifier = CallerVerifier(lambda: counting, Settings(), lambda: now)
        for _ in range(10):
            found = [await verifier.verify_token(key) for key in (ann, ben)]
            assert [one and one.client_id for one in found] == ids
        await people.owner.contributors.revoke_key(ann.split("_")[2])
        now = REMEMBERED - 0.1
        assert await verifier.verify_token(ann) is not None
        now = REMEMBERED
        assert await verifier.verify_token(ann) is None
        assert await verifier.verify_token(ann) is None  # that it was bad is not remembered
        assert await verifier.verify_token(ben) is not None
        now = 2 * REMEMBERED
        with pytest.raises(RateLimitedError):
            await verifier.verify_token(ben)


async def test_over_http_a_caller_who_cannot_be_told_is_asked_to_come_back(people: People) -> None:
    key = await people.key("ann")
    with socket.create_server(("127.0.0.1", 0)) as closed:
        port = closed.getsockname()[1]
    with serving_mcp(f"http://127.0.0.1:{port}") as address:
        answer = await asked(address, key)
    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "1")
    assert answer.json() == {"error": "unavailable", "error_description": "The knowledge base cannot be asked for now."}


async def test_over_http_a_body_over_four_mebibytes_is_refused(address: str, people: People) -> None:
    async with httpx2.AsyncClient() as web:
        headers = HEADERS | bearer(await people.key("ann"))
        assert (await web.post(address, content=b" " * (4 << 20) + b" ", headers=headers)).status_code == 413
        assert (await web.post(address, content=b" " * (4 << 20), headers=headers)).status_code == 400


@contextmanager
def _process(backend: str) -> Iterator[str]:
    """The server as a process of its own, behind a proxy that is called traces.example.com."""
    with socket.create_server(("127.0.0.1", 0)) as found:
        port = found.getsockname()[1]
    named = ("--port", str(port), "--allowed-host", "traces.example.com")
    command = [COMMONTRACE, "mcp", "--transport", "http", "--url", backend, *named]
    with subprocess.Popen(command, stderr=subprocess.DEVNULL) as process:
        try:
            yield f"http://127.0.0.1:{port}/mcp"
        finally:
            process.kill()


async def _answering(address: str) -> None:
    async with httpx2.AsyncClient() as web:
        for _ in range(600):
            try:
                await web.get(address)
            except httpx2.HTTPError:
                await asyncio.sleep(0.05)
            else:
                return
    raise AssertionError("the server does not start")


async def test_any_of_several_servers_takes_the_next_request(url: str, people: People) -> None:
    keys = (await people.key("ann"), await people.key("ben"))
    with serving(url) as one, serving(url) as other, serving_mcp(other.url) as near, _process(one.url) as apart:
        await _answering(apart)
        await day([near, apart], keys, "auto")
        await day([near, apart], keys, "legacy")
        assert (await asked(apart, keys[0], Host="traces.example.com")).status_code != 421
        assert (await asked(apart, keys[0], Host="evil.example.com")).status_code == 421
