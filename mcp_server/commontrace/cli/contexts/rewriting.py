"""`trace rebase`, `cherry-pick`, `revert`, `reset`, `apply`: moving changes about."""

from typing import Any, get_args

import click

from commontrace.cli.contexts.command import (
    REF,
    change_options,
    context_command,
    draw_change,
    open_repository,
    short,
    tokens,
)
from commontrace.cli.contexts.diff import two_refs
from commontrace.cli.output import Part, Screen, answer, counted, joined
from commontrace.models.contexts import PickResult, PickStrategy, ResetResult

_strategy = click.option(
    "--strategy",
    type=click.Choice(get_args(PickStrategy)),
    default="store",
    show_default=True,
    help="Refuse what contradicts what stands here; or ours leaves that as it is, theirs takes the change.",
)


@context_command("cherry-pick")
@click.argument("commits", type=REF, nargs=-1, required=True, metavar="COMMIT | A..B ...")
@_strategy
@change_options
def cherry_pick(commits: tuple[str, ...], **options: Any) -> None:
    """Make the changes of commits, or of ranges, here too; each new commit names its origin."""
    with open_repository() as repo:
        done = repo.cherry_pick(*commits, **options)
    answer(done, lambda screen: _picked(screen, done, "Picked", dry_run=options["dry_run"]))


@context_command("revert")
@click.argument("commits", type=REF, nargs=-1, required=True, metavar="COMMIT | A..B ...")
@_strategy
@change_options
def revert(commits: tuple[str, ...], **options: Any) -> None:
    """Take the changes of commits back here, as commits of their own."""
    with open_repository() as repo:
        done = repo.revert(*commits, **options)
    answer(done, lambda screen: _picked(screen, done, "Reverted", dry_run=options["dry_run"]))


@context_command("rebase")
@click.argument("onto", type=REF)
@_strategy
@change_options
def rebase(onto: str, **options: Any) -> None:
    """Let the current branch go on from ONTO: its commits are made again there, its edits follow their messages."""
    with open_repository() as repo:
        done = repo.rebase(onto, **options)
    answer(done, lambda screen: _picked(screen, done, "Rebased", dry_run=options["dry_run"]))


def _picked(screen: Screen, done: PickResult, verb: str, *, dry_run: bool) -> None:
    skipped = f"{len(done.skipped)} brought nothing" if done.skipped else ""
    said = joined([f"{verb} {counted(len(done.commits), 'commit')}", skipped])
    window = f" · {counted(done.window_messages, 'message')}, {tokens(done.tokens)}"
    head: tuple[Part, ...] = (("would be: ", "bold"),) if dry_run else (f"[{done.branch} ", short(done.head), "] ")
    screen.line(*head, said, (window, "dim"))


@context_command("reset")
@click.argument("ref", type=REF)
@change_options
def reset(ref: str, **options: Any) -> None:
    """Let the current branch point to REF; undo takes it back. --json gives the messages that are gone."""
    with open_repository() as repo:
        done = repo.reset(ref, **options)
    answer(done, lambda screen: _reset(screen, done, dry_run=options["dry_run"]))


def _reset(screen: Screen, done: ResetResult, *, dry_run: bool) -> None:
    head: Part = ("would be: " if dry_run else "", "bold")
    gone = f" · {counted(len(done.messages), 'message')} no longer shown"
    screen.line(head, f"{done.branch} is at ", short(done.head), ", was at ", short(done.before), (gone, "dim"))


@context_command("apply")
@click.argument("refs", type=REF, nargs=-1, required=True, metavar="A B | A..B")
@_strategy
@change_options
def apply(refs: tuple[str, ...], **options: Any) -> None:
    """Make the change from the window at A to the one at B on the current one; HEAD..REF restores REF."""
    with open_repository() as repo:
        done = repo.apply(repo.diff(*two_refs(refs)), **options)
    answer(
        done,
        lambda screen: draw_change(
            screen, done, f"Changed {counted(len(done.slots), 'message')}", dry_run=options["dry_run"]
        ),
    )
