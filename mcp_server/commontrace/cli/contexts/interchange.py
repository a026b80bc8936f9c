"""`trace import`, `export`, `resume`: whole histories in and out."""

import sys
from pathlib import Path
from typing import Final, get_args
from uuid import uuid4

import click

from commontrace.cli.contexts.command import context_command, repository, short
from commontrace.cli.output import Screen, answer, counted
from commontrace.cli.reading import unreadable
from commontrace.cli.state import open_client
from commontrace.homes import claude_folder
from commontrace.models.contexts import BundleResult, ExportFormat, TranscriptFormat, TranscriptResult
from commontrace.transcripts.claude_session import project_folder

_BUNDLE: Final = b'{"commontrace_bundle":'


@context_command("import")
@click.argument("file")
@click.option(
    "--format",
    "shape",
    type=click.Choice(get_args(TranscriptFormat)),
    default="auto",
    show_default=True,
    help="What wrote a transcript.",
)
@click.option("--prefix", default="", help="In front of the names that a bundle brings, as in theirs/main.")
def import_(file: str, shape: TranscriptFormat, prefix: str) -> None:
    """Bring in FILE (- for standard input): a session of Claude Code or Codex, messages, an account's export, a bundle.

    A transcript becomes one commit a turn, with a branch for each fork and each sub-agent; secrets are taken out before
    anything is stored. Importing a file again adds only what is new.
    """
    content = _read(file)
    with open_client() as client:
        repo = client.contexts.open(repository())
        if content.startswith(_BUNDLE):
            brought = repo.import_bundle(content, prefix=prefix)
            answer(brought, lambda screen: _bundle(screen, brought))
            return
        source = content.decode("utf-8-sig", "replace").split("\n") if file == "-" else file
        told = repo.import_transcript(source, shape)
    answer(told, lambda screen: _transcript(screen, told))


def _read(file: str) -> bytes:
    try:
        return sys.stdin.buffer.read() if file == "-" else Path(file).read_bytes()
    except OSError as error:
        raise unreadable(file, error) from error


def _bundle(screen: Screen, brought: BundleResult) -> None:
    screen.line((counted(brought.commits, "commit"), "bold"), f" and {counted(brought.blobs, 'message')} are new here")
    for moved in brought.refs:
        screen.line(
            f"  {moved.ref.partition('/')[2]} ",
            short(moved.before) if moved.before else "new",
            " → ",
            short(moved.after),
        )


def _transcript(screen: Screen, told: TranscriptResult) -> None:
    screen.line(
        (counted(told.commits, "commit"), "bold"), f" with {counted(told.messages, 'message')} of {told.format}"
    )
    for branch in told.branches:
        screen.line("  ", (branch, "green"))
    if told.redactions:
        said = ", ".join(f"{count} × {kind}" for kind, count in sorted(told.redactions.items()))
        screen.line((f"Taken out: {said}", "yellow"))
    for problem in told.problems:
        screen.line((problem, "red"))
    if told.left_out:
        screen.line((f"Left out: {counted(sum(told.left_out.values()), 'line')} that hold no message", "dim"))


@context_command("export")
@click.argument("ref", required=False)
@click.option(
    "--format",
    "shape",
    type=click.Choice(get_args(ExportFormat)),
    default="bundle",
    show_default=True,
    help="A window as JSON, as a line for fine-tuning or as a session; or the history as a bundle.",
)
@click.option("-o", "--output", metavar="FILE", help="Where to; standard output unless you say.")
def export(ref: str | None, shape: ExportFormat, output: str | None) -> None:
    """Write the window at REF (HEAD, unless you say), or a bundle of REF (every branch and tag, unless you say).

    `import` reads a bundle back, here or elsewhere, with the same ids.
    """
    with open_client() as client:
        text = client.contexts.open(repository()).export(shape, ref)
    if output is None:
        click.echo(text, nl=False)
        return
    _write(Path(output), text)
    answer({"file": output, "format": shape}, lambda screen: screen.line(f"{shape} → {output}"))


def _write(path: Path, text: str) -> None:
    """Write a whole file or none; only its owner may read it."""
    part = path.with_name(f".{path.name}.part")
    try:
        part.touch(mode=0o600)
        part.write_text(text, encoding="utf-8", newline="\n")
        part.replace(path)
    except OSError as error:
        raise unreadable(str(path), error) from error
    finally:
        part.unlink(missing_ok=True)


@context_command("resume")
@click.argument("ref", default="HEAD")
@click.option(
    "--claude-dir",
    type=click.Path(path_type=Path),
    help="Where Claude Code keeps its sessions. Default: CLAUDE_CONFIG_DIR, else .claude in your home.",
)
def resume(ref: str, claude_dir: Path | None) -> None:
    """Write the window at REF as a session of Claude Code in this folder; `claude --resume` goes on from there.

    REF may be of any branch. Each call makes a session of its own: what was said since is never overwritten.
    """
    folder = Path.cwd()
    with open_client() as client:
        session = client.contexts.open(repository()).session(ref, folder=folder, session_id=str(uuid4()))
    path = (claude_dir or claude_folder()) / "projects" / project_folder(str(folder))
    path.mkdir(parents=True, exist_ok=True)
    file = path / f"{session.session_id}.jsonl"
    _write(file, session.text)
    said = {"session_id": session.session_id, "commit_id": session.commit_id, "file": str(file)}
    answer(said, lambda screen: screen.line(f"claude --resume {session.session_id}"))
