"""Who may do and see what: scopes, tenants and visibility, on every route of traces and contributors."""

import re
from collections.abc import AsyncIterator
from typing import Any

import httpx2
import pytest
from fastapi.dependencies.models import Dependant
from fastapi.routing import APIRoute
from starlette.routing import Route

from commontrace import AsyncClient
from commontrace._transport import LOCAL_BASE, async_transport
from commontrace.errors import NotFoundError
from commontrace.models.contributors import Scope
from commontrace.models.search import Query
from commontrace.models.traces import AmendmentProposal, Contribution, TraceContent
from commontrace.versions import version_id
from commontrace_backend.app import create_app
from commontrace_backend.settings import BackendSettings
from doors import People
from factories import contributed, contribution, found

API = "/api/v1"
TRACE, AMENDMENT, FLAG = f"{API}/traces/{{trace_id}}", f"{API}/amendments/{{amendment_id}}", f"{API}/flags/{{flag_id}}"
SCOPES: tuple[Scope, ...] = ("read", "contribute", "vote", "admin")
LINK = {"kind": "context_used", "target": "c0ffee"}

COMMITS = ("GET", f"{TRACE}/commits")  # lists commits the caller sees, whatever the id; it looks no trace up

ANY_KEY = {("POST", f"{API}/keys/leaked"), ("GET", f"{API}/me"), ("POST", f"{API}/tokens")}


def delivery(wanted: Contribution) -> dict[str, Any]:
    """A trace as another store brings it."""
    content = TraceContent.model_validate(wanted.model_dump(include={*TraceContent.model_fields}))
    version = {"version_id": version_id(content), "content": content.model_dump(mode="json")}
    return {"versions": [version], "serves": version["version_id"]}


# Every route: the scope that it needs and a body that it accepts.
ROUTES: dict[tuple[str, str], tuple[Scope, dict[str, Any] | None]] = {
    ("GET", f"{API}/contributors/{{contributor_id}}/reputation"): ("read", None),
    ("GET", f"{API}/keys"): ("admin", None),
    ("POST", f"{API}/keys"): ("admin", {"contributor": "x"}),
    ("POST", f"{API}/identities"): ("admin", {"issuer": "https://id.example", "subject": "x", "contributor": "x"}),
    ("POST", f"{API}/keys/revocation"): ("admin", {"contributor": "nobody"}),
    ("POST", f"{API}/keys/{{key_id}}/rotation"): ("admin", {}),
    ("DELETE", f"{API}/keys/{{key_id}}"): ("admin", None),
    ("POST", f"{API}/starter"): ("admin", None),
    ("GET", f"{API}/tags"): ("read", None),
    ("GET", f"{API}/index"): ("read", None),
    ("POST", f"{API}/index"): ("admin", None),
    ("POST", f"{API}/rescan"): ("admin", None),
    ("GET", f"{API}/jobs"): ("admin", None),
    ("POST", f"{API}/jobs/retry"): ("admin", {}),
    ("POST", f"{API}/checks"): ("read", {"command": "ls"}),
    ("GET", f"{API}/wanted"): ("read", None),
    ("GET", f"{API}/log/checkpoint"): ("read", None),
    ("GET", f"{API}/log/consistency?before=0"): ("read", None),
    ("GET", f"{API}/log/audit"): ("admin", None),
    ("GET", f"{API}/traces"): ("read", None),
    ("POST", f"{API}/traces"): ("contribute", contribution(4).model_dump(mode="json")),
    ("POST", f"{API}/traces/query"): ("read", {"query": "x"}),
    ("GET", TRACE): ("read", None),
    ("GET", f"{TRACE}/versions"): ("read", None),
    ("GET", f"{TRACE}/history"): ("read", None),
    ("GET", f"{API}/sync/changes"): ("read", None),
    ("POST", f"{API}/sync/known"): ("read", {"traces": []}),
    ("POST", f"{API}/sync/traces"): ("contribute", delivery(contribution(3))),
    ("POST", f"{API}/sync/histories"): ("read", {"trace_ids": ["c0ffee"]}),
    ("POST", f"{API}/sync/deliveries"): ("contribute", {"deliveries": [delivery(contribution(3))]}),
    ("GET", f"{TRACE}/amendments"): ("read", None),
    ("GET", f"{TRACE}/flags"): ("read", None),
    COMMITS: ("read", None),
    ("POST", f"{TRACE}/votes"): ("vote", {"outcome": "worked"}),
    ("POST", f"{TRACE}/flags"): ("vote", {"reason": "spam"}),
    ("DELETE", FLAG): ("vote", None),
    ("POST", f"{TRACE}/amendments"): ("contribute", {"title": "T", "reason": "r"}),
    ("POST", f"{AMENDMENT}/decision"): ("contribute", {"accept": True}),
    ("POST", f"{TRACE}/withdrawal"): ("contribute", {"reason": "r"}),
    ("DELETE", f"{TRACE}/withdrawal"): ("contribute", None),
    ("POST", f"{TRACE}/purge"): ("contribute", {"reason": "r"}),
    ("GET", f"{TRACE}/proof"): ("read", None),
    ("GET", f"{API}/log/consistency"): ("read", None),
    ("GET", f"{API}/reviews"): ("admin", None),
    ("GET", f"{API}/reviews/decisions"): ("admin", None),
    ("POST", f"{API}/reviews/reversals"): (
        "admin",
        {"contributor": "x", "since": "2026-01-01T00:00:00Z", "reason": "r"},
    ),
    ("POST", f"{API}/reviews/{{subject}}"): ("admin", {"action": "approve", "reason": "r"}),
    ("GET", f"{API}/vouches"): ("read", None),
    ("POST", f"{API}/vouches"): ("admin", {"organization": "x", "reason": "r"}),
    ("DELETE", f"{API}/vouches/{{organization}}"): ("admin", None),
    ("POST", f"{TRACE}/links"): ("contribute", LINK),
    ("DELETE", f"{TRACE}/links/{{kind}}/{{target}}"): ("contribute", None),
    ("POST", f"{TRACE}/publication"): ("contribute", {"visibility": "public"}),
}
ABOUT_A_TRACE = [
    route
    for route in ROUTES
    if "{" in route[1] and not re.search("{(key|contributor)_id}", route[1]) and route != COMMITS
]


def test_the_table_of_this_file_names_every_route(url: str) -> None:
    paths = create_app(BackendSettings(database_url=url)).openapi()["paths"]
    routes = {(method.upper(), path) for path, methods in paths.items() for method in methods}
    ours = {route for route in routes if route[1].startswith(API) and not route[1].startswith(f"{API}/contexts")}
    assert ours == {(method, path.partition("?")[0]) for method, path in ROUTES} | ANY_KEY


def _scopes(dependant: Dependant) -> set[str]:
    found = {call.__qualname__ for call in [dependant.call] if call is not None and hasattr(call, "__qualname__")}
    return found.union(*(_scopes(below) for below in dependant.dependencies))


def test_no_route_is_without_a_scope_but_those_that_are_open_on_purpose(url: str) -> None:
    app = create_app(BackendSettings(database_url=url))
    unguarded = {
        route.path
        for route in app.routes
        if isinstance(route, APIRoute) and "_allowed.<locals>.check" not in _scopes(route.dependant)
    }
    assert unguarded == {"/health", "/health/ready", "/docs"} | {path for _, path in ANY_KEY}
    others = {route.path for route in app.routes if isinstance(route, Route) and not isinstance(route, APIRoute)}
    assert others == {"/openapi.json"}


@pytest.fixture
async def anybody(url: str) -> AsyncIterator[httpx2.AsyncClient]:
    """Plain HTTP to the store as a server offers it: without a key."""
    async with httpx2.AsyncClient(transport=async_transport(url, 30, owner=False), base_url=LOCAL_BASE) as plain:
        yield plain


async def send(plain: httpx2.AsyncClient, route: tuple[str, str], key: str | None, **names: str) -> httpx2.Response:
    ids = {
        "subject": "0" * 32,
        "organization": "x",
        "trace_id": "0" * 32,
        "amendment_id": "0" * 16,
        "flag_id": "0" * 16,
        "key_id": "00000000",
        "contributor_id": "0" * 32,
        **LINK,
        **names,
    }
    headers = {"X-Request-Id": "one"} | ({"Authorization": f"Bearer {key}"} if key else {})
    return await plain.request(route[0], route[1].format(**ids), json=ROUTES[route][1], headers=headers)


async def test_every_route_wants_a_key(anybody: httpx2.AsyncClient) -> None:
    for route in ROUTES:
        response = await send(anybody, route, None)
        assert (route, response.status_code, response.json()["code"]) == (route, 401, "unauthenticated")
        assert "COMMONTRACE_API_KEY" in response.json()["hint"]


async def test_what_any_key_may_do_still_wants_one(anybody: httpx2.AsyncClient, people: People) -> None:
    key = await people.key("ann", scopes=("vote",))
    for method, path in sorted(ANY_KEY):
        assert (path, (await anybody.request(method, path, json={})).status_code) == (path, 401)
    for method, path in sorted(ANY_KEY, key=lambda route: "leaked" in route[1]):  # that one ends the key
        answer = await anybody.request(method, path, json={}, headers={"Authorization": f"Bearer {key}"})
        assert (path, answer.is_success) == (path, True)


@pytest.mark.parametrize("scope", SCOPES)
async def test_every_route_wants_its_scope_and_no_other(
    anybody: httpx2.AsyncClient, people: People, scope: Scope
) -> None:
    without = await people.key("ann", scopes=tuple(other for other in SCOPES if other != scope))
    alone = await people.key("bo", scopes=(scope,))
    for route in [route for route, (needed, _) in ROUTES.items() if needed == scope]:
        response = await send(anybody, route, without)
        assert (route, response.status_code, response.json()["code"]) == (route, 403, "forbidden")
        assert f"scope '{scope}'" in response.json()["hint"]
        assert (await send(anybody, route, alone)).status_code not in {401, 403, 422}, route


async def _with_everything(client: AsyncClient, people: People) -> dict[str, str]:
    """A private trace of the owner with a flag and an amendment on it."""
    trace_id = await contributed(client, visibility="private")
    flag = await client.traces.flag(trace_id, "spam")
    amendment = await client.traces.amend(trace_id, AmendmentProposal(title="Another", reason="r"))
    return {"trace_id": trace_id, "flag_id": flag.flag_id, "amendment_id": amendment.amendment_id}


@pytest.mark.parametrize("organization", [None, "elsewhere"])
async def test_a_private_trace_of_others_answers_exactly_as_one_that_does_not_exist(
    client: AsyncClient, anybody: httpx2.AsyncClient, people: People, organization: str | None
) -> None:
    foreign = await _with_everything(client, people)
    key = await people.key("ann", organization, SCOPES)
    for route in ABOUT_A_TRACE:
        real, missing = await send(anybody, route, key, **foreign), await send(anybody, route, key)
        assert (route, real.status_code, real.json()["code"]) == (route, 404, "not_found")
        told = real.text
        for name, value in foreign.items():
            if f"{{{name}}}" in route[1]:  # an answer may name what was asked for, and nothing more
                told = told.replace(value, "0" * len(value))
        assert told == missing.text


async def test_each_audience_finds_what_is_meant_for_it(client: AsyncClient, people: People) -> None:
    private = await contributed(client, 0, tags=["all"])
    team = await contributed(client, 1, tags=["all"], visibility="team")
    public = await contributed(client, 2, tags=["all"])
    await client.traces.publish(public)
    mate, stranger = await people("ann"), await people("eve", "elsewhere")
    everything = Query(tags=["all"], include_unproven=True, limit=10)
    for person, sees in ((client, {private, team, public}), (mate, {team, public}), (stranger, {public})):
        assert {trace.trace_id async for trace in person.traces.all()} == sees
        assert {hit.trace_id for hit in (await person.traces.query(everything)).hits} == sees
        for trace_id in (private, team, public):
            if trace_id in sees:
                assert (await person.traces.get(trace_id)).trace_id == trace_id
            else:
                with pytest.raises(NotFoundError):
                    await person.traces.get(trace_id)
                answer = await person.traces.query(Query(ids=[trace_id]))
                assert answer.hits == []
                assert f"No trace {trace_id}" in answer.notes[0]


async def test_a_foreign_private_trace_is_no_near_duplicate_and_no_target(client: AsyncClient, people: People) -> None:
    known = await contributed(client)
    eve = await people("eve", "elsewhere")
    assert (await eve.traces.contribute(contribution(title="The same, elsewhere"))).stored
    other = await contributed(eve, 1)
    with pytest.raises(NotFoundError):
        await eve.traces.link(other, "extends", known)
    with pytest.raises(NotFoundError):
        await eve.traces.contribute(contribution(2, supersedes=known))


async def test_an_admin_decides_within_their_organization_and_not_beyond_it(
    client: AsyncClient, people: People
) -> None:
    known = await contributed(client)
    await client.traces.publish(known)
    eve = await people("eve", "elsewhere", SCOPES)
    proposed = await eve.traces.amend(known, AmendmentProposal(title="Hers", reason="r"))
    assert proposed.status == "open"
    assert await found(client, Query(tags=["sqlite"])) == [contribution().title]
