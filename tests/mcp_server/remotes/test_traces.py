"""Traces between two stores: what moves, what does not, and what becomes of what both sides changed."""

import asyncio
import shutil
from pathlib import Path

import pytest

from commontrace import AsyncClient, connect_async
from commontrace.errors import AuthenticationError, InvalidInputError, NotFoundError, UnavailableError
from commontrace.models.contributors import NewApiKey
from commontrace.models.search import Query
from commontrace.models.syncing import Delivery, TransferReport
from commontrace.models.traces import AmendmentProposal, TraceContent
from doors import People, answering, serving
from factories import contributed, contribution


def actions(report: TransferReport) -> dict[str, str]:
    return {item.title: item.action for item in report.items}


async def titles(client: AsyncClient) -> set[str]:
    return {trace.content.title async for trace in client.traces.all() if trace.state == "active"}


async def test_what_others_may_see_is_pushed_once_and_keeps_the_ids_of_its_versions(
    joined: AsyncClient, other: AsyncClient
) -> None:
    mine = await contributed(joined, 0, visibility="team")
    await contributed(joined, 1)
    first = await joined.remotes.push()
    assert [(item.action, item.trace_id) for item in first.items] == [("added", mine)]
    again = await joined.remotes.push()
    assert (again.items, again.kept) == ([], 0)
    there = await other.traces.get(first.items[0].remote_id or "")
    assert there.version_id == (await joined.traces.get(mine)).version_id
    assert there.standing.tier == "unproven"
    assert joined.remotes.elsewhere(mine) == {"origin": there.trace_id}


async def test_a_private_trace_goes_only_where_it_is_named(joined: AsyncClient, other: AsyncClient) -> None:
    mine = await contributed(joined, 0)
    assert (await joined.remotes.push()).items == []
    report = await joined.remotes.push("origin", [mine[:8]], visibility="team")
    assert [item.action for item in report.items] == ["added"]
    there = await other.traces.get(report.items[0].remote_id or "")
    assert there.visibility == "team"
    assert (await joined.traces.get(mine)).visibility == "private"
    wider = await joined.remotes.push("origin", [mine], visibility="public")
    assert (await other.traces.get(wider.items[0].remote_id or "")).visibility == "public"


async def test_a_dry_run_shows_every_word_that_would_go_and_sends_nothing(
    joined: AsyncClient, other: AsyncClient
) -> None:
    await contributed(joined, 0, visibility="team")
    looked = await joined.remotes.push(dry_run=True)
    fields = contribution(0).model_dump(include={*TraceContent.model_fields})
    assert looked.items[0].versions[0].content == TraceContent.model_validate(fields)
    assert looked.items[0].bytes > 500
    assert await titles(other) == set()
    assert [item.action for item in (await joined.remotes.push()).items] == ["added"]


async def test_a_pull_brings_each_version_once_as_an_import_that_its_reader_can_prove(
    joined: AsyncClient, other: AsyncClient
) -> None:
    theirs = await contributed(other, 0, visibility="team")
    await other.traces.amend(theirs, AmendmentProposal(verification="Ran it twice.", reason="more"))
    report = await joined.remotes.pull()
    assert actions(report) == {contribution(0).title: "added"}
    here = report.items[0].trace_id
    assert [one.version_id for one in await joined.traces.history(here)] == [
        one.version_id for one in await other.traces.history(theirs)
    ]
    assert (await joined.traces.get(here)).contributor.name == "imports"
    await joined.traces.query(Query(ids=[here]))
    assert (await joined.traces.vote(here, "worked")).standing.people == 1
    assert (await other.traces.get(theirs)).standing.people == 0
    assert (await joined.remotes.pull()).items == []


async def test_an_edit_on_one_side_arrives_and_one_on_both_sides_is_kept_side_by_side(
    joined: AsyncClient, other: AsyncClient
) -> None:
    mine = await contributed(joined, 0, visibility="team")
    there = (await joined.remotes.push()).items[0].remote_id or ""
    await joined.traces.amend(mine, AmendmentProposal(verification="Again.", reason="more"))
    assert [item.action for item in (await joined.remotes.push()).items] == ["updated"]
    await other.traces.amend(there, AmendmentProposal(title="Locked: theirs", reason="shorter"))
    await joined.traces.amend(mine, AmendmentProposal(title="Locked: mine", reason="shorter"))
    pulled = await joined.remotes.pull()
    assert [item.action for item in pulled.items] == ["diverged"]
    assert "both sides" in pulled.items[0].detail
    assert (await joined.traces.get(mine)).content.title == "Locked: mine"
    open_ones = [one for one in await joined.traces.amendments(mine) if one.status == "open"]
    assert len(open_ones) == 1
    await joined.remotes.pull()
    assert len([one for one in await joined.traces.amendments(mine) if one.status == "open"]) == 1
    await joined.traces.decide(open_ones[0].amendment_id, accept=False)
    assert [item.action for item in (await joined.remotes.push()).items] == ["updated"]
    assert (await other.traces.get(there)).content.title == "Locked: mine"


async def test_a_decision_for_theirs_makes_both_sides_alike(joined: AsyncClient, other: AsyncClient) -> None:
    mine = await contributed(joined, 0, visibility="team")
    there = (await joined.remotes.push()).items[0].remote_id or ""
    await other.traces.amend(there, AmendmentProposal(title="Locked: theirs", reason="shorter"))
    await joined.traces.amend(mine, AmendmentProposal(title="Locked: mine", reason="shorter"))
    await joined.remotes.pull()
    waiting = next(one for one in await joined.traces.amendments(mine) if one.status == "open")
    await joined.traces.decide(waiting.amendment_id, accept=True)
    await joined.remotes.push()
    assert (await joined.traces.get(mine)).version_id == (await other.traces.get(there)).version_id


@pytest.mark.both_databases
async def test_removals_travel_to_copies_and_come_back_with_the_original(
    joined: AsyncClient, other: AsyncClient
) -> None:
    withdrawn = await contributed(other, 0, visibility="team")
    purged = await contributed(other, 1, visibility="team")
    here = {item.title: item.trace_id for item in (await joined.remotes.pull()).items}
    await other.traces.withdraw(withdrawn, "wrong")
    await other.traces.purge(purged, "leaked")
    report = await joined.remotes.pull()
    assert sorted(item.action for item in report.items) == ["removed", "removed"]
    states = {trace_id: (await joined.traces.get(trace_id)).state for trace_id in here.values()}
    assert sorted(states.values()) == ["purged", "withdrawn"]
    await other.traces.restore(withdrawn)
    assert [item.action for item in (await joined.remotes.pull()).items] == ["restored"]
    assert (await joined.traces.get(here[contribution(0).title])).state == "active"


async def test_what_was_withdrawn_here_is_not_brought_back(joined: AsyncClient, other: AsyncClient) -> None:
    theirs = await contributed(other, 0, visibility="team")
    here = (await joined.remotes.pull()).items[0].trace_id
    await joined.traces.withdraw(here, "not for us")
    await other.traces.amend(theirs, AmendmentProposal(title="Anew", reason="shorter"))
    assert [item.action for item in (await joined.remotes.pull()).items] == ["gone"]
    assert (await joined.traces.get(here)).state == "withdrawn"
    await other.traces.purge(theirs, "leaked")
    pushed = await joined.remotes.push("origin", [here])
    assert pushed.items == []
    assert await titles(other) == set()


async def test_a_near_duplicate_is_refused_by_name_and_tried_again(joined: AsyncClient, other: AsyncClient) -> None:
    mine = await contributed(joined, 0, visibility="team")
    await contributed(other, 0, title=contribution(0).title + "!", visibility="team")
    report = await joined.remotes.push()
    assert [item.action for item in report.items] == ["failed"]
    assert "knows this already" in report.items[0].detail
    assert [item.action for item in (await joined.remotes.push()).items] == ["failed"]
    assert [item.action for item in (await joined.remotes.push("origin", [mine], insist=True)).items] == ["added"]
    assert (await joined.remotes.push()).items == []


async def test_a_version_that_is_not_what_its_id_says_is_refused(joined: AsyncClient, other: AsyncClient) -> None:
    mine = await contributed(joined, 0, visibility="team")
    history = await joined.exchange.history(mine)
    first = history.versions[0]
    assert first.content is not None
    forged = first.model_copy(update={"content": first.content.model_copy(update={"title": "Other"})})
    with pytest.raises(InvalidInputError, match="not what its id says"):
        await other.exchange.deliver(Delivery(versions=[forged], serves=history.version_id))
    assert await titles(other) == set()


async def test_a_server_keeps_what_belongs_to_others_and_proposes_the_change(
    client: AsyncClient, template: Path, tmp_path: Path
) -> None:
    url = f"sqlite:///{shutil.copy(template, tmp_path / 'team.db')}"
    async with connect_async(url) as owner:
        theirs = await contributed(owner, 0, visibility="team")
        key = (await owner.contributors.create_key(NewApiKey(contributor="ana"))).key
        with serving(url) as server:
            client.remotes.add("team", server.url, key)
            here = (await client.remotes.pull("team")).items[0].trace_id
            await client.traces.amend(here, AmendmentProposal(title="Clearer", reason="shorter"))
            report = await client.remotes.push("team", [here])
            assert [item.action for item in report.items] == ["proposed"]
            assert [one.status for one in await owner.traces.amendments(theirs)] == ["open"]
            assert (await owner.traces.get(theirs)).content.title == contribution(0).title
            assert await client.remotes.vote(here, "worked", remote="team")
            assert (await owner.traces.get(theirs)).standing.people == 1


async def test_what_waits_for_a_server_is_delivered_once_when_it_answers(
    client: AsyncClient, template: Path, tmp_path: Path
) -> None:
    url = f"sqlite:///{shutil.copy(template, tmp_path / 'team.db')}"
    async with connect_async(url) as owner:
        theirs = await contributed(owner, 1, visibility="team")
        old = await owner.contributors.create_key(NewApiKey(contributor="ana"))
        with serving(url) as server:
            client.remotes.add("team", server.url, old.key)
            here = (await client.remotes.pull()).items[0].trace_id
        mine = await contributed(client, 0)
        with pytest.raises(UnavailableError):
            await client.remotes.push("team", [mine], visibility="team")
        waits = await client.remotes.push("team", [mine], visibility="team", later=True)
        assert "cannot be reached" in waits.problem
        assert not await client.remotes.vote(here, "did_not_work", "Not on macOS.")
        assert not await client.remotes.vote(here, "worked")
        stopped = await client.remotes.sync()
        assert [item.kind for item in stopped.waiting] == ["trace", "vote"]
        assert "cannot be reached" in stopped.problem
        new = await owner.contributors.rotate_key(old.key_id, overlap_hours=0)
        with serving(url, server.port):
            with pytest.raises(AuthenticationError, match="expired"):
                await client.remotes.sync()
            assert [item.kind for item in client.remotes.outbox()] == ["trace", "vote"]
            client.remotes.add("team", server.url, new.key)
            done = await client.remotes.sync()
            assert (done.delivered, done.waiting, done.problem) == (2, [], "")
            assert (await client.remotes.sync()).delivered == 0
        standing = (await owner.traces.get(theirs)).standing
        assert (standing.worked, standing.did_not_work) == (1, 0)
        assert contribution(0).title in await titles(owner)


async def test_a_missing_remote_is_named(client: AsyncClient) -> None:
    with pytest.raises(NotFoundError, match="no remote origin"):
        await client.remotes.push()


async def test_a_remote_takes_back_what_came_from_it_and_nothing_else(
    joined: AsyncClient, other: AsyncClient, people: People
) -> None:
    mate = await people("ann")
    theirs = await contributed(mate, 0, visibility="team")
    history = await joined.exchange.history(theirs)
    copy = await other.exchange.deliver(Delivery(versions=history.versions, serves=history.version_id))
    assert copy.trace_id is not None
    await joined.remotes.pull()
    await other.traces.purge(copy.trace_id, "gone")
    assert [item.action for item in (await joined.remotes.pull()).items] == ["left"]
    assert (await joined.traces.get(theirs)).state == "active"


async def test_nothing_leaves_but_what_was_shown(joined: AsyncClient, other: AsyncClient) -> None:
    await contributed(joined, 0, visibility="team")
    looked = await joined.remotes.push(dry_run=True)
    shown = [version.version_id for item in looked.items for version in item.versions]
    await contributed(joined, 1, visibility="team")
    report = await joined.remotes.push(shown=frozenset(shown))
    assert actions(report) == {contribution(0).title: "added", contribution(1).title: "failed"}
    assert await titles(other) == {contribution(0).title}
    assert actions(await joined.remotes.push()) == {contribution(1).title: "added"}


async def test_a_store_is_the_same_one_from_every_folder(
    template: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shutil.copy(template, tmp_path / "team.db")
    for number, name in enumerate(("one", "two")):
        monkeypatch.chdir(tmp_path)
        (tmp_path / name).mkdir()
        shutil.copy(template, tmp_path / name / "mine.db")
        async with connect_async(f"sqlite:///{name}/mine.db") as mine:
            if not number:
                mine.remotes.add("team", "sqlite:///team.db")
        monkeypatch.chdir(tmp_path / name)
        async with connect_async("sqlite:///mine.db") as mine:
            await contributed(mine, number, visibility="team")
            assert actions(await mine.remotes.push("team")) == {contribution(number).title: "added"}
    async with connect_async(f"sqlite:///{tmp_path}/team.db") as team:
        assert await titles(team) == {contribution(0).title, contribution(1).title}


async def test_a_remote_that_says_more_for_ever_ends(client: AsyncClient) -> None:
    with answering({"changes": b'{"changed": [], "cursor": 0, "more": true}'}) as url:
        client.remotes.add("endless", url, "ct_x")
        async with asyncio.timeout(20):
            assert (await client.remotes.pull("endless")).items == []
