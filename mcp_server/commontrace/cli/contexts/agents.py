"""`trace spawn`, `collapse`: contexts of sub-agents, and what comes back of them."""

from typing import Any, get_args

import click

from commontrace.cli.contexts.command import (
    REF,
    change_options,
    context_command,
    draw_change,
    open_repository,
    selection,
    short,
    slot_ids,
    tokens,
)
from commontrace.cli.contexts.conflicts import draw_conflicts
from commontrace.cli.contexts.show import SLOT
from commontrace.cli.output import Part, Screen, answer, counted
from commontrace.models.contexts import CollapseResult, SpawnMode, SpawnResult


@context_command("spawn")
@click.argument("name")
@selection
@click.option("--mode", type=click.Choice(get_args(SpawnMode)), default="clone", show_default=True)
@change_options
def spawn(name: str, slots: tuple[str, ...], **options: Any) -> None:
    """Make a branch NAME for a sub-agent; you stay where you are.

    clone takes the whole history, head the window without it, selected the messages that you name, clean nothing.
    """
    with open_repository() as repo:
        made = repo.spawn(name, slots=slot_ids(repo, slots), **options)
    answer(made, lambda screen: _spawned(screen, made))


def _spawned(screen: Screen, made: SpawnResult) -> None:
    head: tuple[Part, ...] = ("Spawned ",) if made.commit_id else (("would be: ", "bold"),)
    window = f" · {counted(made.window_messages, 'message')}, {tokens(made.tokens)}"
    screen.line(
        *head, f"{made.branch} ({made.mode}) ", short(made.commit_id), " from ", short(made.spawned_from), window
    )


@context_command("collapse")
@click.argument("source", type=REF)
@click.option("--text", help="What came of it, in your words; without it what the offline summarizer keeps.")
@change_options
def collapse(source: str, text: str | None, **options: Any) -> None:
    """Bring the work of the sub-agent on SOURCE home as one summary; expand shows what it stands for."""
    with open_repository() as repo:
        done = repo.collapse(source, text, **options)
    answer(done, lambda screen: _collapsed(screen, done, dry_run=options["dry_run"]))


def _collapsed(screen: Screen, done: CollapseResult, *, dry_run: bool) -> None:
    about = f"{counted(len(done.covered), 'message')}, {done.covered_tokens:,} → {done.summary_tokens:,} tokens"
    draw_change(screen, done, f"Collapsed {done.source}: {about}", dry_run=dry_run)
    if done.summary_slot and not dry_run:
        screen.line((f"See it whole: trace expand {done.summary_slot[:SLOT]}", "dim"))
    draw_conflicts(screen, done.conflicts)
