"""Who sees a context: its owner alone, or everybody in the organization, who may then write to it too."""

from typing import Final

from sqlalchemy import select, update

from commontrace.errors import ConflictError, ForbiddenError, NotFoundError
from commontrace.models.contexts import NewVisibility, RepositoryInfo
from commontrace_backend.contexts import store
from commontrace_backend.contexts.tables import repositories
from commontrace_backend.contributors.caller import Caller
from commontrace_backend.database.session import WriteSession

_TEAM: Final = "team"


async def share(session: WriteSession, caller: Caller, name: str, wanted: NewVisibility) -> RepositoryInfo:
    """Show a context to the organization, or to its owner alone again; nothing in it changes.

    Raises:
        NotFoundError: there is none by that name that the caller sees.
        ForbiddenError: it is somebody else's.
        ConflictError: the organization has a context by that name already.
    """
    seen = [row for row in await store.all_repositories(session, caller) if row.name == name]
    if not seen:
        raise NotFoundError(f"There is no context {name}.", "It is created by its first commit.")
    own = (repositories.c.contributor_id == caller.contributor_id) & (repositories.c.name == name)
    repository_id = await session.scalar(select(repositories.c.repository_id).where(own))
    if repository_id is None:
        raise ForbiddenError(f"The context {name} is somebody else's.", "Ask its owner to say who sees it.")
    if wanted.visibility == _TEAM and any(row.repository_id != repository_id for row in seen):
        raise ConflictError(
            f"Your organization has a context {name} already.", "Push this one to another name, or merge it there."
        )
    changed = update(repositories).where(repositories.c.repository_id == repository_id)
    await session.write(changed.values(visibility=wanted.visibility))
    rows = await store.all_repositories(session, caller)
    return RepositoryInfo.model_validate(next(row for row in rows if row.repository_id == repository_id))
