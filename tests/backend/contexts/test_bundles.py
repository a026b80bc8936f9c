"""Bundles: what goes out comes in with the same ids, and what was changed on the way does not come in."""

import json
from hashlib import sha256
from pathlib import Path
from typing import Any

import httpx2
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from commontrace import AsyncClient, connect_async
from commontrace._async.contexts import AsyncContextRepository
from commontrace.bundles import written
from commontrace.errors import (
    ConflictError,
    ForbiddenError,
    InvalidInputError,
    NewerSchemaError,
    NotFoundError,
)
from commontrace.objects import Blob, Commit, appends, identify
from conversations import refs, said, say
from doors import People

both = pytest.mark.both_databases
REPOSITORY = "parser"


@pytest.fixture
def copy(client: AsyncClient) -> AsyncContextRepository:
    """Another repository of the same store; nothing is in it yet."""
    return client.contexts.open("copy")


async def history(repo: AsyncContextRepository) -> None:
    """Two branches that were merged, a tag, and a branch aside."""
    await say(repo, "one", message="first", trace_ids=["ab" * 16], metadata={"n": 1.5, "ü": ["👋"]})
    await repo.tag("asked")
    await repo.branch("try")
    await say(repo, "two", "three")
    await repo.switch("main")
    await say(repo, "four")
    await repo.merge("try")
    await repo.branch("aside", "asked", switch=False)


async def everything(repo: AsyncContextRepository) -> dict[str, Any]:
    """Refs, and the log and the window at each."""
    found: dict[str, Any] = {"refs": [(tag.name, tag.commit_id) for tag in await repo.tags()]}
    for name, commit_id in (await refs(repo)).items():
        if name != "HEAD":
            # Who is called what is for the store to say, not for the bundle.
            log = [commit.model_copy(update={"author_name": ""}) for commit in (await repo.log(name)).commits]
            found[name] = commit_id, log, await repo.window(name, format="messages")
    told = str(found)
    return {"all": told.replace(f"repository='{repo.name}'", ""), "names": sorted(found)}


def commits_in(bundle: bytes) -> list[str]:
    return [item["commit"] for item in map(json.loads, bundle.splitlines()) if "content" in item and "commit" in item]


@both
async def test_a_repository_is_the_same_in_another_place(
    repo: AsyncContextRepository, copy: AsyncContextRepository
) -> None:
    await history(repo)
    bundle = await repo.bundle()
    result = await copy.import_bundle(bundle)
    assert (result.commits, result.blobs, len(result.refs)) == (4, 4, 4)
    assert await everything(copy) == await everything(repo)
    assert (await copy.bundle()).replace(b'"copy"', b'"parser"').splitlines()[:-1] == bundle.splitlines()[:-1]


@both
async def test_a_bundle_goes_to_a_store_of_its_own(repo: AsyncContextRepository, tmp_path: Path) -> None:
    await history(repo)
    async with connect_async(f"sqlite:///{tmp_path / 'elsewhere.db'}") as elsewhere:
        there = elsewhere.contexts.open(REPOSITORY)
        await there.import_bundle(await repo.bundle())
        assert await everything(there) == await everything(repo)
        assert await elsewhere.contexts.commits_of_trace("ab" * 16)


@both
async def test_importing_twice_changes_nothing(repo: AsyncContextRepository, copy: AsyncContextRepository) -> None:
    await history(repo)
    bundle = await repo.bundle()
    await copy.import_bundle(bundle)
    before = await copy.operations()
    again = await copy.import_bundle(bundle)
    assert (again.commits, again.blobs, again.refs) == (0, 0, [])
    assert await copy.operations() == before


async def test_an_import_is_undone_as_a_whole(repo: AsyncContextRepository, copy: AsyncContextRepository) -> None:
    await history(repo)
    await copy.import_bundle(await repo.bundle())
    assert (await copy.undo()).kind == "undo"
    assert await copy.tags() == []
    assert await refs(copy) == {"HEAD": "main", "main": None}
    await copy.redo()
    assert await everything(copy) == await everything(repo)


@both
async def test_what_is_new_goes_forward(repo: AsyncContextRepository, copy: AsyncContextRepository) -> None:
    first = await say(repo, "one")
    await copy.import_bundle(await repo.bundle())
    second = await say(repo, "two")
    thin = await repo.bundle(["HEAD"], since=[first])
    assert commits_in(thin) == [second]
    result = await copy.import_bundle(thin)
    assert [(moved.ref, moved.before, moved.after) for moved in result.refs] == [("branch/main", first, second)]
    assert (result.commits, result.blobs) == (1, 1)
    assert await said(copy) == ["one", "two"]


async def test_a_bundle_since_everything_holds_only_refs(
    repo: AsyncContextRepository, copy: AsyncContextRepository
) -> None:
    await history(repo)
    await copy.import_bundle(await repo.bundle())
    await copy.delete_branch("aside")
    nothing = await repo.bundle(since=["main"])
    assert commits_in(nothing) == []
    assert [moved.ref for moved in (await copy.import_bundle(nothing)).refs] == ["branch/aside"]


async def test_what_is_further_on_here_stays(repo: AsyncContextRepository, copy: AsyncContextRepository) -> None:
    await say(repo, "one")
    bundle = await repo.bundle()
    await copy.import_bundle(bundle)
    ahead = await say(copy, "two")
    assert (await copy.import_bundle(bundle)).refs == []
    assert (await refs(copy))["main"] == ahead


@both
async def test_histories_that_part_are_refused_unless_they_get_names_of_their_own(
    repo: AsyncContextRepository, copy: AsyncContextRepository
) -> None:
    await say(repo, "one")
    await copy.import_bundle(await repo.bundle())
    theirs, ours = await say(repo, "theirs"), await say(copy, "ours")
    bundle = await repo.bundle()
    with pytest.raises(ConflictError, match=rf"main is at {ours[:10]} here, and at {theirs[:10]}.*prefix"):
        await copy.import_bundle(bundle)
    with pytest.raises(NotFoundError):
        await copy.get(theirs)
    result = await copy.import_bundle(bundle, prefix="theirs")
    assert [moved.ref for moved in result.refs] == ["branch/theirs/main"]
    await copy.merge("theirs/main")
    assert await said(copy) == ["one", "ours", "theirs"]


async def test_histories_that_have_nothing_in_common_are_refused(
    repo: AsyncContextRepository, copy: AsyncContextRepository
) -> None:
    await say(repo, "theirs")
    await say(copy, "ours")
    with pytest.raises(ConflictError, match="The branch main"):
        await copy.import_bundle(await repo.bundle())


async def test_a_long_history_comes_through(repo: AsyncContextRepository, copy: AsyncContextRepository) -> None:
    items: list[tuple[str, Commit]] = []
    parent: tuple[str, ...] = ()
    for number in range(1100):
        operations = appends([HELLO.blob_id], origin=["test", number])
        commit = made(parent, operations=operations)
        items.append((commit.commit_id, commit))
        parent = (commit.commit_id,)
    bundle = written("made", {HELLO.blob_id: HELLO.encoded}, items, {"branch/main": items[-1][0]})
    assert (await copy.import_bundle(bundle)).commits == 1100
    assert (await copy.status()).messages == 1100
    assert (await copy.get("HEAD")).tokens == (await copy.window()).tokens.tokens
    await repo.import_bundle(await copy.bundle())
    assert (await repo.get("HEAD")).commit_id == items[-1][0]


async def test_a_tag_never_moves(repo: AsyncContextRepository, copy: AsyncContextRepository) -> None:
    await say(repo, "one")
    await repo.tag("here")
    await copy.import_bundle(await repo.bundle())
    await repo.delete_tag("here")
    await say(repo, "two")
    await repo.tag("here")
    with pytest.raises(ConflictError, match="The tag here"):
        await copy.import_bundle(await repo.bundle(["here"]))


async def test_a_part_that_builds_on_what_is_not_there_is_refused(
    repo: AsyncContextRepository, copy: AsyncContextRepository
) -> None:
    first = await say(repo, "one")
    await say(repo, "two")
    with pytest.raises(InvalidInputError, match=f"builds on {first[:10]}"):
        await copy.import_bundle(await repo.bundle(since=[first]))


async def test_only_what_is_there_can_be_bundled(repo: AsyncContextRepository, copy: AsyncContextRepository) -> None:
    with pytest.raises(NotFoundError, match="no context copy"):
        await copy.bundle()
    await say(repo, "one")
    with pytest.raises(NotFoundError, match="no branch or tag nowhere"):
        await repo.bundle(["nowhere"])
    with pytest.raises(NotFoundError):
        await repo.bundle(since=["nowhere"])


async def refused(copy: AsyncContextRepository, bundle: bytes, words: str) -> None:
    """A bundle is refused with these words, and nothing of it is there."""
    with pytest.raises(InvalidInputError, match=words):
        await copy.import_bundle(bundle)
    with pytest.raises(NotFoundError, match="no context copy"):
        await copy.branches()


async def test_a_file_cut_off_anywhere_is_refused(repo: AsyncContextRepository, copy: AsyncContextRepository) -> None:
    await say(repo, "one")
    bundle = await repo.bundle()
    for length in (0, 1, 60, len(bundle) // 2, len(bundle) - 1):
        await refused(copy, bundle[:length], "breaks off")
    lines = bundle.splitlines(keepends=True)
    for number in range(1, len(lines) - 1):
        await refused(copy, b"".join(lines[:number] + lines[number + 1 :]), "Line|ref")


async def test_any_changed_byte_is_found(repo: AsyncContextRepository, copy: AsyncContextRepository) -> None:
    await say(repo, "one", message="first")
    bundle = await repo.bundle()
    header = bundle.index(b"\n")
    for place in range(header, len(bundle) - 1, 7):
        changed = bytes([bundle[place] ^ 1])
        await refused(copy, bundle[:place] + changed + bundle[place + 1 :], "bundle")


async def test_a_bundle_of_a_newer_version_is_refused_untouched(
    repo: AsyncContextRepository, copy: AsyncContextRepository
) -> None:
    await say(repo, "one")
    newer = (await repo.bundle()).replace(b'"min_reader":1', b'"min_reader":3', 1)
    with pytest.raises(NewerSchemaError, match="reads version 3; this one reads 2"):
        await copy.import_bundle(newer)
    with pytest.raises(NotFoundError):
        await copy.branches()


def made(parents: tuple[str, ...] = (), **changes: Any) -> Commit:
    fields: dict[str, Any] = {
        "operations": appends([HELLO.blob_id], origin=["test"]),
        "author": "a" * 32,
        "agent": "",
        "time": "2026-11-21T08:00:00.000000+00:00",
        "message": "",
        **changes,
    }
    return Commit(parents=parents, **fields)


def bundled(*commits: Commit, blobs: dict[str, bytes] | None = None, tip: str = "") -> bytes:
    """A bundle that is right in its form, whatever its commits say."""
    items = [(commit.commit_id, commit) for commit in commits]
    held = {HELLO.blob_id: HELLO.encoded} if blobs is None else blobs
    return written("made", held, items, {"branch/main": tip or items[-1][0]})


HELLO = Blob.of({"role": "user", "parts": [{"type": "text", "text": "hello"}]})
LOOSE = b'{"role":"user", "parts":[]}'
BAD: dict[str, tuple[bytes, str]] = {
    "a parent that is missing": (bundled(made(("b" * 64,))), "parents are missing, or in a circle"),
    "parents in a circle": (
        written(
            "made",
            {HELLO.blob_id: HELLO.encoded},
            [("1" * 64, made(("2" * 64,))), ("2" * 64, made(("1" * 64,)))],
            {"branch/main": "2" * 64},
        ),
        "is not the commit that it says",
    ),
    "a message that is missing": (bundled(made(), blobs={}), "builds on"),
    "a ref to nothing": (bundled(made(), tip="c" * 64), "names a commit that is not in the bundle"),
    "an operation of a later version": (bundled(made(operations=({"op": "explode"},))), "operation"),
    "a time that is none": (bundled(made(time="yesterday")), "not a commit of this version"),
    "a time without its zone": (bundled(made(time="2026-11-21T08:00:00")), "not a commit of this version"),
    "an author that is a number": (bundled(made(author=5)), "not a commit of this version"),
    "no message": (bundled(made(), blobs={HELLO.blob_id: b'{"a":1}'}), "is not the blob that it says"),
    "a blob that is no message": (
        bundled(made(), blobs={(odd := Blob.of({"a": 1})).blob_id: odd.encoded}),
        "holds no message",
    ),
    "a message in another form": (
        bundled(made(), blobs={(raw := Blob.of({"role": "user", "content": "x"})).blob_id: raw.encoded}),
        "not in the canonical form",
    ),
    "an object that is not canonical": (
        bundled(made(), blobs={identify("blob", LOOSE): LOOSE}),
        "is not in canonical form",
    ),
    "nothing": (b"", "breaks off"),
    "something else": (b"hello\n", "Line 1 of the bundle is not JSON"),
    "a list": (b"[]\n", "Line 1 of the bundle is not a JSON object"),
    "another document": (b'{"messages": []}\n', "is not the beginning of a bundle"),
    "a ref first": (b'{"ref":"branch/main","commit":"x"}\n', "is not the beginning"),
    "required commits that are none": (
        b'{"commontrace_bundle":1,"min_reader":1,"requires":["x"]}\n',
        "names no commits as required",
    ),
    "a ref of no kind": (
        b'{"commontrace_bundle":1,"min_reader":1}\n{"ref":"main","commit":"' + b"a" * 64 + b'"}\n',
        "is not a ref",
    ),
    "a line of an unknown kind": (
        b'{"commontrace_bundle":1,"min_reader":1}\n{"note":"hi"}\n',
        "Line 2 of the bundle is nothing that a bundle holds",
    ),
    "something behind the end": (bundled(made()) + b"{}\n", "follows the end"),
    "a bad name": (
        written("made", {HELLO.blob_id: HELLO.encoded}, [(made().commit_id, made())], {"branch/..": made().commit_id}),
        "cannot be the name",
    ),
}


@pytest.mark.parametrize(("bundle", "words"), BAD.values(), ids=BAD)
async def test_a_bundle_that_is_not_right_is_refused_and_nothing_written(
    copy: AsyncContextRepository, bundle: bytes, words: str
) -> None:
    await refused(copy, bundle, words)


async def test_what_a_newer_writer_adds_that_we_can_do_without_is_passed_over(copy: AsyncContextRepository) -> None:
    content = bundled(made()).replace(b'"commontrace_bundle":1', b'"commontrace_bundle":3')
    lines = content.splitlines(keepends=True)[:-1]
    body = b"".join([*lines, b'{"note":"hi"}\n'])
    end = {"end": {"blobs": 1, "commits": 1, "refs": 1, "sha256": sha256(body).hexdigest()}}
    assert (await copy.import_bundle(body + json.dumps(end).encode() + b"\n")).commits == 1
    assert await said(copy) == ["hello"]


async def test_a_line_beyond_all_bounds_is_refused(http: httpx2.AsyncClient) -> None:
    start = b'{"commontrace_bundle":1,"min_reader":1}\n'
    answer = await http.post("/api/v1/contexts/copy/bundle", content=start + b'{"blob":"' + b"x" * (17 * 2**20))
    assert (answer.status_code, answer.json()["code"]) == (413, "too_large")


async def test_a_bundle_may_be_larger_than_any_commit(
    repo: AsyncContextRepository, copy: AsyncContextRepository
) -> None:
    for number in range(2):
        await say(repo, f"{number} " + "many words " * 820_000)
    bundle = await repo.bundle()
    assert len(bundle) > 16 * 2**20
    assert (await copy.import_bundle(bundle)).commits == 2


async def test_who_may_only_read_can_bundle_and_not_import(people: People) -> None:
    ann = await people("ann")
    reader = await people("ann", scopes=("read",))
    await say(ann.contexts.open(REPOSITORY), "one")
    bundle = await reader.contexts.open(REPOSITORY).bundle()
    with pytest.raises(ForbiddenError):
        await reader.contexts.open("copy").import_bundle(bundle)


TEXTS = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=12)
STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("say"), TEXTS),
        st.tuples(st.just("branch"), st.integers(0, 3)),
        st.tuples(st.just("switch"), st.integers(0, 3)),
        st.tuples(st.just("merge"), st.integers(0, 3)),
        st.tuples(st.sampled_from(["edit", "pin", "skip", "remove", "compress"]), st.integers(0, 5)),
    ),
    max_size=12,
)


async def live(repo: AsyncContextRepository, steps: list[tuple[str, Any]]) -> None:
    """Say, branch, switch, merge and change as the steps tell; what cannot be is passed over."""
    await say(repo, "begin")
    for kind, value in steps:
        try:
            if kind == "say":
                await say(repo, value)
            elif kind in {"branch", "switch", "merge"}:
                await getattr(repo, kind)(f"b{value}" if value else "main")
            else:
                await change(repo, kind, value)
        except (NotFoundError, ConflictError, InvalidInputError):
            continue


async def change(repo: AsyncContextRepository, kind: str, number: int) -> None:
    """Change the message that stands so far from the beginning of the window."""
    slots = [item.slot_id for item in (await repo.window(explain=True)).explanation]
    if not slots:  # all of them were skipped or removed
        return
    slot = slots[number % len(slots)]
    if kind == "edit":
        await repo.edit(slot, f"edited {number}")
    elif kind == "compress":
        await repo.compress(slots=slots[: number + 1], text="s", force=True)
    else:
        await getattr(repo, kind)(slot)


@given(steps=STEPS, cut=st.integers(0, 100))
@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
async def test_any_history_comes_through_in_one_piece_or_in_two(
    client: AsyncClient, steps: list[tuple[str, Any]], cut: int
) -> None:
    number = len(await client.contexts.repositories())
    one, whole, parts = (client.contexts.open(f"{kind}-{number}") for kind in ("from", "whole", "parts"))
    await live(one, steps)
    bundle = await one.bundle()
    await whole.import_bundle(bundle)
    commits = (await one.log(",".join(commits_in(bundle)[-8:]), limit=1000)).commits
    half = commits[cut % len(commits)].commit_id
    await one.branch("half", half, switch=False)
    await parts.import_bundle(await one.bundle(["half"]))
    await parts.import_bundle(await one.bundle(since=["half"]))
    await one.delete_branch("half", force=True)
    await parts.delete_branch("half", force=True)
    assert await everything(whole) == await everything(parts) == await everything(one)
