"""Searching: whatever was ever said is found, wherever it went, exactly as a scan of everything finds it."""

import json
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from commontrace import AsyncClient, connect_async
from commontrace._async.contexts import AsyncContextRepository
from commontrace.errors import InvalidInputError, NotFoundError
from commontrace.models.contexts import GrepHit
from commontrace.providers.messages import text_of
from conversations import say

pytestmark = pytest.mark.both_databases

Where = set[tuple[str, str]]


async def scanned(repo: AsyncContextRepository, words: str) -> Where:
    """The commit and slot of every content that holds some words, out of a bundle of everything."""
    texts: dict[str, str] = {}
    found: Where = set()
    for item in map(json.loads, (await repo.bundle()).splitlines()):
        if "blob" in item:
            texts[item["blob"]] = text_of(item["content"])
        for operation in item["content"]["operations"] if "content" in item and "commit" in item else ():
            if "blob" in operation and words.lower() in texts[operation["blob"]].lower():
                found.add((item["commit"], operation["slot"]))
    return found


async def every_hit(repo: AsyncContextRepository, pattern: str, **options: Any) -> list[GrepHit]:
    """The hits of all pages."""
    page = await repo.grep(pattern, **options)
    hits = page.hits
    while page.next:
        page = await repo.grep(pattern, **options, after=page.next)
        hits = [*hits, *page.hits]
    return hits


def where(hits: list[GrepHit]) -> Where:
    return {(hit.commit_id, hit.slot_id) for hit in hits}


@pytest.fixture
async def full(repo: AsyncContextRepository) -> AsyncContextRepository:
    """needle was said on main, edited away, covered, removed, skipped, and on a branch of its own."""
    await say(repo, "the needle in a message", "hay", message="first")
    await say(repo, "a Needle that is edited", "a needle that is covered", "a needle that is removed")
    await say(repo, "one\ntwo\nthe NEEDLE of line three\nneedle again", "a needle that is skipped")
    slots = [item.slot_id for item in (await repo.window(explain=True)).explanation]
    await repo.edit(slots[2], "hay now")
    await repo.compress(slots=[slots[3]], text="hay", force=True)
    await repo.remove(slots[4])
    await repo.skip(slots[6], reason="too much")
    await repo.branch("side")
    await say(repo, "a needle aside")
    await repo.tag("v1")
    await repo.switch("main")
    return repo


async def test_what_is_found_says_where_it_is_and_why_it_is_not_shown(full: AsyncContextRepository) -> None:
    hits = {hit.excerpt: hit for hit in await every_hit(full, "needle")}
    assert {words: (hit.shown, hit.position, hit.reason.split(" ")[0]) for words, hit in hits.items()} == {
        "a needle aside": (True, 5, ""),
        "the NEEDLE of line three": (True, 4, ""),
        "a needle that is skipped": (False, None, "it"),
        "a Needle that is edited": (False, None, "it"),
        "a needle that is covered": (False, None, "the"),
        "a needle that is removed": (False, None, "it"),
        "the needle in a message": (True, 0, ""),
    }
    assert hits["a needle that is skipped"].reason == "it is skipped: too much"
    assert hits["a needle that is removed"].reason == "it was removed"
    assert hits["a Needle that is edited"].reason == "it was edited since"
    assert hits["a needle that is covered"].reason.endswith("stands for it")
    assert (hits["the NEEDLE of line three"].line, hits["the NEEDLE of line three"].matches) == (3, 2)
    assert (hits["a needle aside"].refs, hits["a needle aside"].at) == (["side", "tag: v1"], "side")
    assert (hits["the needle in a message"].refs, hits["the needle in a message"].at) == (
        ["main", "side", "tag: v1"],
        "main",
    )


async def test_it_is_what_a_scan_finds(full: AsyncContextRepository) -> None:
    for words in ("needle", "NEEDLE", "hay", "a ", "", "nowhere", "line three\nneedle", "."):
        for limit in (1, 3, 1000):
            hits = await every_hit(full, words, limit=limit)
            assert where(hits) == await scanned(full, words)
            assert len(hits) == len(where(hits))


async def test_one_ref_shows_what_leads_there_and_how_it_is_there(full: AsyncContextRepository) -> None:
    assert "a needle aside" not in {hit.excerpt for hit in await every_hit(full, "needle", ref="main")}
    hits = await every_hit(full, "needle", ref="side~1")
    assert {hit.at for hit in hits} == {"side~1"}
    assert {tuple(hit.refs) for hit in hits} == {("main", "side", "tag: v1")}
    first = (await full.log("main")).commits[-1].commit_id
    assert [hit.excerpt for hit in await every_hit(full, "needle", ref=first[:12])] == ["the needle in a message"]


async def test_expressions_and_letter_case(full: AsyncContextRepository) -> None:
    assert {hit.excerpt for hit in await every_hit(full, "^needle", regex=True)} == {"needle again"}
    assert {hit.excerpt for hit in await every_hit(full, "needle that is (edited|removed)$", regex=True)} == {
        "a Needle that is edited",
        "a needle that is removed",
    }
    assert {hit.excerpt for hit in await every_hit(full, "Needle", case_sensitive=True)} == {"a Needle that is edited"}
    assert await every_hit(full, "needle|hay", case_sensitive=True) == []
    with pytest.raises(InvalidInputError, match="no regular expression"):
        await full.grep("(unclosed", regex=True)


async def test_a_long_line_is_cut_around_the_match(repo: AsyncContextRepository) -> None:
    await say(repo, "x" * 500 + "needle" + "y" * 500)
    [hit] = (await repo.grep("needle")).hits
    assert hit.excerpt == f"…{'x' * 80}needle{'y' * 80}…"


async def test_the_other_side_of_a_conflict_is_found(repo: AsyncContextRepository) -> None:
    await say(repo, "one")
    slot = (await repo.window(explain=True)).explanation[0].slot_id
    await repo.branch("try")
    await repo.edit(slot, "a needle of theirs")
    await repo.switch("main")
    await repo.edit(slot, "ours")
    await repo.merge("try")
    [hit] = (await repo.grep("needle")).hits
    assert (hit.shown, hit.reason) == (False, "the other side of a conflict is shown")


async def test_pages_end_within_a_commit_and_go_on_behind_it(repo: AsyncContextRepository) -> None:
    await say(repo, *(f"needle {number}" for number in range(7)))
    await say(repo, "needle last")
    first = await repo.grep("needle", limit=3)
    assert [hit.excerpt for hit in first.hits] == ["needle last", "needle 0", "needle 1"]
    await say(repo, "needle that came meanwhile")
    second = await repo.grep("needle", limit=3, after=first.next)
    assert [hit.excerpt for hit in second.hits] == ["needle 2", "needle 3", "needle 4"]
    last = await repo.grep("needle", limit=3, after=second.next)
    assert ([hit.excerpt for hit in last.hits], last.next) == (["needle 5", "needle 6"], None)
    with pytest.raises(InvalidInputError, match="not where a page ended"):
        await repo.grep("needle", after="page 2")


async def test_nothing_is_found_where_nothing_is(client: AsyncClient, repo: AsyncContextRepository) -> None:
    await say(repo, "one")
    await repo.undo()
    assert (await repo.grep("one")).hits == []
    with pytest.raises(NotFoundError):
        await client.contexts.open("nowhere").grep("one")


STEPS = st.lists(
    st.tuples(
        st.sampled_from(["say", "edit", "skip", "remove", "compress", "branch", "switch", "merge"]), st.integers(0, 5)
    ),
    min_size=1,
    max_size=8,
)


async def lived(repo: AsyncContextRepository, steps: list[tuple[str, int]]) -> None:
    await say(repo, "ab", "b")
    for number, (step, pick) in enumerate(steps):
        explanation = (await repo.window(explain=True)).explanation
        slot = explanation[pick % len(explanation)].slot_id if explanation else ""
        names = [branch.name for branch in await repo.branches()]
        try:
            if step == "say" or not slot:
                await say(repo, "ab" * pick, f"{number} b")
            elif step in {"skip", "remove"}:
                await getattr(repo, step)(slot)
            elif step == "edit":
                await repo.edit(slot, f"b{number}")
            elif step == "compress":
                await repo.compress(slots=[slot], text=f"a{number}", force=True)
            elif step == "branch":
                await repo.branch(f"b{number}")
            else:
                await getattr(repo, step)(names[pick % len(names)])
        except InvalidInputError:
            continue  # a summary is not removed


@pytest.mark.parametrize("limit", [2, 100])
@settings(max_examples=6, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps=STEPS, words=st.sampled_from(["a", "b", "ab", "AB", "1"]))
async def test_it_is_what_a_scan_finds_whatever_was_done(
    url: str, limit: int, steps: list[tuple[str, int]], words: str
) -> None:
    async with connect_async(url) as client:
        repo = client.contexts.open(f"r{abs(hash((tuple(steps), words, limit)))}")
        await lived(repo, steps)
        assert where(await every_hit(repo, words, limit=limit)) == await scanned(repo, words)
