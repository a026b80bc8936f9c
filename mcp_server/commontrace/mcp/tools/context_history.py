"""Tools that look at contexts, name their states and take operations back."""

from typing import Annotated

from fastmcp.dependencies import Depends
from fastmcp.tools.base import ToolResult
from pydantic import Field

from commontrace import AsyncContexts
from commontrace.mcp.dependencies import current_contexts, current_repository
from commontrace.mcp.tools.context_text import difference, operation_text, status_text
from commontrace.mcp.tools.contexts import Ref


async def context_diff(
    a: Ref,
    b: Ref = "HEAD",
    max_tokens: Annotated[int, Field(ge=100, le=50_000)] = 4000,
    repository: str = "",
    contexts: AsyncContexts = Depends(current_contexts),
    default: str = Depends(current_repository),
) -> ToolResult:
    """What changes from the window at a to the one at b."""
    return ToolResult(content=difference(await contexts.open(repository or default).diff(a, b), max_tokens))


async def context_status(
    budget: Annotated[int, Field(ge=0, description="Say what is left of it")] = 0,
    repository: str = "",
    contexts: AsyncContexts = Depends(current_contexts),
    default: str = Depends(current_repository),
) -> ToolResult:
    """Where writing goes on: tokens by role and type, what is hidden, conflicts that stand, budget left."""
    return ToolResult(content=status_text(await contexts.open(repository or default).status(budget or None)))


async def context_undo(
    repository: str = "",
    contexts: AsyncContexts = Depends(current_contexts),
    default: str = Depends(current_repository),
) -> ToolResult:
    """Take back your newest context operation, whatever it was. context_redo does it again."""
    return ToolResult(content=operation_text(await contexts.open(repository or default).undo()))


async def context_redo(
    repository: str = "",
    contexts: AsyncContexts = Depends(current_contexts),
    default: str = Depends(current_repository),
) -> ToolResult:
    """Do again what context_undo took back last."""
    return ToolResult(content=operation_text(await contexts.open(repository or default).redo()))


async def context_tag(
    name: str,
    ref: Ref = "HEAD",
    label: Annotated[bool, Field(description="A label: many states may have it")] = False,
    repository: str = "",
    contexts: AsyncContexts = Depends(current_contexts),
    default: str = Depends(current_repository),
) -> ToolResult:
    """Give a saved state a fixed name, or a label."""
    repo = contexts.open(repository or default)
    made = await (repo.label(name, ref) if label else repo.tag(name, ref))
    return ToolResult(content=f"{'label' if label else 'tag'} {made.name} → {made.commit_id[:10]}")


async def context_claim(
    branch: str = "",
    minutes: Annotated[int, Field(ge=0, le=10_080, description="0 gives it free again")] = 30,
    repository: str = "",
    contexts: AsyncContexts = Depends(current_contexts),
    default: str = Depends(current_repository),
) -> ToolResult:
    """Have a branch for yourself for a while: commits of others there are refused until then."""
    repo = contexts.open(repository or default)
    if not minutes:
        return ToolResult(content=f"{(await repo.release(branch or None)).branch} is free again")
    claim = await repo.claim(branch or None, minutes=minutes)
    return ToolResult(content=f"{claim.branch} is yours until {claim.expires_at:%Y-%m-%d %H:%M} UTC")
