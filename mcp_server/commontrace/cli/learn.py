"""`commontrace learn`: traces out of past transcripts, looked at before they are stored."""

import time
from itertools import accumulate
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from commontrace.cli.command import command
from commontrace.cli.drawing import draw_content
from commontrace.cli.output import Screen, answer, counted, note, single_line
from commontrace.cli.state import open_client, state
from commontrace.errors import CommonTraceError, LowQualityError, NearDuplicateError
from commontrace.hooks.learning import Finding, draft, findings_of, kept_transcripts, reworded
from commontrace.hooks.notes import Notes
from commontrace.hooks.surroundings import hooks_folder
from commontrace.models.traces import Contribution

if TYPE_CHECKING:
    from commontrace import Client

_DAY = 86_400
_LOOKED_AT = 20_000_000
_TITLE = "Title: "


@command("learn")
@click.argument("paths", nargs=-1, type=click.Path(exists=True, path_type=Path))
@click.option("--since", type=click.FloatRange(0), metavar="DAYS", help="Only transcripts that were written since.")
@click.option("--yes", is_flag=True, help="Store every finding without asking.")
@click.option("--dry-run", is_flag=True, help="Show what was found; store nothing and ask nothing.")
def learn(paths: tuple[Path, ...], since: float | None, *, yes: bool, dry_run: bool) -> None:
    """Find commands that failed and passed later in past transcripts, and keep what was done as private traces.

    PATHS are sessions of Claude Code or Codex, or folders of them; without, those that both keep of yours. Transcripts
    are read here and secrets taken out; each finding is shown before it goes into your store: approve, edit or skip.
    What was decided on is not shown again.
    """
    if state().json and not (yes or dry_run):
        raise click.UsageError("With --json there is nobody to ask: pass --yes, or --dry-run to look first.")
    notes = Notes(hooks_folder())
    files = _files(paths, since)
    decided = notes.learned()
    found = [one for one in findings_of(files) if one.key not in decided]
    told: dict[str, Any] = {"transcripts": len(files), "findings": [_row(one) for one in found], "stored": []}
    if dry_run or not found:
        answer(told, lambda screen: _table(screen, found, len(files)))
        return
    with open_client() as client:
        if not yes:
            _table(Screen(), found, len(files))
        told["stored"] = [stored for one in found if (stored := _decide(client, notes, one, yes=yes))]
    answer(told, lambda screen: screen.line((counted(len(told["stored"]), "private trace"), "bold"), " stored"))


def _files(paths: tuple[Path, ...], since: float | None) -> list[Path]:
    given = [file for path in paths for file in (sorted(path.rglob("*.jsonl")) if path.is_dir() else [path])]
    files = given if paths else kept_transcripts()
    return [file for file in files if since is None or file.stat().st_mtime >= time.time() - since * _DAY]


def _row(finding: Finding) -> dict[str, Any]:
    failure = finding.solved.failure
    return {
        "error": failure.error,
        "command": failure.command,
        "failed": failure.times,
        "steps": failure.steps,
        "day": finding.day,
        "agent": finding.agent,
    }


def _table(screen: Screen, found: list[Finding], files: int) -> None:
    screen.line((counted(len(found), "finding"), "bold"), f" in {counted(files, 'transcript')}")
    rows = [(one.day, f"{one.solved.failure.times}×", (one.solved.failure.error, "bold")) for one in found]
    screen.table(rows, indent=2, fit=True)


def _decide(client: "Client", notes: Notes, finding: Finding, *, yes: bool) -> str:
    """Store a finding that is wanted; returns the id of its trace, or nothing."""
    contribution = draft(finding) if yes else _approved(client, draft(finding))
    stored = _stored(client, contribution) if contribution else ""
    notes.keep_learned(finding.key)
    return stored


def _stored(client: "Client", contribution: Contribution) -> str:
    try:
        return client.traces.contribute(contribution).trace_id or ""
    except (NearDuplicateError, LowQualityError) as error:
        note(("not stored: ", "yellow"), single_line(str(error)))
        return ""


def _approved(client: "Client", contribution: Contribution) -> Contribution | None:
    """Show what would be stored, and ask; None for what is not wanted."""
    screen = Screen()
    while True:
        try:
            preview = client.traces.contribute(contribution.model_copy(update={"dry_run": True, "insist": True}))
        except CommonTraceError as error:
            note(("skipped: ", "yellow"), single_line(str(error)))
            return None
        screen.line()
        screen.line((preview.content.title, "bold"))
        draw_content(screen, preview.content, indent=2)
        choice = click.prompt("Keep it?", type=click.Choice(["approve", "edit", "skip"]), default="skip", err=True)
        if choice != "edit":
            return contribution if choice == "approve" else None
        text = click.edit(f"{_TITLE}{contribution.title}\n\n{contribution.solution}\n") or ""
        title, _, solution = text.partition("\n")
        if title.startswith(_TITLE) and solution.strip():
            contribution = reworded(contribution, title.removeprefix(_TITLE).strip(), solution.strip())


def found_lately() -> int:
    """How many findings the newest 20 MB of transcripts hold that nobody decided on yet."""
    files = kept_transcripts()
    sizes = accumulate(file.stat().st_size for file in files)
    newest = [file for file, size in zip(files, sizes, strict=True) if size <= _LOOKED_AT]
    decided = Notes(hooks_folder()).learned()
    return len([one for one in findings_of(newest) if one.key not in decided])
