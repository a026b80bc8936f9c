"""`trace verify`, `gc`, `purge`: whether a context is sound, what of it nothing needs, what is to leave no trace."""

import click

from commontrace.cli.command import FAILED
from commontrace.cli.contexts.command import REF, context_command, open_repository, slot_id
from commontrace.cli.output import Screen, agree, answer, counted, waiting
from commontrace.cli.reading import read_text
from commontrace.models.contexts import CollectResult, PurgeResult, VerifyResult


@context_command("verify")
@click.option("--full", is_flag=True, help="Make every window anew, not only some.")
@click.pass_context
def verify(context: click.Context, full: bool) -> None:
    """Check every byte, name and total that is stored; exit code 1 where something is not as it was written."""
    with open_repository() as repo, waiting("Checking every byte"):
        found = repo.verify(full=full)
    answer(found, lambda screen: _verified(screen, found))
    if not found.sound:
        context.exit(FAILED)


def _verified(screen: Screen, found: VerifyResult) -> None:
    looked = [
        counted(found.commits, "commit"),
        counted(found.blobs, "message"),
        counted(found.refs, "ref"),
        counted(found.operations, "operation"),
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
    with open_repository() as repo, waiting("Looking at every commit and message"):
        done = repo.gc(dry_run=dry_run, grace_days=grace_days)
    answer(done, lambda screen: _collected(screen, done, dry_run=dry_run))


def _collected(screen: Screen, done: CollectResult, *, dry_run: bool) -> None:
    said = f"{counted(done.commits, 'commit')} and {counted(done.blobs, 'message')}"
    screen.line((("would take out " if dry_run else "Took out "), "bold"), said, (f" · {done.bytes:,} bytes", "dim"))
    if done.kept_young:
        screen.line((f"{counted(done.kept_young, 'commit')} stay for being young alone", "dim"))
    size = done.size
    held = f"{counted(size.commits, 'commit')}, {counted(size.blobs, 'message')}, {size.bytes:,} bytes"
    screen.line(f"{held} ({size.bytes_per_message:,} a message); the whole store has {size.store_bytes:,}")


@context_command("purge")
@click.argument("text", required=False)
@click.option("--file", "text_file", metavar="FILE", help="TEXT from a file, or - for standard input.")
@click.option("--slot", metavar="SLOT", help="A message, with all that it ever said, instead of TEXT.")
@click.option("--blob", metavar="ID", help="What a blob holds, instead of TEXT.")
@click.option("--ref", type=REF, default="HEAD", show_default=True, help="Where the slot is looked for.")
@click.option("--reason", default="", help="What stands in its place.")
@click.option("--yes", is_flag=True, help="Do not ask.")
def purge(text: str | None, text_file: str | None, slot: str | None, yes: bool, **options: str | None) -> None:
    """Take TEXT out of every message, note and log entry, and out of the files. Undo does not bring it back.

    Ids stay, so that everything around it can still be verified. Your shell keeps a TEXT that you type: --file - reads
    it from standard input. Bundles and other stores keep it until it is purged there.
    """
    if text is not None and text_file is not None:
        raise click.UsageError("Give TEXT or --file, not both.")
    text = read_text(text_file).rstrip("\n") if text_file else text
    if not yes:
        agree("This cannot be undone. Take it out?", "Nothing was taken out.")
    with open_repository() as repo, waiting("Taking it out of every message, note and file"):
        named = slot_id(repo, slot) if slot else None
        done = repo.purge(text, slot=named, **{name: value for name, value in options.items() if value})
    answer(done, lambda screen: _purged(screen, done))


def _purged(screen: Screen, done: PurgeResult) -> None:
    said = f"{counted(len(done.blobs), 'message')}, words of {counted(len(done.commits), 'commit')}"
    screen.line(("Took out ", "bold"), said, f" and {counted(done.operations, 'operation')}")
    if not done.erased:
        screen.line(
            ("The files could not be written anew: purge one of these blobs again when others are done.", "yellow")
        )
    for place in done.left:
        screen.line((place, "yellow"))
