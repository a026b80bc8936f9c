"""What a remote refuses for good is put aside with the reason, holds nothing else up, and is decided on by hand."""

import pytest

from commandline import Cli
from commontrace import AsyncClient, connect, connect_async
from commontrace.errors import InvalidInputError, NotFoundError
from commontrace.models.contributors import NewApiKey
from commontrace.models.traces import AmendmentProposal
from crowding import Team, before
from doors import serving
from factories import contributed, contribution


async def test_what_is_refused_for_good_is_not_sent_again_until_it_is_told_to(client: AsyncClient, team: Team) -> None:
    async with connect_async(team.store) as owner:
        theirs = [await contributed(owner, number, visibility="team") for number in (0, 1)]
        with before(team.url) as front:
            client.remotes.add("team", front.url, team.key)
            here = [item.trace_id for item in (await client.remotes.pull()).items]
            front.crowded["query"] = [(503, "3600")] * 3  # the first ones ask who shows the trace
            assert not await client.remotes.vote(here[0], "worked")
            assert not await client.remotes.vote(here[1], "worked")
            await owner.traces.withdraw(theirs[0], "for now")
            front.crowded.clear()
            report = await client.remotes.sync()
            assert (report.delivered, report.waiting) == (1, [])
            (item,) = report.refused
            assert (item.kind, item.subject, item.refused) == ("vote", here[0], True)
            assert "No trace" in item.problem
            asked = front.counts["votes"]
            assert (await client.remotes.sync()).refused == [item]
            assert front.counts["votes"] == asked
            await owner.traces.restore(theirs[0])
            (again,) = client.remotes.retry(item.item_id)
            assert (again.refused, again.tries) == (False, item.tries)
            report = await client.remotes.sync()
            assert (report.delivered, report.waiting, report.refused) == (1, [], [])
        assert [(await owner.traces.get(one)).standing.worked for one in theirs] == [1, 1]


async def test_what_the_key_may_not_do_is_put_aside_and_what_it_may_is_delivered(
    client: AsyncClient, team: Team
) -> None:
    async with connect_async(team.store) as owner:
        await contributed(owner, 1, visibility="team")
        key = (await owner.contributors.create_key(NewApiKey(contributor="bo", scopes=["read", "contribute"]))).key
    with serving(team.store) as server:
        client.remotes.add("team", server.url, key)
        here = (await client.remotes.pull()).items[0].trace_id
        with pytest.raises(InvalidInputError, match=r"may not vote.*put aside as number 1 in the outbox"):
            await client.remotes.vote(here, "worked")
        assert [item.refused for item in client.remotes.outbox()] == [True]
    mine = await contributed(client, 0, visibility="team")
    await client.remotes.push("team", [mine], later=True)
    with serving(team.store, server.port):
        report = await client.remotes.sync()
        assert (report.delivered, len(report.refused)) == (1, 1)
    client.remotes.drop(report.refused[0].item_id)
    assert client.remotes.outbox() == []
    with pytest.raises(NotFoundError, match="no number 1 in the outbox"):
        client.remotes.drop(report.refused[0].item_id)


async def test_what_is_said_anew_of_the_same_waits_again(client: AsyncClient, team: Team) -> None:
    """A trace that is refused as it is may be taken once it was amended."""
    with before(team.url) as front:
        client.remotes.add("team", front.url, team.key)
        known = await contributed(client, 0, visibility="team")
        async with connect_async(team.url, api_key=team.key) as ana:
            await ana.traces.contribute(contribution(0, verification="Ran it twice."))
        front.crowded["known"] = [(503, "3600")]
        await client.remotes.push("team", [known], later=True)
        (refused,) = (await client.remotes.sync()).refused
        assert "alike" in refused.problem or "already" in refused.problem
        await client.traces.amend(known, AmendmentProposal(title="A thing of its own", reason="clearer"))
        front.crowded["known"] = [(503, "3600")]
        await client.remotes.push("team", [known], later=True, insist=True)
        assert [item.refused for item in client.remotes.outbox()] == [False]
        assert (await client.remotes.sync()).refused == []


@pytest.fixture
def cli(url: str, monkeypatch: pytest.MonkeyPatch) -> Cli:
    monkeypatch.setenv("COMMONTRACE_URL", url)
    return Cli()


def test_what_was_refused_is_shown_wherever_one_looks_and_decided_on(cli: Cli, team: Team) -> None:
    cli.good("remote", "add", "origin", team.url, "--key-from", "stdin", stdin=team.key)
    with connect(team.store) as owner:
        theirs = owner.traces.contribute(contribution(1, visibility="team")).trace_id or ""
        here = cli.json("pull")["items"][0]["trace_id"]
        cli.good("show", here)
        owner.traces.withdraw(theirs, "for now")
        assert "No trace" in cli.failed("vote", here, "worked", "--remote", "origin")
        for looked in (cli.good("remote", "show"), cli("sync").output, cli.good("status")):
            assert "1 thing of the outbox refused and put aside" in looked
            assert f"1 vote {here}" in looked
            assert "tried 1 time: No trace" in looked
        assert cli.json("status")["outbox"][0]["refused"] is True
        assert "1 thing refused and put aside" in cli("doctor").stdout
        assert cli("sync").exit_code == 1
        owner.traces.restore(theirs)
        assert "numbers of things" in cli.failed("remote", "retry", code=2)
        assert "1 thing waits again" in cli.good("remote", "retry", "--all")
        assert "1 thing waiting" in cli("doctor").output
        assert "1 thing of the outbox delivered" in cli.good("sync")
        owner.traces.withdraw(theirs, "for good")
    assert "No trace" in cli.failed("vote", here, "worked", "--remote", "origin")
    assert "1 thing given up" in cli.good("remote", "drop", "2")
    assert cli.json("status")["outbox"] == []
