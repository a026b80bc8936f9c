"""Tools that change what a window shows: edits, priorities, summaries, budget plans."""

from typing import Annotated, Any, Final, Literal

from fastmcp.dependencies import Depends
from fastmcp.tools.base import ToolResult
from pydantic import Field

from commontrace import AsyncContexts
from commontrace.mcp.dependencies import current_contexts, current_repository
from commontrace.mcp.tools.context_text import change_line, plan_text
from commontrace.models.contexts import CompressResult, Priority
from commontrace.providers.text import to_text
from commontrace.safety.rendering import one_line, render_fenced

Slots = Annotated[list[str], Field(description="First digits of slots, from context_show(explain=true)")]
Select = Annotated[str, Field(description="Or a query: type:tool tokens>2000 age>50")]
Act = Literal["priority", "remove", "restore", "move"]

_LEAST: Final = 60  # tokens that any summary may have
_LETTERS: Final = 4
"""Characters that a token has, about."""


async def context_edit(
    slot: Annotated[str, Field(description="First digits, from context_show(explain=true)")],
    text: str = "",
    content: Annotated[dict[str, Any] | None, Field(description="Or the whole message")] = None,
    version: Annotated[int, Field(ge=-1, description="Or an earlier version; 0 is the first")] = -1,
    dry_run: bool = False,
    repository: str = "",
    contexts: AsyncContexts = Depends(current_contexts),
    default: str = Depends(current_repository),
) -> ToolResult:
    """Give a message other words. What it said before stays in its history."""
    done = await contexts.open(repository or default).edit(
        slot, text or None, content=content, version=None if version < 0 else version, dry_run=dry_run
    )
    return ToolResult(content=change_line(done, dry_run=dry_run))


async def context_annotate(
    slots: Slots = [],
    select: Select = "",
    action: Act = "priority",
    priority: Priority = "pinned",
    reason: Annotated[str, Field(max_length=1000)] = "",
    after: Annotated[str, Field(description="For move: the slot to stand behind; empty: first")] = "",
    dry_run: bool = False,
    repository: str = "",
    contexts: AsyncContexts = Depends(current_contexts),
    default: str = Depends(current_repository),
) -> ToolResult:
    """Pin, skip, remove, restore or move messages of the window; a call and its results go together.

    Example: select="type:tool age>50", priority="skip", reason="old results"
    """
    repo = contexts.open(repository or default)
    about: dict[str, Any] = {"select": select, "dry_run": dry_run}
    if action == "priority":
        done = await repo.annotate(priority, reason=reason, slots=slots, **about)
    elif action == "move":
        done = await repo.move(*slots, after=after, **about)
    else:
        done = await (repo.remove if action == "remove" else repo.restore)(*slots, **about)
    return ToolResult(content=change_line(done, dry_run=dry_run))


async def context_compress(
    text: Annotated[str, Field(description="Your summary; without it you get what to summarise")] = "",
    slots: Slots = [],
    select: Select = "",
    keep_newest: Annotated[int, Field(ge=0, description="Messages at the end that stay")] = 10,
    keep: Annotated[list[str], Field(description="What it must say, word for word")] = [],
    expected_head: str = "",
    max_tokens: Annotated[int, Field(ge=500, le=100_000)] = 8000,
    repository: str = "",
    contexts: AsyncContexts = Depends(current_contexts),
    default: str = Depends(current_repository),
) -> ToolResult:
    """Let a summary of yours stand for older messages, to make room. Nothing is lost: context_expand brings it back.

    Call it twice: without text to get the material, then with the same arguments and your text.
    """
    repo = contexts.open(repository or default)
    chosen: dict[str, Any] = {"slots": slots, "keep_newest": keep_newest, "keep": keep}
    head = expected_head or None
    if text:
        done = await repo.compress(select, text=text, expected_head=head, **chosen)
        return ToolResult(content=_compressed(done))
    at = (await repo.status()).commit_id or ""
    tried = await repo.compress(select, expected_head=at[:10] or None, dry_run=True, material=True, **chosen)
    return ToolResult(content=_material(tried, at[:10], max_tokens))


def _compressed(done: CompressResult) -> str:
    if done.summary_slot is None:
        return change_line(done)
    said = f"{change_line(done)}\nsummary {done.summary_slot[:8]} stands for {len(done.covered)} messages"
    lost = {name: part.examples for name in _kinds(done) if (part := getattr(done.loss, name)).lost}
    if not lost:
        return said
    words = "\n".join(f"{name}: {', '.join(one_line(word) for word in found)}" for name, found in lost.items())
    return f"{said}; it does not say:\n{render_fenced('lost', words)}"


def _kinds(done: CompressResult) -> list[str]:
    return list(type(done.loss).model_fields) if done.loss else []


def _material(tried: CompressResult, head: str, max_tokens: int) -> str:
    if not tried.material:
        return f"Nothing to summarise: {tried.window_messages} messages. Lower keep_newest, or name slots."
    text = to_text(tried.material)
    left = len(text) - max_tokens * _LETTERS
    cut = f"\n({left} characters more: raise max_tokens, or choose fewer messages)" if left > 0 else ""
    must = f" It must say word for word: {', '.join(map(repr, tried.keep))}." if tried.keep else ""
    return (
        f"{len(tried.covered)} messages, {tried.covered_tokens} tokens. Say what a fresh start would need (decisions "
        "with reasons, names, numbers, paths, what must not be done) in at most "
        f"{max(_LEAST, tried.covered_tokens // 5)} tokens.{must} Then call context_compress with the same arguments, "
        f"text=… and expected_head='{head}'.\n{render_fenced('material', text[: max_tokens * _LETTERS])}{cut}"
    )


async def context_expand(
    slots: Slots,
    only: Annotated[list[str], Field(description="Bring back only these")] = [],
    repository: str = "",
    contexts: AsyncContexts = Depends(current_contexts),
    default: str = Depends(current_repository),
) -> ToolResult:
    """Let summaries give way to the messages that they stand for, or to some of them."""
    return ToolResult(content=change_line(await contexts.open(repository or default).expand(*slots, only=only)))


async def context_plan(
    budget: Annotated[int, Field(ge=1, description="Tokens that the window is to fit")],
    apply: bool = False,
    keep_newest: Annotated[int, Field(ge=0)] = 4,
    repository: str = "",
    contexts: AsyncContexts = Depends(current_contexts),
    default: str = Depends(current_repository),
) -> ToolResult:
    """The cheapest set of actions that makes the window fit: what each saves, risks and re-bills.

    Look first, then call it with apply=true: one commit that context_undo takes back.
    """
    found = await contexts.open(repository or default).plan(budget, apply=apply, keep_newest=keep_newest)
    return ToolResult(content=plan_text(found))
