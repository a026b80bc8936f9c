"""A folder as a remote: one file a trace, the same bytes for the same trace, and what somebody edited by hand."""

import json
from pathlib import Path

import pytest

from commontrace import AsyncClient
from commontrace.errors import InvalidInputError, NotFoundError
from commontrace.models.traces import AmendmentProposal
from factories import contributed, contribution
from outdated import SECRET, age


@pytest.fixture
def folder(client: AsyncClient, other: AsyncClient, tmp_path: Path) -> Path:
    """A folder that both stores know as `git`; only their users' settings are shared here."""
    del other
    place = tmp_path / "checkout"
    place.mkdir()
    client.remotes.add("git", str(place))
    return place


def files(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in sorted((folder / "traces").glob("*"))}


async def test_a_trace_goes_through_a_folder_and_comes_out_with_the_same_versions(
    client: AsyncClient, other: AsyncClient, folder: Path
) -> None:
    mine = await contributed(client, 0, visibility="team")
    await client.traces.amend(mine, AmendmentProposal(solution="Line one.\nLine two.\n", reason="shorter"))
    await client.remotes.push("git")
    report = await other.remotes.pull("git")
    assert [item.action for item in report.items] == ["added"]
    there = await other.traces.get(report.items[0].trace_id)
    assert (there.content, there.standing.tier) == ((await client.traces.get(mine)).content, "unproven")
    assert there.contributor.name == "imports"
    assert [one.version_id for one in await other.traces.history(there.trace_id)] == [
        one.version_id for one in await client.traces.history(mine)
    ]
    assert (await other.remotes.pull("git")).items == []


async def test_the_same_traces_make_the_same_bytes_and_an_edit_changes_one_file(
    client: AsyncClient, folder: Path, other: AsyncClient
) -> None:
    mine = await contributed(client, 0, visibility="team")
    await contributed(client, 1, visibility="team")
    await client.remotes.push("git")
    before = files(folder)
    assert list(before) == sorted(before)
    assert any(name.startswith("sqlite-says-database-is-locked") for name in before)
    await other.remotes.pull("git")
    for trace in [trace async for trace in other.traces.all()]:
        await other.remotes.push("git", [trace.trace_id])
    assert files(folder) == before
    await client.traces.amend(mine, AmendmentProposal(verification="Twice.", reason="more"))
    await client.remotes.push("git")
    assert sum(files(folder)[name] != text for name, text in before.items()) == 1


async def test_words_that_were_edited_by_hand_are_the_next_version(
    client: AsyncClient, other: AsyncClient, folder: Path
) -> None:
    mine = await contributed(client, 0, visibility="team")
    await client.remotes.push("git")
    await other.remotes.pull("git")
    path = next((folder / "traces").iterdir())
    said = json.loads(path.read_text())
    said["content"]["title"] = "Locked"
    path.write_text(json.dumps(said))
    for store in (client, other):
        assert [item.action for item in (await store.remotes.pull("git")).items] == ["updated"]
    assert (await client.traces.get(mine)).content.title == "Locked"


async def test_a_removed_trace_leaves_its_ids_alone_and_is_removed_elsewhere(
    client: AsyncClient, other: AsyncClient, folder: Path
) -> None:
    mine = await contributed(client, 0, visibility="team")
    await client.remotes.push("git")
    here = (await other.remotes.pull("git")).items[0].trace_id
    await client.traces.purge(mine, "leaked")
    assert [item.action for item in (await client.remotes.push("git")).items] == ["removed"]
    assert b"BEGIN IMMEDIATE" not in b"".join(files(folder).values())
    await other.remotes.pull("git")
    assert (await other.traces.get(here)).state == "purged"


async def test_a_secret_in_a_file_is_named_and_the_others_come(client: AsyncClient, folder: Path) -> None:
    await contributed(client, 0, visibility="team")
    await client.remotes.push("git")
    path = next((folder / "traces").iterdir())
    said = json.loads(path.read_text())
    said["content"]["title"] = "Locked ghp_" + "aB3dE5gH7jK9mN1pQ3sT5vW7yZ9bC1dE3fG5"
    path.write_text(json.dumps(said))
    report = await client.remotes.pull("git")
    assert [item.action for item in report.items] == ["failed"]
    assert "secret:" in report.items[0].detail


@pytest.mark.parametrize("text", ["{", "[]", "{}", '{"commontrace_trace": 2}', "<<<<<<< ours"])
async def test_a_file_that_holds_no_trace_is_named(client: AsyncClient, folder: Path, text: str) -> None:
    (folder / "traces").mkdir()
    (folder / "traces" / "bad.json").write_text(text)
    with pytest.raises(InvalidInputError, match=r"bad\.json"):
        await client.remotes.pull("git")


async def test_both_edits_of_a_trace_are_kept(client: AsyncClient, other: AsyncClient, folder: Path) -> None:
    mine = await contributed(client, 0, visibility="team")
    await client.remotes.push("git")
    theirs = (await other.remotes.pull("git")).items[0].trace_id
    await client.traces.amend(mine, AmendmentProposal(title="One", reason="shorter"))
    await other.traces.amend(theirs, AmendmentProposal(title="Two", reason="shorter"))
    await client.remotes.push("git")
    assert [item.action for item in (await other.remotes.push("git", [theirs])).items] == ["diverged"]
    text = b"".join(files(folder).values())
    assert b'"One"' in text
    assert b'"Two"' in text
    assert [item.action for item in (await other.remotes.pull("git")).items] == ["diverged"]
    assert contribution(0).title not in {trace.content.title async for trace in other.traces.all()}


async def test_a_folder_that_is_not_there_is_said(client: AsyncClient, tmp_path: Path) -> None:
    client.remotes.add("gone", str(tmp_path / "nowhere"))
    with pytest.raises(NotFoundError, match="no folder"):
        await client.remotes.pull("gone")


async def test_a_secret_that_older_rules_let_in_is_not_written_to_a_folder(
    client: AsyncClient, folder: Path, store: Path
) -> None:
    mine = await contributed(client, 0, visibility="team")
    age(store, mine)
    report = await client.remotes.push("git")
    assert [item.action for item in report.items] == ["failed"]
    assert "may not leave this machine" in report.items[0].detail
    assert SECRET.encode() not in b"".join(files(folder).values())
