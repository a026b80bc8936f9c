"""Tools that move changes about, and that hand work to sub-agents and take it back."""

from typing import Annotated

from fastmcp.dependencies import Depends
from fastmcp.tools.base import ToolResult
from pydantic import Field

from commontrace import AsyncContexts
from commontrace.mcp.dependencies import current_contexts, current_repository
from commontrace.mcp.tools.context_changes import Select, Slots
from commontrace.mcp.tools.context_text import change_line, count, pick_line
from commontrace.models.contexts import PickStrategy, SpawnMode

Refs = Annotated[list[str], Field(min_length=1, description="Commits, or ranges such as main..try")]
Wins = Annotated[PickStrategy, Field(description="store refuses what contradicts; ours stays, theirs is taken")]


async def context_cherry_pick(
    commits: Refs,
    strategy: Wins = "store",
    dry_run: bool = False,
    repository: str = "",
    contexts: AsyncContexts = Depends(current_contexts),
    default: str = Depends(current_repository),
) -> ToolResult:
    """Make the changes of chosen commits of another branch here too."""
    done = await contexts.open(repository or default).cherry_pick(*commits, strategy=strategy, dry_run=dry_run)
    return ToolResult(content=pick_line(done, dry_run=dry_run))


async def context_revert(
    commits: Refs,
    strategy: Wins = "store",
    dry_run: bool = False,
    repository: str = "",
    contexts: AsyncContexts = Depends(current_contexts),
    default: str = Depends(current_repository),
) -> ToolResult:
    """Take the changes of commits back, as new commits; the history stays."""
    done = await contexts.open(repository or default).revert(*commits, strategy=strategy, dry_run=dry_run)
    return ToolResult(content=pick_line(done, dry_run=dry_run))


async def context_rebase(
    onto: Annotated[str, Field(description="Branch, tag or commit")],
    strategy: Wins = "store",
    dry_run: bool = False,
    repository: str = "",
    contexts: AsyncContexts = Depends(current_contexts),
    default: str = Depends(current_repository),
) -> ToolResult:
    """Let the current branch go on from another commit; its own commits and edits are made again there."""
    done = await contexts.open(repository or default).rebase(onto, strategy=strategy, dry_run=dry_run)
    return ToolResult(content=pick_line(done, dry_run=dry_run))


async def context_spawn(
    name: Annotated[str, Field(description="The branch of the sub-agent")],
    mode: Annotated[SpawnMode, Field(description="Whole history, window only, chosen messages, nothing")] = "clone",
    slots: Slots = [],
    select: Select = "",
    repository: str = "",
    contexts: AsyncContexts = Depends(current_contexts),
    default: str = Depends(current_repository),
) -> ToolResult:
    """Make a context for a sub-agent; you stay where you are. It commits with branch=name; context_collapse ends it."""
    made = await contexts.open(repository or default).spawn(name, mode, slots=slots, select=select)
    window = f"{made.window_messages} messages, {count(made.tokens)}"
    return ToolResult(content=f"spawned {made.branch} ({made.mode}) at {(made.commit_id or '')[:10]}: {window}")


async def context_collapse(
    source: Annotated[str, Field(description="The sub-agent's branch")],
    text: Annotated[str, Field(description="What came of it; without it an automatic summary")] = "",
    dry_run: bool = False,
    repository: str = "",
    contexts: AsyncContexts = Depends(current_contexts),
    default: str = Depends(current_repository),
) -> ToolResult:
    """Bring a sub-agent's work home as one summary; context_expand shows what it stands for."""
    done = await contexts.open(repository or default).collapse(source, text or None, dry_run=dry_run)
    summary = f"\nsummary {done.summary_slot[:8]} stands for {len(done.covered)} messages" if done.summary_slot else ""
    return ToolResult(content=f"{change_line(done, dry_run=dry_run)}{summary}")
