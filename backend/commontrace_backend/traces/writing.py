"""How a version gets into the store: row, tags, fingerprints and index in one transaction."""

import json
from datetime import UTC, datetime
from typing import Any, Final

from commontrace.errors import TooLargeError
from commontrace.fingerprint import VERSION as FINGERPRINT_VERSION
from commontrace.fingerprint import fingerprint
from commontrace.models.traces import TraceContent
from commontrace.safety import RULES_VERSION
from commontrace.safety.pipeline import Screened, screen
from commontrace_backend.database.session import WriteSession
from commontrace_backend.index.protocol import Document, SearchIndex
from commontrace_backend.index.vectors import outdate
from commontrace_backend.traces import store
from commontrace_backend.traces.embedding import hashes_of

CONTENT_LIMIT: Final = 64 * 1024


def screened(content: TraceContent) -> Screened:
    """The safe form of a version that somebody wants to store; raises TooLargeError over 64 KiB."""
    if _size(content) > CONTENT_LIMIT:
        raise TooLargeError("A trace holds at most 64 KiB.", "Keep the error, the cause and the fix.")
    return screen(content)


def _size(content: TraceContent) -> int:
    text = json.dumps(content.model_dump(mode="json"), ensure_ascii=False)
    return len(text.encode(errors="surrogatepass"))


def fingerprints(content: TraceContent) -> list[str]:
    """The keys of the errors a trace speaks of."""
    return [key for error in content.errors if (key := fingerprint(error))]


def document(number: int, content: TraceContent) -> Document:
    """The words a trace is found by."""
    return Document(
        number=number,
        title=content.title,
        problem=f"{content.problem}\n{content.applies_when}",
        solution="\n".join([content.solution, *(attempt.tried for attempt in content.failed_attempts)]),
        tags=" ".join(content.tags),
        errors="\n".join(content.errors),
    )


async def add_version(session: WriteSession, screened: Screened, **columns: object) -> None:
    """Insert an immutable version with what the scanners said about it; `columns` place it in its trace."""
    await store.add_version(
        session,
        {
            "content": screened.content.model_dump(mode="json"),
            "redactions": [item.model_dump() for item in screened.redactions],
            "hidden": list(screened.hidden),
            "labels": [item.model_dump() for item in screened.labels],
            "lint": screened.lint.model_dump(),
            "risks": screened.risks.model_dump(),
            "scanner_version": RULES_VERSION,
            "created_at": datetime.now(UTC),
            **columns,
        },
    )
    tenant_id, trace_id, version_id = (str(columns[name]) for name in ("tenant_id", "trace_id", "version_id"))
    await store.keep_commands(session, tenant_id, trace_id, version_id, screened.command_keys)


async def serve(session: WriteSession, index: SearchIndex, trace: Any, content: TraceContent) -> None:
    """Make a version the one that is found; vectors of other texts are forgotten and made anew later."""
    await store.describe(session, trace, content, fingerprints(content), FINGERPRINT_VERSION)
    await index.put(session, document(trace.number, content))
    await outdate(session, trace.number, hashes_of(content))
