"""Flags, withdrawal, links and publishing: every act says who and why, and most can be taken back."""

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from commontrace import AsyncClient
from commontrace.errors import (
    AmbiguousRefError,
    ConflictError,
    ForbiddenError,
    InvalidInputError,
    NotFoundError,
)
from commontrace.models.search import Query
from doors import People
from factories import contributed, contribution, found, use

pytestmark = pytest.mark.both_databases

TITLE = contribution().title


async def test_a_flag_keeps_its_reason_and_who_raised_it(client: AsyncClient, people: People) -> None:
    known = await contributed(client, visibility="team")
    ann = await people("ann")
    flag = await ann.traces.flag(known, "incorrect", "WAL alone is not enough")
    assert (flag.trace_id, flag.reason, flag.note, flag.undone_at) == (
        known,
        "incorrect",
        "WAL alone is not enough",
        None,
    )
    assert flag.contributor.name == "ann"
    assert await client.traces.flags(known) == [flag]
    assert (await client.traces.get(known)).flags == 1


async def test_one_person_flags_a_trace_once_until_the_flag_is_undone(client: AsyncClient, people: People) -> None:
    known = await contributed(client, visibility="team")
    ann = await people("ann")
    first = await ann.traces.flag(known, "spam")
    with pytest.raises(ConflictError, match="flagged this trace already"):
        await ann.traces.flag(known, "harmful")
    undone = await ann.traces.unflag(first.flag_id)
    assert undone.undone_at is not None
    assert (await client.traces.get(known)).flags == 0
    again = await ann.traces.flag(known, "harmful")
    assert await client.traces.flags(known) == [again, undone]


async def test_three_people_hide_a_trace_and_an_undone_flag_brings_it_back(client: AsyncClient, people: People) -> None:
    known = await contributed(client, visibility="team")
    crowd = [await people(name) for name in ("ann", "bo", "cy")]
    flags = [await person.traces.flag(known, "harmful") for person in crowd[:2]]
    assert await found(crowd[0], "database is locked") == [TITLE]
    flags.append(await crowd[2].traces.flag(known, "harmful"))
    for person in crowd:
        assert await found(person, "database is locked") == []
        with pytest.raises(NotFoundError):
            await person.traces.get(known)
    assert (await client.traces.get(known)).state == "hidden"  # its contributor sees why
    assert await found(client, "database is locked") == []
    await crowd[1].traces.unflag(flags[1].flag_id)
    assert await found(crowd[0], "database is locked") == [TITLE]


async def test_in_public_one_lineage_of_invitations_cannot_hide_a_trace(client: AsyncClient, people: People) -> None:
    known = await contributed(client)
    await client.traces.publish(known)
    for name in ("ann", "bo", "cy"):  # all invited by the owner
        await (await people(name)).traces.flag(known, "harmful")
    assert (await client.traces.get(known)).state == "active"
    for organization in ("acme", "globex"):
        await (await people("eve", organization)).traces.flag(known, "harmful")
    assert (await client.traces.get(known)).state == "hidden"


async def test_a_flag_is_undone_by_its_author_or_an_admin_of_the_traces_organization(
    client: AsyncClient, people: People
) -> None:
    known = await contributed(client, visibility="team")
    ann, bo = await people("ann"), await people("bo")
    flag = await ann.traces.flag(known, "spam")
    with pytest.raises(ForbiddenError, match="somebody else's"):
        await bo.traces.unflag(flag.flag_id)
    assert (await client.traces.unflag(flag.flag_id)).undone_at is not None
    with pytest.raises(ConflictError, match="undone already"):
        await ann.traces.unflag(flag.flag_id)
    with pytest.raises(NotFoundError, match="No flag 0000000000000000"):
        await ann.traces.unflag("0" * 16)


async def test_a_withdrawn_trace_is_gone_for_others_and_leaves_who_when_and_why(
    client: AsyncClient, people: People, store: Path
) -> None:
    known = await contributed(client, visibility="team")
    ann = await people("ann")
    stone = await client.traces.withdraw(known, "it was wrong")
    assert (stone.trace_id, stone.reason, stone.contributor.name, stone.restored_at) == (
        known,
        "it was wrong",
        "owner",
        None,
    )
    with pytest.raises(NotFoundError):
        await ann.traces.get(known)
    for person in (client, ann):
        assert await found(person, "database is locked") == []
        assert await person.tags.list() == []
    trace = await client.traces.get(known)
    assert (trace.state, trace.standing.tier, trace.content.title) == ("withdrawn", "withdrawn", TITLE)
    with closing(sqlite3.connect(store)) as connection:
        assert connection.execute("SELECT reason, restored_at FROM tombstones").fetchall() == [("it was wrong", None)]


async def test_a_withdrawn_trace_is_restored_as_it_was_and_the_tombstone_stays(
    client: AsyncClient, people: People, store: Path
) -> None:
    known = await contributed(client, visibility="team")
    ann = await people("ann")
    await use(ann, known)
    before = await client.traces.get(known)
    await client.traces.withdraw(known, "hasty")
    assert await client.traces.restore(known) == before
    assert await found(ann, "database is locked") == [TITLE]
    with closing(sqlite3.connect(store)) as connection:
        ((restored_at,),) = connection.execute("SELECT restored_at FROM tombstones").fetchall()
        assert restored_at is not None


async def test_withdrawing_and_restoring_happen_once_and_only_by_those_who_may(
    client: AsyncClient, people: People
) -> None:
    ann, bo = await people("ann"), await people("bo")
    known = await contributed(ann, visibility="team")
    with pytest.raises(ForbiddenError):
        await bo.traces.withdraw(known, "envy")
    with pytest.raises(ConflictError, match="is active, not withdrawn"):
        await ann.traces.restore(known)
    await client.traces.withdraw(known, "an admin may")
    with pytest.raises(ConflictError, match="withdrawn already"):
        await ann.traces.withdraw(known, "again")
    with pytest.raises(NotFoundError):
        await bo.traces.restore(known)
    assert (await ann.traces.restore(known)).state == "active"


async def test_a_superseded_trace_is_restored_as_superseded(client: AsyncClient) -> None:
    known = await contributed(client)
    await contributed(client, title="A better one", supersedes=known)
    await client.traces.withdraw(known, "no longer needed")
    assert (await client.traces.restore(known)).state == "superseded"


async def test_a_hidden_trace_comes_back_into_use_when_its_flags_went_while_it_was_withdrawn(
    client: AsyncClient, people: People
) -> None:
    known = await contributed(client, visibility="team")
    flags = [await (await people(name)).traces.flag(known, "spam") for name in ("ann", "bo", "cy")]
    await client.traces.withdraw(known, "let us see")
    assert (await client.traces.restore(known)).state == "hidden"
    await client.traces.withdraw(known, "let us see")
    await client.traces.unflag(flags[0].flag_id)
    assert (await client.traces.restore(known)).state == "active"


async def test_traces_and_commits_are_linked_and_unlinked(client: AsyncClient) -> None:
    one, two = await contributed(client, 0), await contributed(client, 1)
    await client.traces.link(one, "extends", two[:10])
    commit = "c0ffee" * 10 + "c0ff"
    linked = await client.traces.link(one, "context_produced", commit)
    assert [(link.kind, link.target) for link in linked.links] == [("context_produced", commit), ("extends", two)]
    assert await client.traces.link(one, "extends", two) == linked  # once is enough
    left = await client.traces.unlink(one, "extends", two)
    assert [link.kind for link in left.links] == ["context_produced"]
    with pytest.raises(NotFoundError, match="no link extends"):
        await client.traces.unlink(one, "extends", two)


async def test_a_link_needs_another_trace_that_is_there(client: AsyncClient) -> None:
    known = await contributed(client)
    with pytest.raises(InvalidInputError, match="cannot be linked to itself"):
        await client.traces.link(known, "extends", known)
    for missing in ("0" * 32, "0" * 40):
        with pytest.raises(NotFoundError):
            await client.traces.link(known, "contradicts", missing)


async def test_others_may_link_to_what_they_see_and_only_its_people_unlink(client: AsyncClient, people: People) -> None:
    known = await contributed(client, visibility="team")
    ann = await people("ann")
    other = await contributed(ann, 1, visibility="team")
    await ann.traces.link(known, "contradicts", other)
    with pytest.raises(ForbiddenError):
        await ann.traces.unlink(known, "contradicts", other)
    assert (await client.traces.unlink(known, "contradicts", other)).links == []


async def test_publishing_previews_every_byte_and_then_everybody_sees_it(client: AsyncClient, people: People) -> None:
    known = await contributed(client)
    stranger = await people("eve", "elsewhere")
    preview = await client.traces.publish(known, dry_run=True)
    assert (preview.published, preview.visibility) == (False, "public")
    assert preview.content == (await client.traces.get(known)).content
    with pytest.raises(NotFoundError):
        await stranger.traces.get(known)
    done = await client.traces.publish(known)
    assert (done.published, done.content) == (True, preview.content)
    assert (await stranger.traces.get(known)).content == preview.content
    assert (await stranger.traces.history(known))[0].content == preview.content


async def test_an_audience_grows_and_never_shrinks(client: AsyncClient, people: People) -> None:
    known = await contributed(client)
    ann = await people("ann")
    await client.traces.publish(known, "team")
    assert (await ann.traces.get(known)).visibility == "team"
    await client.traces.publish(known, "public")
    with pytest.raises(InvalidInputError, match=r"is public already.*withdraw"):
        await client.traces.publish(known, "team")
    assert (await ann.traces.get(known)).visibility == "public"


async def test_only_its_people_publish_a_trace(client: AsyncClient, people: People) -> None:
    known = await contributed(client, visibility="team")
    with pytest.raises(ForbiddenError):
        await (await people("ann")).traces.publish(known)


async def test_tags_are_counted_over_what_the_caller_sees(client: AsyncClient, people: People) -> None:
    ann = await people("ann")
    await contributed(client, 0, visibility="team", tags=["python", "sqlite"])
    await contributed(client, 1, tags=["python", "docker"])
    await contributed(ann, 2, tags=["python"])
    assert [(count.tag, count.traces) for count in await client.tags.list()] == [
        ("python", 2),
        ("docker", 1),
        ("sqlite", 1),
    ]
    assert [(count.tag, count.traces) for count in await ann.tags.list()] == [("python", 2), ("sqlite", 1)]
    assert [count.tag for count in await client.tags.list("S")] == ["sqlite"]
    assert [count.tag for count in await client.tags.list(limit=1)] == ["python"]
    assert await client.tags.list("%") == []


async def test_a_prefix_names_a_trace_as_long_as_it_is_the_only_one(client: AsyncClient, store: Path) -> None:
    one, two = await contributed(client, 0), await contributed(client, 1)
    assert (await client.traces.get(one[:6])).trace_id == one
    with closing(sqlite3.connect(store)) as connection, connection:
        connection.execute("PRAGMA foreign_keys = OFF")
        for table in ("traces", "trace_versions", "trace_tags", "trace_errors"):
            for old, new in ((one, "abcdef" + one[6:]), (two, "abcdef" + two[6:])):
                connection.execute(f"UPDATE {table} SET trace_id = ? WHERE trace_id = ?", (new, old))
    with pytest.raises(AmbiguousRefError, match=r"abcdef could be abcdef.* or abcdef.*Give more digits") as refused:
        await client.traces.get("abcdef")
    assert refused.value.extra["candidates"] == ["abcdef" + one[6:], "abcdef" + two[6:]]
    with pytest.raises(AmbiguousRefError):
        await client.traces.query(Query(ids=["abcdef"]))
    assert (await client.traces.get("abcdef" + one[6:])).content.title == TITLE


@pytest.mark.parametrize(
    "ref", ["", "query", "../tags", "a/b", "a?b=1", "ÄÖÜ", "ABCDEF", "abcde", "abcdef\n", "f" * 65]
)
async def test_what_cannot_be_an_id_is_refused_before_it_is_sent(client: AsyncClient, ref: str) -> None:
    with pytest.raises(InvalidInputError, match=r"is not the id of a trace.*6 or more"):
        await client.traces.get(ref)
