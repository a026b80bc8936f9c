"""Random work on one context through the SDK: every operation, with choices that follow from positions alone.

So the same random numbers make the same story in every store and through every client, though no id is the same.
"""

import inspect
from collections.abc import Awaitable, Callable, Coroutine
from dataclasses import dataclass, field
from random import Random
from typing import Any

from commontrace.errors import CommonTraceError
from commontrace.models.contexts import Explained, Resolution, Window

Deed = Callable[["Desk"], Awaitable[Any]]
DEEDS: dict[str, Deed] = {}
WORDS = [
    "the",
    "parser",
    "must",
    "not",
    "raise",
    "ValueError",
    "in",
    "src/parse.py",
    "line",
    "42",
    "so",
    "read",
    "the",
    "file",
    "again",
    "and",
    "keep",
    "3.11",
    "code",
]
OPENING = ("say", "work", "branch", "edit", "say", "pin", "switch")
"""What a story begins with, so that there is something to bring together."""
PRIORITIES = ("skip", "normal", "important", "pinned")


def settled(work: Coroutine[Any, Any, Any]) -> Any:
    """What a coroutine comes to that never waits, as one over a blocking client."""
    try:
        work.send(None)
    except StopIteration as stopped:
        return stopped.value
    raise AssertionError("it waits")


@dataclass
class Desk:
    """A handle on a repository, and what has been seen of it.

    Attributes:
        repo: the handle, asynchronous or blocking.
        random: where choices come from.
        window: what HEAD shows; None before the first commit.
        slots: every message that was ever seen, in order of appearance.
        commits: every commit that was ever seen at a tip, likewise.
        branches: where each branch points.
        said: how many messages were written.
    """

    repo: Any
    random: Random
    window: Window | None = None
    slots: list[str] = field(default_factory=list)
    commits: list[str] = field(default_factory=list)
    branches: dict[str, str | None] = field(default_factory=dict)
    current: str = "main"
    said: int = 0

    async def ask(self, method: str, *arguments: Any, **options: Any) -> Any:
        """Call a method of the handle, and wait where it wants that."""
        answer = getattr(self.repo, method)(*arguments, **options)
        return await answer if inspect.isawaitable(answer) else answer

    async def look(self) -> None:
        """See where everything stands."""
        self.branches, self.window = {}, None
        try:
            found = await self.ask("branches")
        except CommonTraceError:
            return
        self.branches = {branch.name: branch.commit_id for branch in found}
        self.current = next(branch.name for branch in found if branch.current)
        self.commits += [tip for tip in self.branches.values() if tip and tip not in self.commits]
        if self.branches[self.current]:
            self.window = await self.ask("window", format="messages", explain=True)
            known = {*self.slots}
            self.slots += [one.slot_id for one in self.shown if one.slot_id not in known]

    @property
    def shown(self) -> list[Explained]:
        """The messages of the window."""
        return self.window.explanation if self.window else []

    def text(self) -> str:
        """Some words that nobody said before."""
        self.said += 1
        return f"{self.said}: {' '.join(self.random.choices(WORDS, k=self.random.randint(1, 30)))}."

    def chosen(self, most: int = 3) -> list[str]:
        """Some of the messages that are shown, or now and then of those that were."""
        pool = [one.slot_id for one in self.shown]
        if not pool or self.random.random() < 0.15:
            pool = self.slots
        return self.random.sample(pool, min(len(pool), self.random.randint(1, most))) or ["0" * 32]

    def other(self) -> str:
        """Another branch, or this one where there is no other."""
        return self.random.choice([name for name in self.branches if name != self.current] or [self.current])

    def somewhere(self) -> str:
        """A ref of any kind."""
        near = [f"HEAD~{self.random.randint(0, 3)}", f"{self.current}@{{{self.random.randint(0, 2)}}}"]
        return self.random.choice([*near, self.other(), *self.random.sample(self.commits, min(2, len(self.commits)))])


def deed(check: Deed) -> Deed:
    """Take it up among what can be done."""
    DEEDS[check.__name__] = check
    return check


@deed
async def say(desk: Desk) -> Any:
    for _ in range(desk.random.randint(1, 3)):
        desk.repo.add({"role": desk.random.choice(["user", "assistant", "user", "system"]), "content": desk.text()})
    return await desk.ask("commit", f"said {desk.said}")


def call(name: str) -> dict[str, Any]:
    return {"id": name, "type": "function", "function": {"name": "read", "arguments": '{"path": "src/parse.py"}'}}


@deed
async def work(desk: Desk) -> Any:
    """Call tools and get their results in one commit."""
    names = [f"call_{desk.said}_{number}" for number in range(desk.random.randint(1, 2))]
    desk.repo.add({"role": "assistant", "content": desk.text(), "tool_calls": [call(name) for name in names]})
    for name in names:
        desk.repo.add({"role": "tool", "tool_call_id": name, "content": f"{desk.text()}\n" * desk.random.randint(1, 9)})
    return await desk.ask("commit", "worked")


@deed
async def ask_a_tool(desk: Desk) -> Any:
    """Leave a call open."""
    desk.repo.add({"role": "assistant", "content": None, "tool_calls": [call(f"open_{desk.said}")]})
    desk.said += 1
    return await desk.ask("commit", "asked")


@deed
async def answer_a_tool(desk: Desk) -> Any:
    """Answer an open call of this window."""
    messages = (desk.window.messages or []) if desk.window else []
    parts = [part for message in messages for part in message["parts"]]
    answered = {part["call_id"] for part in parts if part["type"] == "tool_result"}
    asked = [part["id"] for part in parts if part["type"] == "tool_call" and part["id"] not in answered]
    if not asked:
        return await say(desk)
    desk.repo.add({"role": "tool", "tool_call_id": desk.random.choice(asked), "content": desk.text()})
    return await desk.ask("commit", "answered")


@deed
async def edit(desk: Desk) -> Any:
    [slot] = desk.chosen(1)
    if desk.random.random() < 0.3:
        return await desk.ask("edit", slot, version=desk.random.randint(0, 1))
    return await desk.ask("edit", slot, desk.random.choice(["the same words", desk.text()]))


@deed
async def annotate(desk: Desk) -> Any:
    """By slots, or by a query."""
    if desk.random.random() < 0.4:
        select = desk.random.choice(["type:tool", "role:user", "tokens>20", "age>3", "-role:system age<2", "2..4"])
        return await desk.ask("annotate", desk.random.choice(PRIORITIES), select=select)
    return await desk.ask("annotate", desk.random.choice(PRIORITIES), slots=desk.chosen(), notes={"why": desk.text()})


@deed
async def pin(desk: Desk) -> Any:
    return await desk.ask("pin", *desk.chosen(), reason="it matters")


@deed
async def skip(desk: Desk) -> Any:
    return await desk.ask("skip", *desk.chosen())


@deed
async def unmark(desk: Desk) -> Any:
    return await desk.ask("annotate", "normal", slots=desk.chosen(6))


@deed
async def remove(desk: Desk) -> Any:
    return await desk.ask("remove", *desk.chosen())


@deed
async def restore(desk: Desk) -> Any:
    hidden = sorted({*desk.slots} - {one.slot_id for one in desk.shown}, key=desk.slots.index) or desk.slots
    return await desk.ask("restore", *desk.random.sample(hidden, min(2, len(hidden))))


@deed
async def move(desk: Desk) -> Any:
    return await desk.ask("move", *desk.chosen(2), after=desk.random.choice(["", *desk.chosen(1)]))


@deed
async def note(desk: Desk) -> Any:
    """Say something of the whole context."""
    tool = {"type": "function", "function": {"name": f"tool_{desk.random.randint(0, 2)}", "parameters": {}}}
    notes: list[dict[str, Any]] = [{"tools": [tool]}, {"keep": ["ValueError"]}, {"keep": None}]
    return await desk.ask("notes", **desk.random.choice(notes))


@deed
async def compress(desk: Desk) -> Any:
    how = desk.random.choice(["rest", "slots", "query", "text"])
    if how == "rest":
        return await desk.ask("compress", keep_newest=desk.random.randint(0, 3), force=True)
    if how == "query":
        return await desk.ask("compress", desk.random.choice(["type:tool", "age>2", "1..3", "summary:yes"]), force=True)
    text = desk.text() if how == "text" else None
    return await desk.ask("compress", slots=desk.chosen(5), text=text, force=desk.random.random() < 0.7)


@deed
async def expand(desk: Desk) -> Any:
    summaries = [
        one.slot_id
        for one, message in zip(desk.shown, (desk.window.messages or []) if desk.window else [], strict=False)
        if any(part.get("text", "").startswith("[Summary") for part in message["parts"])
    ]
    if not summaries:
        return await compress(desk)
    chosen = desk.random.choice(summaries)
    only = desk.random.sample(desk.slots, min(2, len(desk.slots))) if desk.random.random() < 0.4 else []
    return await desk.ask("expand", chosen, only=only)


@deed
async def plan(desk: Desk) -> Any:
    """Fit the window into a part of what it has."""
    tokens = desk.window.tokens.tokens if desk.window else 100
    budget = max(1, tokens * desk.random.choice([30, 60, 90, 120]) // 100)
    return await desk.ask("plan", budget, apply=True, keep_newest=desk.random.randint(0, 2))


@deed
async def branch(desk: Desk) -> Any:
    from_ref = desk.random.choice(["HEAD", "HEAD", "HEAD~1", desk.somewhere()])
    return await desk.ask("branch", f"try/{len(desk.branches)}", from_ref, switch=desk.random.random() < 0.7)


@deed
async def switch(desk: Desk) -> Any:
    return await desk.ask("switch", desk.other())


@deed
async def delete_branch(desk: Desk) -> Any:
    if desk.other() == desk.current:
        return await branch(desk)
    return await desk.ask("delete_branch", desk.other(), force=desk.random.random() < 0.3)


@deed
async def merge(desk: Desk) -> Any:
    return await desk.ask("merge", desk.other(), fast_forward=desk.random.random() < 0.7)


@deed
async def merge_a_side(desk: Desk) -> Any:
    return await desk.ask("merge", desk.other(), strategy=desk.random.choice(["ours", "theirs", "base"]))


@deed
async def merge_several(desk: Desk) -> Any:
    others = [name for name in desk.branches if name != desk.current] or [desk.current]
    desk.random.shuffle(others)
    return await desk.ask("merge", *others[:3], strategy=desk.random.choice(["store", "ours"]))


@deed
async def merge_folded(desk: Desk) -> Any:
    """Bring a summary of theirs, or some of their commits."""
    mode = desk.random.choice(["squash", "facts", "inject"])
    strategy = desk.random.choice(["store", "ours", "theirs"])
    return await desk.ask("merge", desk.other(), mode=mode, strategy=strategy)


@deed
async def resolve(desk: Desk) -> Any:
    if desk.random.random() < 0.5:
        return await desk.ask("resolve", strategy=desk.random.choice(["ours", "theirs"]))
    standing = (await desk.ask("status")).conflicts
    if not standing:
        return await desk.ask("resolve", strategy="ours")
    one = desk.random.choice(standing)
    use = desk.random.choice(["ours", "theirs"])
    return await desk.ask("resolve", Resolution(slot=one.slot_id or "0000", register_name=one.register_name, use=use))


@deed
async def spawn(desk: Desk) -> Any:
    mode = desk.random.choice(["clone", "head", "selected", "clean"])
    options = {"slots": desk.chosen()} if mode == "selected" else {}
    return await desk.ask("spawn", f"child/{len(desk.branches)}", mode, **options)


@deed
async def collapse(desk: Desk) -> Any:
    return await desk.ask("collapse", desk.other())


@deed
async def cherry_pick(desk: Desk) -> Any:
    ref = desk.random.choice([desk.other(), f"HEAD..{desk.other()}", desk.somewhere()])
    return await desk.ask("cherry_pick", ref, strategy=desk.random.choice(["store", "ours", "theirs"]))


@deed
async def revert(desk: Desk) -> Any:
    ref = desk.random.choice(["HEAD", "HEAD~1", "HEAD~2", "HEAD~2..HEAD"])
    return await desk.ask("revert", ref, strategy=desk.random.choice(["store", "ours", "theirs"]))


@deed
async def rebase(desk: Desk) -> Any:
    return await desk.ask("rebase", desk.other(), strategy=desk.random.choice(["store", "ours", "theirs"]))


@deed
async def reset(desk: Desk) -> Any:
    return await desk.ask("reset", desk.somewhere())


@deed
async def apply(desk: Desk) -> Any:
    difference = await desk.ask("diff", desk.somewhere(), desk.somewhere())
    return await desk.ask("apply", difference, strategy=desk.random.choice(["store", "ours", "theirs"]))


@deed
async def tag(desk: Desk) -> Any:
    return await desk.ask("tag", f"v{desk.random.randint(0, 3)}", desk.somewhere())


@deed
async def delete_tag(desk: Desk) -> Any:
    tags = await desk.ask("tags")
    return await desk.ask("delete_tag", desk.random.choice(tags).name) if tags else await tag(desk)


@deed
async def label(desk: Desk) -> Any:
    return await desk.ask("label", desk.random.choice(["good", "bad"]), desk.somewhere())


@deed
async def undo(desk: Desk) -> Any:
    return await desk.ask("undo")


@deed
async def redo(desk: Desk) -> Any:
    """What was just undone."""
    await desk.ask("undo")
    return await desk.ask("redo")
