"""`commontrace import` and `export`: whole collections in, and out again."""

import os
from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from commontrace.cli.command import FAILED, command
from commontrace.cli.output import Screen, answer, counted, document, note, single_line
from commontrace.cli.reading import named, read_text, unreadable
from commontrace.cli.rows import Row, contribution, ignored, rows_of
from commontrace.cli.state import open_client, state
from commontrace.errors import (
    AuthenticationError,
    BackendError,
    CommonTraceError,
    ForbiddenError,
    InternalError,
    RateLimitedError,
)
from commontrace.models.traces import Trace

if TYPE_CHECKING:
    from commontrace import Client

_FATAL = (AuthenticationError, ForbiddenError, RateLimitedError, BackendError)


@command("import")
@click.argument("file")
@click.option(
    "--leave-out",
    type=click.Choice(["context"]),
    help="Keep this field out of the traces; the title then stands for the problem.",
)
@click.pass_context
def import_(context: click.Context, file: str, leave_out: str | None) -> None:
    """Import traces from FILE: a JSON array or JSON lines, as `export` writes them; - for standard input.

    Rows may also be {title, context, solution, tags}. A bad row is reported with its place and the rest go on.
    Importing the same file again adds nothing.
    """
    rows = rows_of(read_text(file), named(file))
    problems: list[dict[str, str]] = []
    counts: Counter[str] = Counter()
    with open_client() as client:
        for row in _with_progress(rows):
            try:
                counts[_import_row(client, row, without_context=leave_out is not None)] += 1
            except CommonTraceError as error:
                if isinstance(error, _FATAL) and not isinstance(error, InternalError):
                    raise _stopped(error, row, counts) from error
                problems.append({"row": row.place, "code": error.code, "detail": error.detail, "hint": error.hint})
                if not state().json:
                    note((f"{row.place}: ", "bold red"), single_line(str(error)))
    summary = {"added": counts["added"], "existing": counts["existing"], "failed": len(problems)}
    answer({**summary, "ignored_fields": ignored(rows), "problems": problems}, lambda s: _summary(s, summary, rows))
    if problems:
        context.exit(FAILED)


def _import_row(client: "Client", row: Row, *, without_context: bool) -> str:
    if row.problem:
        raise row.problem
    result = client.traces.contribute(contribution(row.value, without_context=without_context))
    return "existing" if result.existing else "added"


def _stopped(error: CommonTraceError, row: Row, counts: Counter[str]) -> CommonTraceError:
    """The same error, saying where the import stopped."""
    kept = counted(counts.total(), "row")
    return type(error)(
        f"Stopped at {row.place}; {kept} before it are kept. {error.detail}",
        f"{error.hint} Then run the import again: what is there already is not added twice.",
    )


def _with_progress(rows: list[Row]) -> Iterator[Row]:
    """The rows, with a bar on standard error where somebody watches it."""
    screen = Screen(stderr=True)
    if not screen.console.is_terminal:
        yield from rows
        return
    from rich.progress import track

    yield from track(rows, description="importing", console=screen.console, transient=True)


def _summary(screen: Screen, summary: dict[str, int], rows: list[Row]) -> None:
    screen.line(
        (counted(summary["added"], "trace"), "bold"),
        " added",
        f", {summary['existing']} there already" if summary["existing"] else "",
        (f", {summary['failed']} failed" if summary["failed"] else "", "bold red"),
    )
    if names := ignored(rows):
        screen.line((f"Fields that no trace has were left out: {', '.join(names)}", "dim"))


@command("export")
@click.argument("file", default="-")
def export(file: str) -> None:
    """Export every trace that you may see as JSON lines, to FILE or standard output. `import` reads it back.

    Withdrawn and hidden traces are left out.
    """
    with open_client() as client:
        lines = (document(_exported(trace), indent=None) for trace in client.traces.all() if _served(trace))
        if file == "-":
            for line in lines:
                click.echo(line)
            return
        number = _write(Path(file), lines)
    answer({"file": file, "traces": number}, lambda screen: screen.line(f"{counted(number, 'trace')} → {file}"))


def _served(trace: Trace) -> bool:
    return trace.state in {"active", "superseded"}


def _exported(trace: Trace) -> dict[str, Any]:
    content = trace.content.model_dump(mode="json", exclude_defaults=True)
    return {"trace_id": trace.trace_id, "visibility": trace.visibility, **content}


def _write(path: Path, lines: Iterable[str]) -> int:
    """Write a whole file or none; returns the number of lines."""
    part = path.with_name(f".{path.name}.{os.getpid()}.part")
    number = 0
    try:
        with part.open("w", encoding="utf-8", newline="\n") as out:
            for number, line in enumerate(lines, 1):  # noqa: B007 - the count is the answer
                out.write(f"{line}\n")
        part.replace(path)
    except OSError as error:
        raise unreadable(str(path), error) from error
    finally:
        part.unlink(missing_ok=True)
    return number
