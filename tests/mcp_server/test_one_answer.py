"""The command line and the tools answer what the SDK answers: the same calls on two copies of one store."""

import json
import re
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from fastmcp import Client as McpClient
from mcp_types import TextContent

from commandline import Cli
from commontrace import Client, ContextRepository, connect, connect_async
from commontrace.cli.contexts.group import context
from commontrace.mcp.server import TOOLS, build_server
from commontrace.models.contexts import Resolution

CALL = {"id": "c", "type": "function", "function": {"name": "read", "arguments": "{}"}}
TALK: list[dict[str, Any]] = [
    {"role": "system", "content": "Be brief."},
    {"role": "user", "content": "Fix src/parse.py, it fails on line 42."},
    {"role": "assistant", "content": "Reading.", "tool_calls": [CALL]},
    {"role": "tool", "tool_call_id": "c", "content": "a long line\n" * 80},
    {"role": "assistant", "content": "It must not raise."},
]
USED = {"model": "gpt-5", "usage": {"prompt_tokens": 50, "completion_tokens": 7, "total_tokens": 57}}
VOLATILE = {"created_at", "expires_at", "operation_id", "bytes", "bytes_per_message", "store_bytes", "working_copy"}


def prepare(repo: ContextRepository) -> None:
    """`main` and `try` in conflict, a child, a summary, a tag, a label, an operation to redo."""
    for message in TALK:
        repo.add(message)
    repo.commit("the talk")
    repo.branch("try")
    repo.edit(slots(repo)[1], "theirs, and line 42")
    repo.assistant("Tried.")
    repo.commit("tried")
    repo.switch("main")
    repo.edit(slots(repo)[1], "ours, and line 42")
    repo.compress("type:tool", text="Read it.")
    repo.spawn("child", "clean")
    repo.user("look")
    repo.commit("the child's", branch="child")
    repo.tag("v1")
    repo.label("good")
    repo.record_call(repo.window(format="openai"), usage=USED)
    repo.skip(slots(repo)[-1])
    repo.undo()


def committed(repo: ContextRepository, role: str, text: str, message: str) -> Any:
    repo.add({"role": role, "content": text})
    return repo.commit(message)


def slots(repo: ContextRepository) -> list[str]:
    return [item.slot_id for item in repo.window(explain=True).explanation]


Call = Callable[[ContextRepository, Client], Any]

# What is typed (`@1` stands for the slot at that place), and the call of the SDK that answers the same.
SAME: list[tuple[str, Call]] = [
    ("log", lambda repo, _: repo.log()),
    ("log main..try --limit 1 --grep t", lambda repo, _: repo.log("main..try", limit=1, grep="t")),
    ("log --label good --since yesterday", lambda repo, _: repo.log(label="good", since="yesterday")),
    ("show", lambda repo, _: repo.window(format="text")),
    (
        "show --budget 60 --strategy adaptive --reserve 5 --format openai --explain",
        lambda repo, _: repo.window(budget=60, strategy="adaptive", reserve=5, format="openai", explain=True),
    ),
    ("show --explain --all", lambda repo, _: repo.window(format="text", explain="all")),
    ("diff main..try", lambda repo, _: repo.diff("main", "try")),
    ("diff try", lambda repo, _: repo.diff("try", "HEAD")),
    ("status --budget 500", lambda repo, _: repo.status(500)),
    ("slot @1", lambda repo, _: repo.slot(slots(repo)[1])),
    ("reflog -n 3", lambda repo, _: repo.operations(3)),
    ("repos", lambda _, client: client.contexts.repositories()),
    ("init other", lambda _, client: client.contexts.create("other")),
    (
        "commit --text more -m m --role assistant",
        lambda repo, _: committed(repo, "assistant", "more", "m"),
    ),
    ("undo", lambda repo, _: repo.undo()),
    ("redo", lambda repo, _: repo.redo()),
    ("edit @1 --text x", lambda repo, _: repo.edit(slots(repo)[1], "x")),
    ("edit 1 --version 0 --dry-run", lambda repo, _: repo.edit(slots(repo)[1], version=0, dry_run=True)),
    (
        "annotate @1 --priority important --reason r --note a=1",
        lambda repo, _: repo.annotate("important", reason="r", notes={"a": 1}, slots=slots(repo)[1:2]),
    ),
    ("pin @1 --reason r", lambda repo, _: repo.pin(slots(repo)[1], reason="r")),
    ("skip --select role:user", lambda repo, _: repo.annotate("skip", select="role:user")),
    ("remove @1", lambda repo, _: repo.remove(slots(repo)[1])),
    ("restore @1", lambda repo, _: repo.restore(slots(repo)[1])),
    ("move @1 --after @3", lambda repo, _: repo.move(slots(repo)[1], after=slots(repo)[3])),
    ("notes --keep 42", lambda repo, _: repo.notes(keep=["42"])),
    (
        "compress @1 --text 42 --keep 42 --dry-run --force",
        lambda repo, _: repo.compress(slots=slots(repo)[1:2], text="42", keep=["42"], dry_run=True, force=True),
    ),
    ("compress --keep-newest 1", lambda repo, _: repo.compress(keep_newest=1)),
    ("expand --select summary:yes", lambda repo, _: repo.expand(select="summary:yes")),
    ("plan 60 --keep-newest 1", lambda repo, _: repo.plan(60, keep_newest=1)),
    ("plan 60 --keep-newest 1 --apply", lambda repo, _: repo.plan(60, keep_newest=1, apply=True)),
    ("merge try --dry-run", lambda repo, _: repo.merge("try", dry_run=True)),
    (
        "merge try child --mode squash --text t --strategy ours -m m",
        lambda repo, _: repo.merge("try", "child", mode="squash", text="t", strategy="ours", message="m"),
    ),
    (
        "merge try --resolve @1=theirs",
        lambda repo, _: repo.merge("try", resolutions=[Resolution(slot=slots(repo)[1], use="theirs")]),
    ),
    ("merge try --mode inject --commits try", lambda repo, _: repo.merge("try", mode="inject", commits=["try"])),
    ("resolve --strategy ours", lambda repo, _: repo.resolve(strategy="ours")),
    ("rebase try --strategy ours", lambda repo, _: repo.rebase("try", strategy="ours")),
    ("cherry-pick try", lambda repo, _: repo.cherry_pick("try")),
    ("revert HEAD --strategy theirs", lambda repo, _: repo.revert("HEAD", strategy="theirs")),
    ("reset HEAD~1", lambda repo, _: repo.reset("HEAD~1")),
    ("apply try~1..try", lambda repo, _: repo.apply(repo.diff("try~1", "try"))),
    ("spawn fresh --mode head", lambda repo, _: repo.spawn("fresh", "head")),
    ("collapse child --text done", lambda repo, _: repo.collapse("child", "done")),
    ("branch", lambda repo, _: repo.branches()),
    ("branch fresh try", lambda repo, _: repo.branch("fresh", "try", switch=False)),
    ("branch -D try", lambda repo, _: repo.delete_branch("try", force=True)),
    ("switch try", lambda repo, _: repo.switch("try")),
    ("switch -c fresh", lambda repo, _: repo.branch("fresh")),
    ("tag", lambda repo, _: repo.tags()),
    ("tag v2 try", lambda repo, _: repo.tag("v2", "try")),
    ("tag -d v1", lambda repo, _: repo.delete_tag("v1")),
    ("label", lambda repo, _: repo.labels()),
    ("label bad try", lambda repo, _: repo.label("bad", "try")),
    ("label -d good", lambda repo, _: repo.delete_label("good")),
    ("share", lambda repo, _: repo.share()),
    ("share --private", lambda repo, _: repo.share("private")),
    ("claim --minutes 5", lambda repo, _: repo.claim(minutes=5)),
    ("verify --full", lambda repo, _: repo.verify(full=True)),
    ("gc --dry-run --grace-days 0", lambda repo, _: repo.gc(dry_run=True, grace_days=0)),
    ("grep line --limit 2", lambda repo, _: repo.grep("line", limit=2)),
    ("grep l[io]ne try -E -s", lambda repo, _: repo.grep("l[io]ne", ref="try", regex=True, case_sensitive=True)),
    ("blame", lambda repo, _: repo.blame()),
    ("blame try --grep line", lambda repo, _: repo.blame("try", grep="line")),
    ("calls", lambda repo, _: repo.calls()),
    ("calls 1", lambda repo, _: repo.rebuild_call(1)),
    ("usage", lambda repo, _: repo.usage()),
    ("purge theirs --yes", lambda repo, _: repo.purge("theirs")),
]


@pytest.fixture(scope="module")
def prepared(template: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    store = Path(shutil.copy(template, tmp_path_factory.mktemp("prepared")))
    with connect(f"sqlite:///{store}", working_copy="here") as client:
        prepare(client.contexts.open("default"))
    return store


@pytest.fixture
def twins(prepared: Path, tmp_path: Path) -> tuple[str, str]:
    """Two copies of one prepared store; what is done to one does not show in the other."""
    first, second = (f"sqlite:///{shutil.copy(prepared, tmp_path / name)}" for name in ("one.db", "twin.db"))
    return first, second


def plain(value: Any) -> Any:
    """An answer with what follows from the time named in the order in which it came up."""
    names: dict[str, str] = {}

    def strip(value: Any) -> Any:
        if isinstance(value, dict):
            return {strip(name): name if name in VOLATILE else strip(item) for name, item in value.items()}
        if isinstance(value, list):
            return [strip(item) for item in value]
        if isinstance(value, str):
            return re.sub(r"\b[0-9a-f]{8,64}\b", lambda found: names.setdefault(found[0][:8], str(len(names))), value)
        return value

    return strip(value)


def dumped(answer: Any) -> Any:
    return [dumped(item) for item in answer] if isinstance(answer, list) else answer.model_dump(mode="json")


@pytest.mark.parametrize(("typed", "call"), SAME, ids=[typed for typed, _ in SAME])
def test_the_command_line_answers_what_the_sdk_answers(
    typed: str, call: Call, twins: tuple[str, str], work: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COMMONTRACE_WORKING_COPY", "here")
    monkeypatch.setenv("COMMONTRACE_URL", twins[0])
    with connect(twins[1], working_copy="here") as client:
        repo = client.contexts.open("default")
        there = slots(repo)
        expected = dumped(call(repo, client))
    arguments = [re.sub(r"@(\d)(?!\{)", lambda found: there[int(found[1])], word) for word in typed.split()]
    assert plain(Cli().json("context", *arguments)) == plain(expected)


def test_every_command_is_held_to_it() -> None:
    told = {typed.split()[0] for typed, _ in SAME}
    # Files, sessions and remotes have tests of their own, and a release needs a claim.
    beside = {"import", "export", "resume", "push", "pull", "fetch", "release"}
    assert {*context.lazy} == told | beside


@pytest.fixture
def work(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder that commands run in."""
    place = tmp_path / "work"
    place.mkdir()
    monkeypatch.chdir(place)
    return place


# A tool with its arguments, the call of the SDK that does the same, and what of its answer the tool must say.
TOLD: list[tuple[str, dict[str, Any], Call, Callable[[Any], list[Any]]]] = [
    ("context_branch", {"action": "create", "name": "fresh"}, lambda r, _: r.branch("fresh"), lambda a: [a.name]),
    ("context_commit", {"messages": [{"role": "user", "content": "x"}], "budget": 1000},
     lambda r, _: committed(r, "user", "x", ""),
     lambda a: [a.branch, a.window_messages, a.tokens.tokens, 1000 - a.tokens.tokens]),
    ("context_merge", {"source": "try", "dry_run": True}, lambda r, _: r.merge("try", dry_run=True),
     lambda a: [a.kind, a.added, a.tokens.tokens, *(c.kind for c in a.conflicts),
                *(v.text for c in a.conflicts for v in c.values)]),
    ("context_log", {"ref": "main..try"}, lambda r, _: r.log("main..try"),
     lambda a: [c.message for c in a.commits]),
    ("context_show", {"max_tokens": 4000, "explain": True}, lambda r, _: r.window(budget=4000, explain=True),
     lambda a: [a.included, a.tokens.tokens, *(e.reason for e in a.explanation)]),
    ("context_show", {"ref": "main..try"}, lambda r, _: r.diff("main", "try"),
     lambda a: [f"{a.token_delta:+}", len(a.changes), *(c.text.partition("\n")[0] for c in a.changes)]),
    ("context_diff", {"a": "try", "b": "main"}, lambda r, _: r.diff("try", "main"),
     lambda a: [f"{a.token_delta:+}", *(c.text.partition("\n")[0] for c in a.changes)]),
    ("context_status", {"budget": 500}, lambda r, _: r.status(500),
     lambda a: [a.branch, a.messages, a.tokens.tokens, a.left, *a.by_type, *a.by_type.values(), *a.hidden]),
    ("context_undo", {}, lambda r, _: r.undo(), lambda a: [a.summary]),
    ("context_redo", {}, lambda r, _: r.redo(), lambda a: [a.summary]),
    ("context_tag", {"name": "v2"}, lambda r, _: r.tag("v2"), lambda a: [a.name]),
    ("context_claim", {"minutes": 5}, lambda r, _: r.claim(minutes=5), lambda a: [a.branch]),
    ("context_edit", {"slot": "@1", "text": "x"}, lambda r, _: r.edit(slots(r)[1], "x"),
     lambda a: [a.window_messages, a.tokens.tokens, f"{a.token_delta:+}"]),
    ("context_annotate", {"select": "role:user", "priority": "skip"},
     lambda r, _: r.annotate("skip", select="role:user"),
     lambda a: [a.window_messages, a.tokens.tokens, f"{a.token_delta:+}"]),
    ("context_compress", {"keep_newest": 1, "text": "42"}, lambda r, _: r.compress(keep_newest=1, text="42"),
     lambda a: [a.tokens.tokens, f"{a.token_delta:+}", len(a.covered)]),
    ("context_expand", {"slots": ["@2"]}, lambda r, _: r.expand(slots(r)[2]),
     lambda a: [a.window_messages, a.tokens.tokens, f"{a.token_delta:+}"]),
    ("context_plan", {"budget": 60, "keep_newest": 1}, lambda r, _: r.plan(60, keep_newest=1),
     lambda a: [a.plan.tokens_before, a.plan.tokens_after, a.plan.rebilled, *(x.tokens_saved for x in a.plan.actions)]),
    ("context_cherry_pick", {"commits": ["try"]}, lambda r, _: r.cherry_pick("try"),
     lambda a: [len(a.commits), a.window_messages, a.tokens.tokens]),
    ("context_revert", {"commits": ["HEAD"]}, lambda r, _: r.revert("HEAD"),
     lambda a: [len(a.commits), a.window_messages, a.tokens.tokens]),
    ("context_rebase", {"onto": "try", "strategy": "ours"}, lambda r, _: r.rebase("try", strategy="ours"),
     lambda a: [len(a.commits), a.window_messages, a.tokens.tokens]),
    ("context_spawn", {"name": "fresh", "mode": "head"}, lambda r, _: r.spawn("fresh", "head"),
     lambda a: [a.branch, a.mode, a.window_messages, a.tokens.tokens]),
    ("context_collapse", {"source": "child", "text": "done"}, lambda r, _: r.collapse("child", "done"),
     lambda a: [a.window_messages, a.tokens.tokens, f"{a.token_delta:+}", len(a.covered)]),
    ("context_grep", {"pattern": "line", "limit": 3}, lambda r, _: r.grep("line", limit=3),
     lambda a: [x for hit in a.hits for x in (hit.role, hit.slot_id[:8], hit.excerpt)]),
    ("context_blame", {"ref": "try"}, lambda r, _: r.blame("try"),
     lambda a: [step.kind for message in a.messages for step in message.origin]),
    ("context_usage", {}, lambda r, _: r.usage(),
     lambda a: [a.calls, a.window.tokens, *(x for m in a.models for x in (m.model, m.input, m.output))]),
    ("context_verify", {"full": True}, lambda r, _: r.verify(full=True),
     lambda a: ["sound", a.commits, a.blobs, a.windows]),
]  # fmt: skip


@pytest.mark.parametrize(("tool", "arguments", "call", "says"), TOLD, ids=[tool for tool, *_ in TOLD])
async def test_a_tool_says_what_the_sdk_answers(
    tool: str, arguments: dict[str, Any], call: Call, says: Callable[[Any], list[Any]], twins: tuple[str, str]
) -> None:
    with connect(twins[1], working_copy="here") as client:
        repo = client.contexts.open("default")
        there = slots(repo)
        expected = says(call(repo, client))
    given = json.loads(re.sub(r"@(\d)", lambda found: there[int(found[1])], json.dumps(arguments)))
    server = build_server(lambda: connect_async(twins[0], working_copy="here"), tools="all")
    async with McpClient(server) as mcp:
        result = await mcp.call_tool(tool, given)
    text = "\n".join(block.text for block in result.content if isinstance(block, TextContent))
    assert expected
    assert [fact for fact in expected if str(fact) not in text] == []


def test_every_tool_for_contexts_is_held_to_it() -> None:
    offered = {tool.function.__name__ for tool in TOOLS if tool.function.__name__.startswith("context_")}
    assert offered == {tool for tool, *_ in TOLD}
