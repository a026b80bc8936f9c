"""The tools that look into contexts: for words, for origins, for what calls used, for damage."""

from typing import Annotated

from fastmcp.dependencies import Depends
from fastmcp.tools.base import ToolResult
from pydantic import Field

from commontrace import AsyncContexts
from commontrace.mcp.dependencies import current_contexts, current_repository
from commontrace.models.contexts import Blamed, GrepHit, ModelUsage
from commontrace.safety.rendering import one_line, outside, render_fenced

Words = Annotated[str, Field(max_length=1000)]
Regex = Annotated[bool, Field(description="An RE2 expression")]


async def context_grep(
    pattern: Words,
    ref: Annotated[str, Field(description="Only what leads there; else every branch and tag")] = "",
    regex: Regex = False,
    limit: Annotated[int, Field(ge=1, le=100)] = 10,
    after: Annotated[str, Field(description="As the page before said")] = "",
    repository: str = "",
    contexts: AsyncContexts = Depends(current_contexts),
    default: str = Depends(current_repository),
) -> ToolResult:
    """Find what was ever said, also if it was edited, removed, skipped or summarised since, or on another branch."""
    repo = contexts.open(repository or default)
    page = await repo.grep(pattern, ref=ref or None, regex=regex, limit=limit, after=after)
    if not page.hits:
        return ToolResult(content="Nothing that was ever said matches.")
    more = f"\nMore: after={page.next!r}" if page.next else ""
    return ToolResult(content=render_fenced("hits", "\n".join(map(_hit, page.hits))) + more)


def _hit(hit: GrepHit) -> str:
    where = f"at {hit.position} in {hit.at}" if hit.shown else f"not in {hit.at}: {one_line(hit.reason)}"
    said = one_line(hit.excerpt)
    return f"{hit.slot_id[:8]} {hit.commit_id[:10]} {one_line(hit.role)} line {hit.line} ({where}): {said}"


async def context_blame(
    ref: Annotated[str, Field(description="Branch, tag, id, HEAD~2, main@{1}")] = "HEAD",
    grep: Annotated[str, Field(description="Only messages that hold these words")] = "",
    regex: Regex = False,
    limit: Annotated[int, Field(ge=1, le=200)] = 20,
    repository: str = "",
    contexts: AsyncContexts = Depends(current_contexts),
    default: str = Depends(current_repository),
) -> ToolResult:
    """Tell where messages of a window come from: which commit, edit, summary, merge or cherry-pick. Newest first."""
    found = await contexts.open(repository or default).blame(ref, grep=grep, regex=regex)
    if not found.messages:
        return ToolResult(content="No message of that window holds it.")
    left = len(found.messages) - limit
    more = f"\n{left} older ones left out; raise limit, or give grep." if left > 0 else ""
    lines = [_origin(message) for message in reversed(found.messages[-limit:])]
    return ToolResult(content=render_fenced("blame", "\n".join(lines)) + more)


def _origin(message: Blamed) -> str:
    steps = ", ".join(
        f"{step.kind} {step.commit_id[:10]} “{one_line(step.message)}”"
        + (f" (picked from {one_line(step.picked_from)[:10]})" if step.picked_from else "")
        for step in message.origin
    )
    covers = f", stands for {len(message.covers)}" if message.covers else ""
    return f"{message.position} {message.slot_id[:8]} {one_line(message.excerpt)[:80]}: {steps}{covers}"


async def context_usage(
    repository: str = "",
    contexts: AsyncContexts = Depends(current_contexts),
    default: str = Depends(current_repository),
) -> ToolResult:
    """What recorded calls to models used, what estimates of each model are off by, what the window has now."""
    found = await contexts.open(repository or default).usage()
    head = f"{found.calls} calls; the window has {found.window.tokens} tokens ({found.window.method})"
    models = "\n".join(map(_model, found.models))
    return ToolResult(content=f"{head}\n{render_fenced('models', models)}" if models else head)


def _model(model: ModelUsage) -> str:
    kinds = ("input", "cache_read", "cache_write", "output", "reasoning")
    used = ", ".join(f"{kind} {count}" for kind in kinds if (count := getattr(model, kind)) is not None)
    low, high = model.band
    said = f"{one_line(model.model) or '(no model)'}: {model.calls} calls, {used or 'nothing reported'}"
    return f"{said}; estimates × {model.factor:g} ({low:g} to {high:g})"


async def context_verify(
    full: Annotated[bool, Field(description="Make every window anew")] = False,
    repository: str = "",
    contexts: AsyncContexts = Depends(current_contexts),
    default: str = Depends(current_repository),
) -> ToolResult:
    """Check every byte that is stored of a context."""
    found = await contexts.open(repository or default).verify(full=full)
    problems = [outside(f"{one.kind} {one.name[:12]}: {one.detail} {one.hint}") for one in found.problems[:20]]
    counts = f"{found.commits} commits, {found.blobs} messages, {found.windows} windows, {found.purged} purged"
    verdict = "sound" if found.sound else f"{len(found.problems)} problems"
    return ToolResult(content="\n".join([f"{verdict}: {counts}", *problems]))
