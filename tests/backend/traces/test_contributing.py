"""Contributing: what is kept, what is refused, and why."""

import asyncio
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from commontrace import AsyncClient, connect
from commontrace.errors import (
    ForbiddenError,
    IdempotencyError,
    InvalidInputError,
    LowQualityError,
    NearDuplicateError,
    NotFoundError,
    TooLargeError,
)
from commontrace.models.traces import AmendmentProposal, Contribution, TraceContent
from doors import People
from factories import contributed, contribution, found

SECRET = "ghp_" + "a1B2c3D4e5F6g7H8i9J0k1L2m3N4o5P6q7R8"
EVERYTHING: dict[str, Any] = {
    "failed_attempts": [{"tried": "Raised the busy timeout to 60 s", "why": "the upgrade fails at once"}],
    "environment": {
        "language": "python",
        "os": "linux",
        "packages": [{"name": "aiosqlite", "versions": ">=0.20,<0.23"}],
        "tools": ["uv 0.9"],
    },
    "applies_when": "several processes share one file",
    "not_when": "the file lies on a network share",
    "evidence": {
        "command": "pytest -q",
        "exit_before": 1,
        "exit_after": 0,
        "versions": {"sqlite": "3.46"},
        "output_sha256": "0" * 64,
    },
    "source": {"kind": "human", "model": "", "client": "terminal"},
}


@pytest.mark.both_databases
async def test_every_field_comes_back_as_it_was_given(client: AsyncClient) -> None:
    given = contribution(**EVERYTHING)
    stored = await client.traces.contribute(given)
    trace = await client.traces.get(str(stored.trace_id))
    assert trace.content.model_dump() == given.model_dump(include=set(TraceContent.model_fields))
    assert (trace.visibility, trace.state, trace.version_number) == ("private", "active", 1)
    assert (trace.standing.tier, trace.contributor.name) == ("unproven", "owner")
    assert (stored.stored, stored.existing, stored.tier, stored.redactions) == (True, False, "unproven", [])
    assert trace.created_at == trace.updated_at
    assert trace.created_at.tzinfo is not None


@pytest.mark.both_databases
async def test_text_in_any_script_comes_back_unchanged(client: AsyncClient) -> None:
    problem = (
        "Ошибка 数据库 خطأ ñandú 👩‍💻 — «кавычки» \t tab, \"quotes\", 'more', \\ and <b>tags</b> & NULL; DROP TABLE;--"
    )
    stored = await client.traces.contribute(contribution(problem=problem))
    assert (await client.traces.get(str(stored.trace_id))).content.problem == problem


async def test_the_id_of_a_version_follows_from_its_content_alone(client: AsyncClient, people: People) -> None:
    ann = await people("ann", "elsewhere")
    mine = await client.traces.contribute(contribution())
    theirs = await ann.traces.contribute(contribution())
    assert mine.version_id == theirs.version_id
    assert mine.trace_id != theirs.trace_id


@pytest.mark.both_databases
async def test_the_same_content_again_adds_nothing(client: AsyncClient) -> None:
    first = await client.traces.contribute(contribution())
    again = await client.traces.contribute(contribution(visibility="team"))
    assert (again.stored, again.existing, again.trace_id) == (False, True, first.trace_id)
    assert len((await client.traces.page()).traces) == 1


@pytest.mark.both_databases
async def test_a_retry_with_the_same_idempotency_key_stores_once(client: AsyncClient) -> None:
    wanted = contribution(idempotency_key="run-7/step-3")
    first = await client.traces.contribute(wanted)
    again = await client.traces.contribute(wanted)
    assert (again.stored, again.existing, again.trace_id) == (False, True, first.trace_id)


@pytest.mark.both_databases
async def test_an_idempotency_key_answers_even_after_the_trace_was_amended(client: AsyncClient) -> None:
    wanted = contribution(idempotency_key="run-7")
    first = await client.traces.contribute(wanted)
    await client.traces.amend(str(first.trace_id), AmendmentProposal(title="Another title", reason="clearer"))
    assert (await client.traces.contribute(wanted)).trace_id == first.trace_id


@pytest.mark.both_databases
async def test_an_idempotency_key_is_refused_for_other_content(client: AsyncClient) -> None:
    await client.traces.contribute(contribution(idempotency_key="k"))
    with pytest.raises(IdempotencyError, match="Use a new key"):
        await client.traces.contribute(contribution(1, idempotency_key="k"))
    assert len((await client.traces.page()).traces) == 1


@pytest.mark.both_databases
async def test_idempotency_keys_of_different_people_do_not_meet(client: AsyncClient, people: People) -> None:
    ann = await people("ann")
    await client.traces.contribute(contribution(idempotency_key="k"))
    assert (await ann.traces.contribute(contribution(1, idempotency_key="k"))).stored


async def test_a_dry_run_shows_what_would_be_stored_and_stores_nothing(client: AsyncClient, store: Path) -> None:
    wanted = contribution(problem=f"{contribution().problem} The token was {SECRET}.", dry_run=True)
    preview = await client.traces.contribute(wanted)
    assert (preview.stored, preview.existing, preview.trace_id) == (False, False, None)
    assert "[redacted secret:github-token]" in preview.content.problem
    with closing(sqlite3.connect(store)) as connection:
        for table in ("traces", "trace_versions", "trace_search", "idempotency_keys"):
            assert connection.execute(f"SELECT count(*) FROM {table}").fetchone() == (0,)
    real = await client.traces.contribute(wanted.model_copy(update={"dry_run": False}))
    assert (real.version_id, real.content) == (preview.version_id, preview.content)


@pytest.mark.both_databases
async def test_a_near_duplicate_is_refused_and_names_what_is_known(client: AsyncClient) -> None:
    known = await contributed(client)
    twin = contribution(solution=contribution().solution + " It helps.")
    with pytest.raises(
        NearDuplicateError, match=r"Nothing was stored.*vote.*amend.*supersedes.*insist=true"
    ) as refused:
        await client.traces.contribute(twin)
    (match,) = matches(refused.value)
    assert (match["trace_id"], match["title"]) == (known, contribution().title)
    assert 0.5 <= float(str(match["similarity"])) <= 1
    assert len((await client.traces.page()).traces) == 1


async def test_a_dry_run_warns_of_a_near_duplicate_too(client: AsyncClient) -> None:
    await contributed(client)
    with pytest.raises(NearDuplicateError):
        await client.traces.contribute(contribution(title="The very same again", dry_run=True))


async def test_who_insists_stores_a_near_duplicate(client: AsyncClient) -> None:
    await contributed(client)
    again = await client.traces.contribute(contribution(title="The very same again", insist=True))
    assert again.stored
    assert len((await client.traces.page()).traces) == 2


@pytest.mark.both_databases
async def test_what_supersedes_takes_the_place_of_the_old_one(client: AsyncClient) -> None:
    old = await contributed(client)
    new = await client.traces.contribute(
        contribution(title="Writers of SQLite need BEGIN IMMEDIATE", supersedes=old[:8])
    )
    before, after = await client.traces.get(old), await client.traces.get(str(new.trace_id))
    assert (before.state, before.standing.tier) == ("superseded", "superseded")
    assert [(link.kind, link.target) for link in after.links] == [("supersedes", old)]
    assert await found(client, "database is locked") == ["Writers of SQLite need BEGIN IMMEDIATE"]


async def test_superseding_a_foreign_trace_links_to_it_and_leaves_it_in_use(
    client: AsyncClient, people: People
) -> None:
    ann = await people("ann")
    old = await contributed(client, visibility="team")
    new = await ann.traces.contribute(contribution(title="Ann knows better", supersedes=old, visibility="team"))
    assert (await client.traces.get(old)).state == "active"
    assert [link.target for link in (await client.traces.get(str(new.trace_id))).links] == [old]


async def test_what_is_unknown_cannot_be_superseded(client: AsyncClient) -> None:
    with pytest.raises(NotFoundError, match="No trace abcdef"):
        await client.traces.contribute(contribution(supersedes="abcdef"))
    assert (await client.traces.page()).traces == []


async def test_a_withdrawn_trace_stands_in_nobodys_way(client: AsyncClient) -> None:
    known = await contributed(client)
    await client.traces.withdraw(known, "wrong")
    again = await client.traces.contribute(contribution())
    assert again.stored
    assert again.trace_id != known


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"solution": "fixed"}, "the solution says too little"),
        ({"solution": ""}, "the solution is empty"),
        ({"problem": " \n "}, "the problem is empty"),
        ({"title": "?!"}, "the title is empty"),
        ({"solution": "TODO: describe what you did"}, "template"),
    ],
)
async def test_what_would_help_nobody_is_refused_with_reasons(
    client: AsyncClient, changes: dict[str, Any], reason: str
) -> None:
    with pytest.raises(LowQualityError, match=f"{reason}.*then contribute again") as refused:
        await client.traces.contribute(contribution(**changes))
    assert any(reason in str(said) for said in listed(refused.value.extra["reasons"]))
    assert (await client.traces.page()).traces == []


async def test_a_poor_contribution_is_taken_and_told_what_would_raise_it(client: AsyncClient) -> None:
    poor = contribution(
        problem="It does not start.", solution="Start it with more memory.", errors=[], tags=[], verification=""
    )
    result = await client.traces.contribute(poor)
    assert result.stored
    assert result.lint.score < 50
    assert "say how you verified it" in result.lint.reasons


@pytest.mark.parametrize(
    "changes",
    [
        {"problem": "words " * 6000, "solution": "words " * 6000},
        {"problem": "ошибка " * 5000},  # short in characters, long in bytes
    ],
)
async def test_more_than_64_kib_is_refused(client: AsyncClient, changes: dict[str, Any]) -> None:
    with pytest.raises(TooLargeError, match="at most 64 KiB"):
        await client.traces.contribute(contribution(**changes))


async def test_an_amendment_cannot_grow_a_trace_beyond_the_limit(client: AsyncClient) -> None:
    known = await contributed(client, problem="words " * 6000)
    with pytest.raises(TooLargeError, match="at most 64 KiB"):
        await client.traces.amend(known, AmendmentProposal(solution="more " * 7000, reason="everything"))


async def test_a_field_of_hidden_characters_alone_counts_as_empty(client: AsyncClient) -> None:
    with pytest.raises(LowQualityError, match="the title is empty"):
        await client.traces.contribute(contribution(title="\u200b"))
    stored = await client.traces.contribute(contribution(failed_attempts=[{"tried": "\u202e"}]))
    assert stored.content.failed_attempts[0].tried == "-"


async def test_hidden_characters_are_taken_out_and_named(client: AsyncClient) -> None:
    result = await client.traces.contribute(contribution(title="Data\u200bbase \u202elocked"))
    assert result.content.title == "Database locked"
    assert set(result.hidden) == {"zero-width", "bidi control"}


async def test_a_secret_is_redacted_reported_and_nowhere_in_the_store(client: AsyncClient, store: Path) -> None:
    result = await client.traces.contribute(
        contribution(
            solution=f"Run `export GITHUB_TOKEN={SECRET}` and begin every write with BEGIN IMMEDIATE.",
            errors=[f"remote: Invalid token {SECRET}"],
            failed_attempts=[{"tried": f"curl -H 'Authorization: token {SECRET}'"}],
            evidence={"command": f"GITHUB_TOKEN={SECRET} pytest"},
        )
    )
    assert {redaction.field for redaction in result.redactions} == {"solution", "errors", "failed_attempts", "evidence"}
    assert {redaction.type for redaction in result.redactions} == {"secret:github-token"}
    trace_id = str(result.trace_id)
    assert "[redacted secret:github-token]" in (await client.traces.get(trace_id)).content.solution
    await client.traces.amend(trace_id, AmendmentProposal(not_when=f"with {SECRET}", reason=f"because {SECRET}"))
    await client.traces.flag(trace_id, "secret", f"it held {SECRET}")
    await client.traces.query(f"unanswerable question about {SECRET}")
    await client.traces.vote(trace_id, "outdated", f"{SECRET} expired")
    await client.traces.withdraw(trace_id, f"{SECRET} leaked")
    files = [path for path in store.parent.glob("store.db*") if path.is_file()]
    assert store.with_name("store.db-wal") in files
    for path in files:
        assert SECRET.encode() not in path.read_bytes(), path.name


async def test_risks_are_found_in_the_solution(client: AsyncClient) -> None:
    solution = "Install it with `pip install left-pad` and read https://docs.example.org/wal first."
    risks = (await client.traces.contribute(contribution(solution=solution))).risks
    assert (risks.packages, risks.urls) == (["left-pad"], ["https://docs.example.org/wal"])
    assert risks.commands == ["pip install left-pad"]


async def test_an_imported_trace_belongs_to_nobody_here_and_the_whole_team_sees_it(
    client: AsyncClient, people: People
) -> None:
    result = await client.traces.contribute(contribution(origin="imported"))
    trace = await (await people("ann")).traces.get(str(result.trace_id))
    assert (trace.contributor.name, trace.visibility, result.visibility) == ("imports", "team", "team")


@pytest.mark.parametrize("dry_run", [False, True])
async def test_importing_takes_an_admin(people: People, dry_run: bool) -> None:
    ann = await people("ann")
    with pytest.raises(ForbiddenError, match="scope 'admin'"):
        await ann.traces.contribute(contribution(origin="imported", dry_run=dry_run))


@pytest.mark.both_databases
async def test_the_starter_traces_are_loaded_once_however_often_they_are_asked_for(client: AsyncClient) -> None:
    first = await client.traces.load_starter()
    again = await client.traces.load_starter()
    assert first.added >= 25
    assert (first.existing, again.added, again.existing) == (0, 0, first.added)
    trace = (await client.traces.page(limit=1)).traces[0]
    assert (trace.contributor.name, trace.visibility) == ("commontrace", "team")


@pytest.mark.both_databases
async def test_pages_hold_every_trace_once_in_the_order_they_came(client: AsyncClient) -> None:
    titles = [contribution(number).title for number in range(5)]
    for number in range(5):
        await contributed(client, number)
    first = await client.traces.page(limit=3)
    second = await client.traces.page(first.next_cursor, limit=3)
    assert [trace.content.title for trace in first.traces + second.traces] == titles
    assert second.next_cursor is None
    assert [trace.content.title async for trace in client.traces.all()] == titles


async def test_every_trace_comes_however_many_pages_they_fill(client: AsyncClient, store: Path) -> None:
    await contributed(client)
    with closing(sqlite3.connect(store)) as connection, connection:
        for table in ("traces", "trace_versions"):
            found = connection.execute(f"SELECT * FROM {table}")
            columns = [column[0] for column in found.description]
            row = dict(zip(columns, found.fetchone(), strict=True))
            row.pop("number") if table == "traces" else None
            copies = [{**row, "trace_id": f"{number:032x}"} for number in range(450)]
            names, marks = ", ".join(row), ", ".join(f":{name}" for name in row)
            connection.executemany(f"INSERT INTO {table} ({names}) VALUES ({marks})", copies)
    everything = [trace.trace_id async for trace in client.traces.all()]
    assert len(set(everything)) == len(everything) == 451

    def read() -> list[str]:
        with connect(client.url) as blocking:
            return [trace.trace_id for trace in blocking.traces.all()]

    # In a thread of its own: what blocks must not block the other client, which indexes what it found, meanwhile.
    assert await asyncio.to_thread(read) == everything


@pytest.mark.parametrize("cursor", ["x", "-1", "1.5", "9" * 40, "٣"])
@pytest.mark.both_databases
async def test_a_cursor_that_no_page_gave_is_refused(client: AsyncClient, cursor: str) -> None:
    with pytest.raises(InvalidInputError, match="cursor is malformed"):
        await client.traces.page(cursor)


def matches(error: NearDuplicateError) -> list[dict[str, object]]:
    return [match for match in listed(error.extra["matches"]) if isinstance(match, dict)]


def listed(value: object) -> list[object]:
    assert isinstance(value, list)
    return value


def test_a_contribution_of_a_wrong_shape_does_not_leave_the_machine() -> None:
    with pytest.raises(ValueError, match="tag"):
        Contribution.model_validate({"title": "T", "problem": "P", "solution": "S", "tags": ["No Spaces"]})
