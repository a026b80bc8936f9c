"""Collecting in every context, as each one's owner would."""

from sqlalchemy import select

from commontrace.models.contexts import NewCollection
from commontrace_backend.contexts.collecting import collect
from commontrace_backend.contexts.tables import repositories
from commontrace_backend.contributors.caller import Caller
from commontrace_backend.contributors.tables import contributors
from commontrace_backend.database.engine import Database
from commontrace_backend.database.tenancy import EVERY_TENANT


async def collect_all(database: Database, grace_days: float) -> None:
    """Take out of every context what nothing needs and what is older than the grace; doing it again changes nothing."""
    statement = select(
        repositories.c.name, contributors.c.contributor_id, contributors.c.tenant_id, contributors.c.lineage_id
    ).join(contributors, contributors.c.contributor_id == repositories.c.contributor_id)
    async with database.reading(EVERY_TENANT) as session:
        owned = await session.all(statement.order_by(repositories.c.repository_id))
    for row in owned:
        # In its owner's name: whose log says that it was done.
        owner = Caller(row.contributor_id, "", row.tenant_id, row.lineage_id, frozenset({"contribute"}))
        await collect(database, owner, row.name, NewCollection(grace_days=grace_days))
