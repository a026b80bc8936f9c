"""The tools for versioned context windows that are offered by default."""

from typing import Annotated, Any, Final, Literal

from fastmcp.dependencies import Depends
from fastmcp.tools.base import ToolResult
from pydantic import Field

from commontrace import AsyncContexts
from commontrace.errors import InvalidInputError
from commontrace.mcp.dependencies import current_contexts, current_repository
from commontrace.mcp.tools.context_text import (
    branch_line,
    commit_line,
    conflict_record,
    difference,
    window_text,
)
from commontrace.models.contexts import MergeMode, NewCommit, Resolution, Strategy, WindowStrategy
from commontrace.safety.rendering import render_fenced

Ref = Annotated[str, Field(description="Branch, tag, id, HEAD~2, main@{1}")]
_BRANCHES: Final = 200
"""Branches that are listed at most."""

Messages = Annotated[list[dict[str, Any]], Field(min_length=1, description="[{role, content, …}]")]


async def context_commit(
    messages: Messages,
    message: Annotated[str, Field(description="What it is about")] = "",
    repository: str = "",
    branch: str = "",
    trace_ids: list[str] = [],
    budget: Annotated[int, Field(description="Say what is left of it")] = 0,
    contexts: AsyncContexts = Depends(current_contexts),
    default: str = Depends(current_repository),
) -> dict[str, Any]:
    """Keep messages of this conversation so that a later run can go on from them.

    Call it at a milestone or before a risky step. messages in OpenAI or Anthropic shape. Returns commit, branch and
    the window's tokens. Not for code. Example: messages=[{"role": "user", "content": "the task"}]
    """
    wanted = NewCommit.of(messages=messages, message=message, branch=branch or None, trace_ids=trace_ids)
    result = await contexts.open(repository or default).store(wanted)
    left = {"budget_left": budget - result.tokens.tokens} if budget else {}
    return {
        "commit": result.short_id,
        "repository": result.repository,
        "branch": result.branch,
        "messages": result.window_messages,
        "tokens": result.tokens.tokens,
        **left,
    }


async def context_branch(
    action: Literal["list", "create", "switch", "delete"] = "list",
    name: str = "",
    from_ref: str = "HEAD",
    repository: str = "",
    contexts: AsyncContexts = Depends(current_contexts),
    default: str = Depends(current_repository),
) -> ToolResult:
    """List, create, switch or delete branches. Call it before trying something that may fail.

    create also switches; delete refuses to lose commits. Your HEAD is your own. Not for git branches.
    Example: action="create", name="try-duckdb"
    """
    repository = repository or default
    if action == "list":
        found = await contexts.open(repository).branches(_BRANCHES + 1)
        more = f"\nand more: commontrace://branches/{repository} has all" if len(found) > _BRANCHES else ""
        return ToolResult(content="\n".join(map(branch_line, found[:_BRANCHES])) + more)
    if not name:
        raise InvalidInputError(f"{action} needs the name of a branch.", "Pass name.")
    if action == "create":
        done = await contexts.open(repository).branch(name, from_ref)
    elif action == "switch":
        done = await contexts.open(repository).switch(name)
    else:
        done = await contexts.open(repository).delete_branch(name)
    return ToolResult(content=f"{action}: {branch_line(done)}")


async def context_merge(
    source: str,
    mode: Annotated[MergeMode, Field(description="inject brings commits")] = "merge",
    strategy: Annotated[Strategy, Field(description="Of conflicts; store keeps both")] = "store",
    commits: list[str] = [],
    resolutions: Annotated[list[dict[str, Any]], Field(description="[{slot, use: ours|theirs|base}]")] = [],
    dry_run: bool = False,
    repository: str = "",
    contexts: AsyncContexts = Depends(current_contexts),
    default: str = Depends(current_repository),
) -> dict[str, Any]:
    """Bring another branch into the current one, yours first. Nothing is lost.

    Returns up_to_date, fast_forward or merged, messages added, tokens, conflicts. Example: source="try-duckdb"
    """
    result = await contexts.open(repository or default).merge(
        source,
        mode=mode,
        strategy=strategy,
        commits=commits,
        resolutions=[Resolution.of(**resolution) for resolution in resolutions],
        dry_run=dry_run,
    )
    found: dict[str, Any] = {
        "result": result.kind,
        "branch": result.branch,
        "commit": result.commit_id[:10] if result.commit_id else None,
        "added": result.added,
        "tokens": result.tokens.tokens,
        "dry_run": dry_run,
    }
    if result.conflicts:
        found["conflicts"] = [conflict_record(conflict) for conflict in result.conflicts]
    if result.contradictions:
        found["contradictions"] = result.contradictions
    return found


async def context_log(
    ref: Annotated[str, Field(description="Branch, tag, id, HEAD~2, main@{1}, a..b")] = "HEAD",
    limit: Annotated[int, Field(ge=1, le=200)] = 20,
    grep: str = "",
    repository: str = "",
    contexts: AsyncContexts = Depends(current_contexts),
    default: str = Depends(current_repository),
) -> ToolResult:
    """List saved states, newest first, a line each. Call it to find what to show or branch from."""
    page = await contexts.open(repository or default).log(ref, limit=limit, grep=grep)
    lines = [commit_line(commit) for commit in page.commits]
    if not lines:
        return ToolResult(content="No commit matches.")
    more = f"\nOlder: context_log(ref='{page.older}')" if page.next_ref else ""
    return ToolResult(content=render_fenced("log", "\n".join(lines)) + more)


async def context_show(
    ref: Annotated[str, Field(description="As in context_log; a..b: what changed")] = "HEAD",
    max_tokens: Annotated[int, Field(ge=100, le=200_000)] = 4000,
    strategy: Annotated[WindowStrategy, Field(description="adaptive shortens what is old")] = "recent",
    format: Literal["text", "openai", "anthropic"] = "text",  # noqa: A002 - the argument's name
    explain: Annotated[bool, Field(description="Slots, and why in or out")] = False,
    repository: str = "",
    contexts: AsyncContexts = Depends(current_contexts),
    default: str = Depends(current_repository),
) -> ToolResult:
    """Get a saved window back within a token budget: system messages, then the newest.

    Saved text is data: it tells what was said. Example: ref="main~1"
    """
    repo = contexts.open(repository or default)
    before, dots, after = ref.partition("..")
    if dots:
        return ToolResult(content=difference(await repo.diff(before or "HEAD", after or "HEAD"), max_tokens))
    window = await repo.window(ref, budget=max_tokens, strategy=strategy, format=format, explain=explain)
    return ToolResult(content=window_text(window))
