<<<<<<< HEAD
"""`trace verify`, `gc`, `purge`: whether everything is sound, what nothing needs, what is to leave no trace."""

from typing import Any

import click

from commontrace.cli.contexts.command import REF, context_command, open_repository
from commontrace.cli.output import Screen, answer, counted, note
from commontrace.cli.reading import read_text
from commontrace.cli.state import state
from commontrace.models.contexts import CollectResult, PurgeResult, VerifyResult

_UNITS = ("bytes", "kB", "MB", "GB", "TB")
_STEP = 1000


@context_command("verify")
@click.option("--full", is_flag=True, help="Make every window anew and compare its totals, not only some.")
@click.pass_context
def verify(context: click.Context, full: bool) -> None:
    """Check every byte, name and total that is stored. Exit code 1 if anything is not as it was written."""
=======
"""`trace verify`, `gc`, `purge`: whether a context is sound, what of it nothing needs, what is to leave no trace."""

import click

from commontrace.cli.command import FAILED
from commontrace.cli.contexts.command import REF, context_command, open_repository, slot_id
from commontrace.cli.output import Screen, answer, counted
from commontrace.models.contexts import CollectResult, PurgeResult, VerifyResult


@context_command("verify")
@click.option("--full", is_flag=True, help="Make every window anew, not only some.")
@click.pass_context
def verify(context: click.Context, full: bool) -> None:
    """Check every byte, name and total that is stored; exit code 1 where something is not as it was written."""
>>>>>>> main
    with open_repository() as repo:
        found = repo.verify(full=full)
    answer(found, lambda screen: _verified(screen, found))
    if not found.sound:
<<<<<<< HEAD
        context.exit(1)


def _verified(screen: Screen, found: VerifyResult) -> None:
    for problem in found.problems:
        screen.line((f"{problem.kind} ", "bold red"), (problem.name[:12], "yellow"), f"  {problem.detail}")
        screen.line((problem.hint, "dim"), indent=2)
    said = [
=======
        context.exit(FAILED)


def _verified(screen: Screen, found: VerifyResult) -> None:
    looked = [
>>>>>>> main
        counted(found.commits, "commit"),
        counted(found.blobs, "message"),
        counted(found.refs, "ref"),
        counted(found.operations, "operation"),
<<<<<<< HEAD
        counted(found.calls, "call"),
        f"{counted(found.windows, 'window')} made anew",
    ]
    purged = f"; {counted(found.purged, 'object')} purged, as noted" if found.purged else ""
    mark = ("sound: ", "bold green") if found.sound else (f"{counted(len(found.problems), 'problem')} in ", "bold red")
    screen.line(mark, ", ".join(said), purged)


@context_command("gc")
@click.option("-n", "--dry-run", is_flag=True, help="Say what would go; change nothing.")
@click.option(
    "--grace", "grace_days", type=click.FloatRange(0, 36_500), default=30, show_default=True, help="Days that stay."
)
def collect(dry_run: bool, grace_days: float) -> None:
    """Take out commits and messages that nothing needs, and give their space back.

    Needed is what leads to a branch, tag or recorded call, what the operation log of the days of grace names, and what
    is younger. An undo that would bring back what was collected is refused.
    """
    with open_repository() as repo:
        if not dry_run:
            plan = repo.gc(dry_run=True, grace_days=grace_days)
            note(f"Taking out {counted(plan.commits, 'commit')} and {counted(plan.blobs, 'message')} …")
=======
        f"{counted(found.windows, 'window')} made anew",
    ]
    screen.line(("sound", "bold green") if found.sound else ("damaged", "bold red"), f": {', '.join(looked)}")
    for problem in found.problems:
        screen.line((f"{problem.kind} {problem.name[:16]}", "red"), f": {problem.detail}", (f" {problem.hint}", "dim"))


@context_command("gc")
@click.option("--dry-run", is_flag=True, help="Say what would go; change nothing.")
@click.option("--grace-days", type=click.FloatRange(0), default=30, show_default=True, help="What is younger stays.")
def gc(dry_run: bool, grace_days: float) -> None:
    """Take out commits and messages that nothing needs: no ref, no operation to undo, no summary, no call."""
    with open_repository() as repo:
>>>>>>> main
        done = repo.gc(dry_run=dry_run, grace_days=grace_days)
    answer(done, lambda screen: _collected(screen, done, dry_run=dry_run))


def _collected(screen: Screen, done: CollectResult, *, dry_run: bool) -> None:
<<<<<<< HEAD
    what = f"{counted(done.commits, 'commit')} and {counted(done.blobs, 'message')}, {_size(done.bytes)}"
    screen.line(("would take out " if dry_run else "took out ", "bold"), what)
    if done.kept_young:
        screen.line((f"{counted(done.kept_young, 'commit')} kept only for being young", "dim"))
    size = done.size
    screen.line(
        f"{counted(size.commits, 'commit')}, {counted(size.blobs, 'message')}, {_size(size.bytes)}"
        f" ({size.bytes_per_message:g} bytes a message); the whole store {_size(size.store_bytes)}"
    )


def _size(count: float) -> str:
    unit = 0
    while count >= _STEP and unit < len(_UNITS) - 1:
        count, unit = count / _STEP, unit + 1
    return f"{count:.1f} {_UNITS[unit]}" if unit else f"{count:.0f} {_UNITS[0]}"
=======
    said = f"{counted(done.commits, 'commit')} and {counted(done.blobs, 'message')}"
    screen.line((("would take out " if dry_run else "Took out "), "bold"), said, (f" · {done.bytes:,} bytes", "dim"))
>>>>>>> main


@context_command("purge")
@click.argument("text", required=False)
<<<<<<< HEAD
@click.option("--file", "text_file", metavar="FILE", help="The text from a file, or - for standard input.")
@click.option("--slot", help="A message, with all that it ever said, instead of a text.")
@click.option("--blob", help="What a blob holds, instead of a text.")
@click.option("--ref", type=REF, default="HEAD", help="Where the slot is looked for.")
@click.option("--reason", default="", help="What stands in its place.")
@click.option("--yes", is_flag=True, help="Do not ask.")
@click.pass_context
def purge(context: click.Context, /, text: str | None, text_file: str | None, yes: bool, **options: Any) -> None:
    """Take a text out of every message, note and log entry, and out of the files; nothing brings it back.

    Ids and order stay, so that windows and everything built on them stay valid. A TEXT on the command line is kept by
    your shell: --file - reads it from standard input. Elsewhere (bundles, other stores) it stays until purged there.
    """
    if text is not None and text_file is not None:
        raise click.UsageError("Give TEXT or --file, not both.")
    if state().json and not yes:
        raise click.UsageError("With --json there is nobody to ask: pass --yes.")
    wanted = read_text(text_file).rstrip("\n") if text_file else text
    if not yes and not click.confirm("Take it out for good?", err=True):
        note("Nothing was purged.")
        context.exit(1)
    with open_repository() as repo:
        done = repo.purge(wanted, **options)
=======
@click.option("--slot", metavar="SLOT", help="A message, with all that it ever said, instead of TEXT.")
@click.option("--blob", metavar="ID", help="What a blob holds, instead of TEXT.")
@click.option("--ref", type=REF, default="HEAD", show_default=True, help="Where the slot is looked for.")
@click.option("--reason", default="", help="What stands in its place.")
@click.option("--yes", is_flag=True, help="Do not ask.")
def purge(text: str | None, slot: str | None, yes: bool, **options: str | None) -> None:
    """Take TEXT out of every message, note and log entry, and out of the files. Undo does not bring it back.

    Ids stay, so that everything around it can still be verified.
    """
    if not yes:
        click.confirm("This cannot be undone. Take it out?", abort=True, err=True)
    with open_repository() as repo:
        named = slot_id(repo, slot) if slot else None
        done = repo.purge(text, slot=named, **{name: value for name, value in options.items() if value})
>>>>>>> main
    answer(done, lambda screen: _purged(screen, done))


def _purged(screen: Screen, done: PurgeResult) -> None:
<<<<<<< HEAD
    screen.line(
        ("purged ", "bold"),
        f"{counted(len(done.blobs), 'message')}, words of {counted(len(done.commits), 'commit')}",
        f" and {counted(done.operations, 'log entry', 'log entries')}",
    )
    if not done.erased:
        screen.line(("The files still hold it: others read them. Purge one of these blobs again later.", "yellow"))
    for left in done.left:
        screen.line((left, "yellow"))
=======
    said = f"{counted(len(done.blobs), 'message')}, words of {counted(len(done.commits), 'commit')}"
    screen.line(("Took out ", "bold"), said, f" and {counted(done.operations, 'operation')}")
    if not done.erased:
        screen.line(("The files could not be written anew: purge again when others are done.", "yellow"))
    for place in done.left:
        screen.line((place, "yellow"))
>>>>>>> main
