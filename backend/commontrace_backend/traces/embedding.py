"""What of a trace is embedded, and how its vectors get into the store."""

from collections.abc import Sequence
from typing import Final

from sqlalchemy import select

from commontrace.models.traces import TraceContent
from commontrace_backend.database.engine import Database
from commontrace_backend.database.tenancy import EVERY_TENANT
from commontrace_backend.embedding.protocol import Embedder
from commontrace_backend.index.vectors import (
    Part,
    PartVector,
    VectorIndex,
    find_model,
    open_model,
    text_hash,
    unembedded,
)
from commontrace_backend.traces.tables import of_served_version, trace_versions, traces

_MORE_THAN_A_TITLE: Final = 8
"""Words a problem must add to its title to be embedded apart: a short text lies near everything that is short."""


def texts_of(content: TraceContent) -> dict[Part, str]:
    """The text of each part; the solution's begins with the title, which says what it solves."""
    titled = content.solution.startswith(content.title)
    found = {Part.SOLUTION: content.solution if titled else f"{content.title}\n{content.solution}"}
    if len(set(content.problem.split()) - set(content.title.split())) >= _MORE_THAN_A_TITLE:
        found[Part.PROBLEM] = f"{content.title}\n{content.problem}"
    return found


def hashes_of(content: TraceContent) -> dict[Part, str]:
    """The hash of each part's text: where it changes, the vector is made anew."""
    return {part: text_hash(text) for part, text in texts_of(content).items()}


async def embed_some(database: Database, vectors: VectorIndex, embedder: Embedder, limit: int) -> int:
    """Embed up to `limit` traces that have no current vector; returns how many there were.

    The model runs outside any transaction; what was amended meanwhile is left for the next round.

    Raises:
        EmbedderUnavailableError: the model or its endpoint does not answer; what was stored before stays.
    """
    async with database.reading(EVERY_TENANT) as session:
        model = await find_model(session, embedder.name)
        if model and embedder.dimension not in {None, model.dimension}:
            model = None
        numbers = await unembedded(session, traces.c.number, model, limit)
        rows = await session.all(
            select(traces.c.number, traces.c.version_id, trace_versions.c.content)
            .join(
                trace_versions,
                of_served_version,
            )
            .where(traces.c.number.in_(numbers))
            .order_by(traces.c.number)
        )
    if not rows:
        return 0
    wanted = [
        (row.number, row.version_id, part, text)
        for row in rows
        for part, text in texts_of(TraceContent.model_validate(row.content)).items()
    ]
    found = await embedder.documents([text for *_, text in wanted])
    made = {
        (number, version_id, part): PartVector(number, part, text_hash(text), vector)
        for (number, version_id, part, text), vector in zip(wanted, found, strict=True)
    }
    async with database.writing(EVERY_TENANT, durable=False) as writer:
        served = await writer.all(select(traces.c.number, traces.c.version_id).where(traces.c.number.in_(numbers)))
        current = {(row.number, row.version_id) for row in served}
        kept: Sequence[PartVector] = [
            vector for (number, version_id, _), vector in made.items() if (number, version_id) in current
        ]
        await vectors.store(writer, await open_model(writer, embedder.name, found.shape[1]), kept)
    return len(rows)
