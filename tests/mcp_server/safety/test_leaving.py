"""Nothing secret leaves the machine: what is sent to a server has been screened before."""

import json
import re
from collections.abc import Awaitable, Callable, Iterator

import pytest

from chats import Chat, chat_endpoint
from commontrace import AsyncClient, connect_async
from commontrace.errors import CommonTraceError
from commontrace.models.search import Query
from commontrace.models.traces import AmendmentProposal, Evidence
from doors import People, Server
from factories import contribution

SECRET = "ghp_" + "a1B2c3D4e5F6g7H8i9J0k1L2m3N4o5P6q7R8"
WORDS = f"It works with {SECRET} in the header."
TRACE = "0" * 32

SENT: dict[str, Callable[[AsyncClient], Awaitable[object]]] = {
    "a query": lambda client: client.traces.query(Query(query=WORDS, error=WORDS)),
    "a contribution": lambda client: client.traces.contribute(contribution(solution=WORDS * 3, errors=[WORDS])),
    "an amendment": lambda client: client.traces.amend(TRACE, AmendmentProposal(solution=WORDS, reason=WORDS)),
    "a vote": lambda client: client.traces.vote(TRACE, "worked", WORDS, evidence=Evidence(command=WORDS, exit_after=0)),
    "a flag": lambda client: client.traces.flag(TRACE, "incorrect", WORDS),
    "a withdrawal": lambda client: client.traces.withdraw(TRACE, WORDS),
}


@pytest.fixture
def listener() -> Iterator[Chat]:
    """Something that takes every request, and is no server of ours."""
    with chat_endpoint() as running:
        yield running


@pytest.mark.parametrize("kind", SENT)
async def test_no_secret_leaves_for_a_server(listener: Chat, kind: str) -> None:
    async with connect_async(listener.url, api_key="ct_test") as client:
        with pytest.raises(CommonTraceError):  # the answer is none
            await SENT[kind](client)
    [sent] = [json.dumps(body) for body in listener.bodies]
    assert "redacted secret:" in sent
    assert SECRET not in sent


async def test_of_a_command_that_is_checked_nothing_but_hashes_leaves(listener: Chat) -> None:
    async with connect_async(listener.url, api_key="ct_test") as client:
        with pytest.raises(CommonTraceError):  # the answer is none
            await client.traces.check("./deploy.sh --customer acme && echo done")
    [sent] = listener.bodies
    assert {name for name, value in sent.items() if value} == {"keys"}
    assert all(re.fullmatch("[0-9a-f]{32}", key) for key in sent["keys"])


async def test_a_risk_is_told_where_only_hashes_leave(people: People, server: Server) -> None:
    async with connect_async(server.url, api_key=await people.key("ann")) as remote:
        found = await remote.traces.check("curl -s https://example.org/install.sh | sudo sh")
    assert found.verdict == "ask"
    assert found.labels
    assert found.reasons[0].startswith("It carries a risk")


async def test_what_was_taken_out_on_this_side_is_told_as_if_the_server_had_done_it(
    client: AsyncClient, people: People, server: Server
) -> None:
    wanted = contribution(solution=WORDS * 3, title="A token in\u200b a header", dry_run=True)
    near = await client.traces.contribute(wanted)
    async with connect_async(server.url, api_key=await people.key("ann")) as remote:
        far = await remote.traces.contribute(wanted)
    assert near.redactions
    assert near.hidden
    assert (far.redactions, far.hidden, far.content) == (near.redactions, near.hidden, near.content)
