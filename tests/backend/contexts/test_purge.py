"""Purging: the text leaves every file and every bundle, windows and ids stay, and nothing brings it back."""

import asyncio
import json
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from commontrace import AsyncClient, connect_async
from commontrace._async.contexts import AsyncContextRepository
from commontrace.errors import AmbiguousRefError, ConflictError, ForbiddenError, InvalidInputError, NotFoundError
from commontrace.models.contexts import Window
from conversations import say
from demands import assert_anthropic, assert_openai
from doors import People
from tampering import changed, dumped

pytestmark = pytest.mark.both_databases

SECRET = 'opensesame-\u00e9"7\n8'
TRACES = [b"opensesame", json.dumps(SECRET)[1:-1].encode()]


def call(arguments: str) -> dict[str, Any]:
    called = {"id": "a", "type": "function", "function": {"name": "run", "arguments": arguments}}
    return {"role": "assistant", "content": "Let me see.", "tool_calls": [called]}


async def leaked(repo: AsyncContextRepository) -> None:
    """A history with the secret in a message, in arguments, in a result, in words of a commit and in notes."""
    repo.system("Be brief.")
    repo.user(f"The password is {SECRET}, remember?")
    repo.add(call(json.dumps({"note": SECRET})))
    repo.add({"role": "tool", "tool_call_id": "a", "content": f"logged in with {SECRET}"})
    await repo.commit(f"log in with {SECRET}", metadata={"note": [SECRET]}, generation={"model": "m"})
    await say(repo, "go on")
    slots = [item.slot_id for item in (await repo.window(explain=True)).explanation]
    await repo.pin(slots[-1], reason=f"follows {SECRET}")
    await repo.edit(slots[1], f"It is {SECRET} still.")
    await repo.branch("side")
    await say(repo, "on the side")
    await repo.switch("main")
    await repo.notes(keep=["go on", SECRET])


@pytest.fixture
async def full(repo: AsyncContextRepository) -> AsyncContextRepository:
    """The repository with the secret in it."""
    await leaked(repo)
    return repo


async def held(path: Path) -> list[str]:
    """The files of a store that hold a trace of the secret."""

    def look() -> list[str]:
        files = [one for one in path.parent.glob(f"{path.name}*") if one.is_file()]
        return [one.name for one in files if any(trace in one.read_bytes() for trace in TRACES)]

    return await asyncio.to_thread(look)


async def test_the_text_is_gone_from_every_file(store: Path, url: str, client: AsyncClient) -> None:
    repo = client.contexts.open("parser")
    await leaked(repo)
    assert await held(store)
    found = await repo.purge(SECRET, reason="leaked")
    assert found.erased
    assert await held(store) == []
    assert (len(found.blobs), len(found.commits), found.left) == (4, 3, [])
    async with connect_async(url) as again:
        assert (await again.contexts.open("parser").verify(full=True)).problems == []


async def test_the_text_is_gone_from_every_row(url: str, full: AsyncContextRepository) -> None:
    before = await dumped(url)
    assert any(trace in before for trace in TRACES)
    assert (await full.purge(SECRET)).erased
    rows = await dumped(url)
    assert not [trace for trace in TRACES if trace in rows]


async def test_windows_stay_valid_and_show_a_marker(full: AsyncContextRepository) -> None:
    before = await full.window(explain=True)
    await full.purge(SECRET, reason="leaked")
    after = await full.window(explain=True)
    assert [item.slot_id for item in after.explanation] == [item.slot_id for item in before.explanation]
    assert after.commit_id == before.commit_id
    assert after.to_text().count("(purged: leaked)") == 3
    openai: Window = await full.window(format="openai")
    anthropic = await full.window(format="anthropic")
    assert_openai(openai.messages or [])
    assert_anthropic(anthropic.messages or [])
    assert [one["tool_calls"][0]["id"] for one in openai.messages or [] if "tool_calls" in one] == ["a"]
    assert (await full.status()).tokens == after.tokens
    assert after.tokens.tokens == sum(item.tokens for item in after.explanation)


async def test_ids_and_totals_hold_and_the_log_shows_the_marker(full: AsyncContextRepository) -> None:
    before = [commit.commit_id for commit in (await full.log()).commits]
    await full.purge(SECRET, reason="leaked")
    page = (await full.log()).commits
    assert [commit.commit_id for commit in page] == before
    assert page[-1].message == "(purged: leaked)"
    assert page[-1].metadata == {"note": ["(purged: leaked)"]}
    assert page[-1].generation == {"model": "m"}
    for commit in page:
        assert commit.tokens == (await full.window(commit.commit_id)).tokens.tokens
    found = await full.verify(full=True)
    assert (found.problems, found.purged) == ([], 7)


async def test_a_changed_byte_of_what_stands_there_is_found(url: str, full: AsyncContextRepository) -> None:
    found = await full.purge(SECRET, reason="leaked")
    await changed(url, "DELETE FROM purged_objects WHERE object_id = :one", one=found.blobs[0])
    assert [one.name for one in (await full.verify()).problems] == [found.blobs[0]]


async def test_undo_does_not_bring_it_back(full: AsyncContextRepository) -> None:
    await full.purge(SECRET)
    for _ in range(4):
        await full.undo()
    for ref in ("main", "main~1"):
        assert "opensesame" not in (await full.window(ref)).to_text()
    assert "purge" in {operation.kind for operation in await full.operations() if not operation.undone}


async def test_saying_the_same_again_shows_the_marker(full: AsyncContextRepository) -> None:
    await full.purge(SECRET, reason="leaked")
    await say(full, f"The password is {SECRET}, remember?")
    assert (await full.window(format="messages")).messages[-1:] == [  # type: ignore[index]  # a list
        {"role": "user", "parts": [{"type": "text", "text": "(purged: leaked)"}]}
    ]
    assert (await full.verify(full=True)).problems == []


async def test_editing_it_in_again_shows_the_marker(full: AsyncContextRepository) -> None:
    await full.purge(SECRET)
    slots = [item.slot_id for item in (await full.window(explain=True)).explanation]
    done = await full.edit(slots[-1], content={"role": "user", "content": f"The password is {SECRET}, remember?"})
    window = await full.window()
    assert done.tokens == window.tokens
    assert window.to_text().endswith("(purged)")
    assert (await full.verify(full=True)).problems == []


async def test_bundles_made_afterwards_are_without_it_and_can_be_imported(
    full: AsyncContextRepository, client: AsyncClient
) -> None:
    old = await full.bundle()
    await full.purge(SECRET, reason="leaked")
    new = await full.bundle()
    assert any(trace in old for trace in TRACES)
    assert not any(trace in new for trace in TRACES)
    copy = client.contexts.open("copy")
    assert (await copy.import_bundle(new)).commits == 6
    assert (await copy.window(format="messages")).messages == (await full.window(format="messages")).messages
    found = await copy.verify(full=True)
    assert (found.problems, found.purged) == ([], 7)

    assert (await copy.import_bundle(old)).blobs == 0
    assert (await full.import_bundle(old)).commits == 0
    for repo in (copy, full):
        assert "opensesame" not in (await repo.window()).to_text()
        assert (await repo.verify(full=True)).problems == []


async def test_an_old_bundle_with_more_on_top_keeps_what_was_purged_away(
    full: AsyncContextRepository, client: AsyncClient
) -> None:
    copy = client.contexts.open("copy")
    await copy.import_bundle(await full.bundle())
    await say(copy, "a step further")
    await full.purge(SECRET)
    assert (await full.import_bundle(await copy.bundle())).commits == 1
    assert (await full.window()).to_text().endswith("user: a step further")
    assert "opensesame" not in (await full.window()).to_text()
    assert (await full.verify(full=True)).problems == []
    # The copy keeps what it has: whoever holds it purges it there.
    await copy.import_bundle(await full.bundle())
    assert "opensesame" in (await copy.window()).to_text()
    assert (await copy.verify(full=True)).problems == []


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (b'"purged":"blob"', b'"purged":"blub"'),
        (b'"reason":"leaked"', b'"reason":[]'),
        (b'"content":{"parts"', b'"content":{"pirts"'),
    ],
)
async def test_a_bundle_with_a_broken_purge_is_refused(
    full: AsyncContextRepository, client: AsyncClient, old: bytes, new: bytes
) -> None:
    await full.purge(SECRET, reason="leaked")
    with pytest.raises(InvalidInputError, match=r"Line \d+ of the bundle"):
        await client.contexts.open("copy").import_bundle((await full.bundle()).replace(old, new, 1))


async def test_a_message_is_purged_by_its_slot_with_all_that_it_ever_said(full: AsyncContextRepository) -> None:
    slot = (await full.window(explain=True)).explanation[1].slot_id
    found = await full.purge(slot=slot[:8], reason="by mistake")
    assert len(found.blobs) == 2
    assert {one.text for one in (await full.slot(slot)).versions if one.version is not None} == {"(purged: by mistake)"}
    assert (await full.verify(full=True)).problems == []


async def test_a_blob_is_purged_by_its_id_and_summaries_of_it_are_named(full: AsyncContextRepository) -> None:
    slots = [item.slot_id for item in (await full.window(explain=True)).explanation]
    await full.notes(keep=[])
    summary = await full.compress(slots=[slots[1]], text="There was a password.", force=True)
    blob = (await full.purge("go on")).blobs[0]
    assert (await full.purge(blob=blob[:20])).blobs == []
    assert (await full.purge(blob=blob, reason="another")).blobs == [blob]
    left = (await full.purge(slot=slots[1])).left
    assert left == [f"The summary {(summary.summary_slot or '')[:10]} may say it in other words."]


async def test_schemas_of_tools_and_ids_of_calls_are_purged_too(url: str, repo: AsyncContextRepository) -> None:
    repo.add({**call("{}"), "tool_calls": [{**call("{}")["tool_calls"][0], "id": "opensesame-1"}]})
    repo.add({"role": "tool", "tool_call_id": "opensesame-1", "content": "done"})
    await repo.commit()
    await repo.notes(tools=[{"name": "open", "description": "says opensesame"}])
    await repo.purge("opensesame")
    assert b"opensesame" not in await dumped(url)
    assert_openai((await repo.window(format="openai")).messages or [])
    assert (await repo.verify(full=True)).sound


async def test_a_ref_that_has_it_in_its_name_has_to_go_first(url: str, repo: AsyncContextRepository) -> None:
    await say(repo, "one")
    await repo.branch("opensesame")
    await repo.switch("main")
    with pytest.raises(ConflictError, match="has the text in its name"):
        await repo.purge("opensesame")
    await repo.delete_branch("opensesame")
    assert (await repo.purge("opensesame")).operations >= 3
    assert b"opensesame" not in await dumped(url)


async def test_what_is_nowhere_is_said_to_be_nowhere(full: AsyncContextRepository) -> None:
    for wanted in ({"text": "nobody said this"}, {"slot": "0000"}, {"blob": "0" * 64}):
        with pytest.raises(NotFoundError):
            await full.purge(**wanted)
    with pytest.raises(InvalidInputError):
        await full.purge("a text", slot="0000")
    with pytest.raises(InvalidInputError):
        await full.purge("a text", reason="for a text")


async def test_an_ambiguous_prefix_is_refused(repo: AsyncContextRepository) -> None:
    await say(repo, *(f"message {number}" for number in range(1500)))
    ids = sorted(item.slot_id[:4] for item in (await repo.window(explain=True)).explanation)
    twice = next((one for one, other in pairwise(ids) if one == other), None)
    assert twice is not None
    with pytest.raises(AmbiguousRefError, match="several messages"):
        await repo.purge(slot=twice)


async def test_only_the_owner_or_an_admin_of_the_organization_purges(url: str, people: People) -> None:
    ann, ben, eva = (
        await people("ann"),
        await people("ben"),
        await people("eva", scopes=("contribute", "read", "admin")),
    )
    repo = ann.contexts.open("parser")
    await say(repo, f"The password is {SECRET}.")
    await repo.share()
    bens = ben.contexts.open("parser")
    await bens.switch("main")
    assert await say(bens, f"So it is {SECRET}.")
    before = await dumped(url)
    with pytest.raises(ForbiddenError, match="somebody else's") as refused:
        await bens.purge("opensesame")
    assert refused.value.hint == "Ask its owner or an admin of your organization to purge it."
    assert await dumped(url) == before
    assert len((await eva.contexts.open("parser").purge("opensesame")).blobs) == 2
    await say(bens, "opensesame again")
    assert len((await repo.purge("opensesame")).blobs) == 1


async def test_an_admin_of_another_organization_does_not_even_see_it(url: str, people: People) -> None:
    await say((await people("ann")).contexts.open("parser"), SECRET)
    await changed(url, "UPDATE repositories SET visibility = 'team'")
    foreign = await people("eve", "evil corp", scopes=("read", "contribute", "admin"))
    with pytest.raises(NotFoundError):
        await foreign.contexts.open("parser").purge("opensesame")
