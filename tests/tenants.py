"""Three organizations with canaries in everything that they keep, and every request that might find a foreign one.

The requests are built from the schemas: a route or tool that wants a value which is not known here has no entry, and
whoever walks the matrix fails.
"""

import re
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from functools import partial
from itertools import permutations
from typing import Any, Final

import httpx2
from fastmcp import Client as McpClient
from fastmcp import FastMCP

from commontrace import AsyncClient, connect_async
from commontrace._transport import LOCAL_BASE, async_transport
from commontrace.mcp.server import build_server
from commontrace.models.contributors import NewApiKey
from commontrace.models.search import Query
from commontrace.models.traces import AmendmentProposal, TraceContent
from commontrace.versions import version_id
from factories import contribution, read

SCOPES: Final = ("read", "contribute", "vote", "admin")
ORGANIZATIONS: Final = ("alpha", "beta", "gamma")
CREATES: Final = {
    ("post", "/api/v1/contexts/{repository}/commits"),
    ("post", "/api/v1/contexts/{repository}/bundle"),
    ("post", "/api/v1/contexts/{repository}/refs"),
}
"""Routes that make what they are asked for where there is none: nothing is missing for them."""


@dataclass(frozen=True)
class Tenant:
    """An organization: its keys, what its rows are called, and the words that nobody else may see."""

    name: str
    key: str
    canaries: tuple[str, ...]
    ids: Mapping[str, str]

    def missing(self) -> "Tenant":
        """The same with ids that nobody has."""
        return replace(self, ids={name: _other(value) for name, value in self.ids.items()})


def _other(value: str) -> str:
    """Another name of the same form: hexadecimal digits turned, words with another end."""
    if re.fullmatch(r"[0-9a-f]{6,}", value):
        return value.translate(str.maketrans("0123456789abcdef", "fedcba9876543210"))
    return str(int(value) + 900_000) if value.isdigit() else f"{value[:-1]}9"


@dataclass
class Leaks:
    """What a walk of the matrix came to."""

    requests: int = 0
    seen: list[str] = field(default_factory=list)
    malformed: list[str] = field(default_factory=list)
    unlike: list[str] = field(default_factory=list)

    def look(self, where: str, answer: str, foreign: Tenant) -> None:
        """Note a foreign canary in an answer."""
        self.requests += 1
        self.seen += [f"{where}: {canary}" for canary in foreign.canaries if canary.lower() in answer.lower()]


@dataclass
class World:
    """A store with three organizations."""

    url: str
    http: httpx2.AsyncClient
    tenants: list[Tenant]

    async def send(self, tenant: Tenant, method: str, path: str, **request: Any) -> httpx2.Response:
        """A request with the key of an organization."""
        headers = {"Authorization": f"Bearer {tenant.key}", "X-Request-Id": "walk"}
        return await self.http.request(method.upper(), path, headers=headers, **request)

    async def operations(self) -> dict[tuple[str, str], dict[str, Any]]:
        """Every route but the open ones, with its parameters and the required fields of its body."""
        schema = (await self.http.get("/openapi.json")).json()
        return {
            (method, path): {"parameters": operation.get("parameters", []), "body": _body(schema, operation)}
            for path, methods in schema["paths"].items()
            for method, operation in methods.items()
            if path.startswith("/api/")
        }


def _body(schema: Mapping[str, Any], operation: Mapping[str, Any]) -> list[str] | None:
    content = operation.get("requestBody", {}).get("content", {})
    named = [kind["schema"]["$ref"] for kind in content.values() if "$ref" in kind.get("schema", {})]
    return list(schema["components"]["schemas"][named[0].split("/")[-1]].get("required", [])) if named else None


@asynccontextmanager
async def three_tenants(url: str) -> AsyncIterator[World]:
    """Fill a store."""
    transport = async_transport(url, 30, owner=False)
    async with (
        connect_async(url) as owner,
        connect_async(url, api_key="") as keyed,
        httpx2.AsyncClient(transport=transport, base_url=LOCAL_BASE) as http,
    ):
        yield World(url, http, [await _tenant(owner, keyed, http, name) for name in ORGANIZATIONS])


async def _tenant(owner: AsyncClient, keyed: AsyncClient, http: httpx2.AsyncClient, name: str) -> Tenant:
    wanted = [NewApiKey(contributor=who, organization=name, scopes=list(SCOPES)) for who in ("ann", "ben")]
    created = [await owner.contributors.create_key(one) for one in wanted]
    ann, ben = (keyed.acting_as(one.key) for one in created)
    canaries = tuple(f"wombat{name}{number}" for number in range(8))
    private = await ann.traces.contribute(contribution(0, title=f"{canaries[0]} locks", tags=[canaries[1], "sqlite"]))
    words = {"problem": f"docker build says {canaries[2]} for npm install", "visibility": "team"}
    team = await ann.traces.contribute(contribution(1, **words))
    assert team.trace_id
    assert private.trace_id
    await read(ben, team.trace_id)
    await ben.traces.vote(team.trace_id, "did_not_work", canaries[3])
    flag = await ben.traces.flag(team.trace_id, "spam", canaries[3])
    amendment = await ben.traces.amend(team.trace_id, AmendmentProposal(title=f"{canaries[4]} dns", reason=canaries[4]))
    await ann.traces.query(Query(query=f"kangaroo {canaries[5]} migration"))
    ids = {
        "trace_id": team.trace_id,
        "version_id": team.version_id,
        "private_id": private.trace_id,
        "amendment_id": amendment.amendment_id,
        "flag_id": flag.flag_id,
        "key_id": created[0].key_id,
        "contributor_id": created[0].contributor.contributor_id,
        **await _context(http, created[0].key, f"plans-{name}1", canaries[6:]),
    }
    return Tenant(name, created[0].key, canaries, ids)


async def _context(http: httpx2.AsyncClient, key: str, repository: str, canaries: tuple[str, ...]) -> dict[str, str]:
    async def put(what: str, body: dict[str, Any]) -> dict[str, Any]:
        where = f"/api/v1/contexts/{repository}/{what}"
        answer = await http.post(where, json=body, headers={"Authorization": f"Bearer {key}"})
        assert answer.is_success, answer.text
        made: dict[str, Any] = answer.json()
        return made

    said = {"role": "user", "content": f"a shared plan with {canaries[0]}"}
    first = await put("commits", {"messages": [said], "message": f"as {canaries[1]} said"})
    await put("branches", {"name": "side1"})
    await put("tags", {"name": "first1"})
    await put("labels", {"name": "first1"})
    call = await put("calls", {"commit_id": first["commit_id"]})
    where = f"/api/v1/contexts/{repository}/blame"
    blame = (await http.get(where, headers={"Authorization": f"Bearer {key}"})).json()
    return {
        "repository": repository,
        "commit": first["commit_id"],
        "slot": blame["messages"][0]["slot_id"],
        "branch": "side1",
        "tag": "first1",
        "call_id": str(call["call_id"]),
    }


def _exchanged(ids: Mapping[str, str]) -> dict[str, Any]:
    """What stores say to each other, about ids of one organization."""
    words = TraceContent.model_validate(contribution(4).model_dump(include={*TraceContent.model_fields}))
    version = {"version_id": version_id(words), "content": words.model_dump(mode="json")}
    delivery = {"versions": [version], "serves": version["version_id"]}
    return {
        "moves": [{"ref": "branch/fresh", "after": ids["commit"]}],
        "traces": [[ids.get("version_id", version["version_id"])]],
        "trace_ids": [ids["trace_id"], ids["private_id"]],
        "deliveries": [delivery],
        **delivery,
    }


def values(of: Tenant, repository: str) -> dict[str, Any]:
    """What a field or parameter of a name is given: ids of one organization."""
    ids = of.ids
    return {
        **{
            name: ids[name]
            for name in ("trace_id", "amendment_id", "flag_id", "key_id", "contributor_id", "branch", "tag", "slot")
        },
        "repository": repository,
        "call_id": ids["call_id"],
        **dict.fromkeys(("ref", "a", "b", "onto", "commit_id"), ids["commit"]),
        "commits": [ids["commit"]],
        **_exchanged(ids),
        "source": ids["branch"],
        "label": ids["tag"],
        "kind": "extends",
        "target": ids["private_id"],
        "slots": [ids["slot"]],
        "outcome": "worked",
        "reason": "spam",
        "accept": True,
        "visibility": "public",
        "title": "A quite different thing",
        "problem": "The printer prints umlauts as question marks when the locale is C and the spooler drops bytes.",
        "solution": "Set LC_ALL to a UTF-8 locale in the unit of the spooler, then restart it.",
        "name": "fresh",
        "job": "words",
        "messages": [{"role": "user", "content": "hello"}],
        "present": False,
        "budget": 1000,
        "before": 1,
        "contributor": "zoe",
        "organization": "nowhere",
        "issuer": "https://id.example.com",
        "subject": ids["trace_id"],
        "action": "approve",
        "since": "2026-01-01T00:00:00Z",
        "pattern": "shared",
    }


BODIES: Final[dict[str, dict[str, Any]]] = {
    "/traces/query": {"query": "docker sqlite locked printer kangaroo", "include_unproven": True, "silence": False},
    "/contexts/{repository}/annotate": {"slots": ["slot"], "priority": "pinned"},
    "/contexts/{repository}/move": {"slots": ["slot"]},
    "/checks": {"command": "npm install left-pad"},
    "/contexts/{repository}/visibility": {"visibility": "team"},
    "/contexts/{repository}/purge": {"text": "zzzz", "reason": "none"},
    "/contexts/{repository}/edit": {"text": "shorter"},
    "/keys/revocation": {"contributor": "nobody"},
    "/identities": {"subject": "zoe"},
    "/reviews/reversals": {"contributor": "nobody"},
}
"""What bodies hold beside what their schema requires."""

REASONS: Final = {"/amendments": "Shorter.", "/withdrawal": "Wrong.", "/purge": "Wrong."}


def request_of(
    route: tuple[str, str], operation: Mapping[str, Any], of: Tenant, repository: str
) -> tuple[str, dict[str, Any]]:
    """The path and the rest of a request that names one organization's ids; raises KeyError for an unknown field."""
    known = values(of, repository)
    known["reason"] = next((said for end, said in REASONS.items() if route[1].endswith(end)), "spam")
    known["kind"] = "extends" if route[0] == "delete" else "context_used"
    if route[1].endswith("/links") and route[0] == "post":
        known |= {"kind": "extends"}
    place = {item["name"]: known[item["name"]] for item in operation["parameters"] if item["in"] == "path"}
    query = {
        item["name"]: known[item["name"]]
        for item in operation["parameters"]
        if item["in"] == "query" and (item.get("required") or item["name"] == "pattern")
    }
    request: dict[str, Any] = {"params": query}
    if operation["body"] is not None:
        more = BODIES.get(route[1].removeprefix("/api/v1"), {})
        filled = {name: [known["slot"]] if name == "slots" else value for name, value in more.items()}
        request["json"] = {**{name: known[name] for name in operation["body"]}, **filled}
    return route[1].format(**place), request


async def walk_routes(world: World, pairs: list[tuple[Tenant, Tenant]]) -> Leaks:
    """Every route, asked by one organization with the ids of another one: in its places, and in one's own context."""
    found, operations = Leaks(), await world.operations()
    ordered = sorted(operations, key=lambda route: (route in CREATES, route[1].endswith("/leaked"), route))
    for viewer, foreign in pairs:
        for route in ordered:
            if route[1] == "/api/v1/keys/leaked":
                continue  # it has no input but the key, which it revokes
            await _look(world, found, route, operations[route], (viewer, foreign))
    return found


async def _look(
    world: World, found: Leaks, route: tuple[str, str], operation: Mapping[str, Any], pair: tuple[Tenant, Tenant]
) -> None:
    viewer, foreign = pair
    for repository in (foreign.ids["repository"], viewer.ids["repository"]):
        path, request = request_of(route, operation, foreign, repository)
        answer = await world.send(viewer, route[0], path, **request)
        where = f"{viewer.name} asks for {foreign.name}: {route[0]} {route[1]}"
        found.look(where, answer.text + str(answer.headers), foreign)
        if answer.status_code in {400, 422} and repository == foreign.ids["repository"] and route not in CREATES:
            found.malformed.append(f"{where}: {answer.text}")
        if repository == foreign.ids["repository"] and "{" in route[1] and route not in CREATES:
            absent = foreign.missing()
            twin_path, twin = request_of(route, operation, absent, absent.ids["repository"])
            other = await world.send(viewer, route[0], twin_path, **twin)
            if _plain(answer, foreign) != _plain(other, absent):
                found.unlike.append(f"{where}: {answer.text} and {other.text}")


def _plain(answer: httpx2.Response, of: Tenant) -> tuple[int, str]:
    """A status and a body without the ids that were asked for."""
    text = answer.text
    for name, value in sorted(of.ids.items(), key=lambda item: -len(item[1])):
        if len(value) > 1:
            text = text.replace(value, f"<{name}>")
    return answer.status_code, text


async def walk_tools(world: World, pairs: list[tuple[Tenant, Tenant]]) -> Leaks:
    """Every tool, called by one organization with the ids of another one."""
    found = Leaks()
    for viewer, foreign in pairs:
        server: FastMCP = build_server(partial(connect_async, world.url, api_key=viewer.key), tools="all")
        async with McpClient(server) as mcp:
            for tool in await mcp.list_tools():
                for repository in (foreign.ids["repository"], viewer.ids["repository"]):
                    arguments = _arguments(tool.name, tool.input_schema, foreign, repository)
                    answer = await mcp.call_tool(tool.name, arguments, raise_on_error=False)
                    where = f"{viewer.name} asks for {foreign.name}: {tool.name}"
                    found.look(where, str(answer.content) + str(answer.structured_content), foreign)
    return found


def _arguments(name: str, schema: Mapping[str, Any], of: Tenant, repository: str) -> dict[str, Any]:
    known = {**values(of, repository), "ids": [of.ids["trace_id"], of.ids["private_id"]], "supersedes": None}
    offered = {"repository", "ref", "slots", "ids"} & set(schema["properties"])
    if name == "query_traces":
        known |= {"query": "docker sqlite locked printer", "include_unproven": True}
    return {field: known[field] for field in {*schema.get("required", []), *offered}}


async def shown_to_their_owner(world: World) -> set[str]:
    """The canaries that each organization finds itself: what the matrix looks for is there to be found."""
    found = set()
    operations = await world.operations()
    for tenant in world.tenants:
        for route, operation in operations.items():
            if route[0] == "get":
                path, request = request_of(route, operation, tenant, tenant.ids["repository"])
                answer = (await world.send(tenant, "get", path, **request)).text
                found |= {canary for canary in tenant.canaries if canary in answer}
    return found


def pairs_of(world: World, *, every: bool) -> list[tuple[Tenant, Tenant]]:
    """Who asks for whose: all six, or a ring of three."""
    return list(_ring(world.tenants)) if not every else list(permutations(world.tenants, 2))


def _ring(tenants: list[Tenant]) -> Iterator[tuple[Tenant, Tenant]]:
    return zip(tenants, [*tenants[1:], tenants[0]], strict=True)
