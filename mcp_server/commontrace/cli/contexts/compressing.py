"""`trace compress`, `expand`, `plan`: summaries that stand for messages, and fitting a budget."""

from typing import Any, Final

import click

from commontrace.cli.contexts.command import (
    change_options,
    context_command,
    delta,
    draw_change,
    open_repository,
    selection,
    slot_ids,
)
from commontrace.cli.contexts.show import SLOT
from commontrace.cli.output import Part, Screen, answer, counted
from commontrace.cli.reading import read_text
from commontrace.models.contexts import BudgetPlan, CompressResult, LossReport, PlanResult

_RISKS: Final = {"low": "green", "medium": "yellow", "high": "red"}
_CELLS: Final = 10


@context_command("compress")
@selection
@click.option(
    "--keep-newest", type=click.IntRange(0), default=10, show_default=True, help="Groups at the end that stay."
)
@click.option("--text", help="The summary, in your words; without it what the offline summarizer keeps.")
@click.option("--text-file", metavar="FILE", help="The summary from a file, or - for standard input.")
@click.option("--target", "target_tokens", type=click.IntRange(1), help="The most tokens it may have.")
@click.option("--keep", multiple=True, metavar="PATTERN", help="What it must say: a text, or /a pattern/; repeat it.")
@click.option("--force", is_flag=True, help="Take a summary that is longer than what it covers.")
@change_options
def compress(
    slots: tuple[str, ...], text: str | None, text_file: str | None, keep: tuple[str, ...], **options: Any
) -> None:
    """Let a summary stand for messages: SLOTs, those that --select finds, or all but the newest.

    Pinned messages and what instructs the model stay as they are. Nothing is lost: expand brings it back.
    """
    if text is not None and text_file is not None:
        raise click.UsageError("Give --text or --text-file, not both.")
    said = read_text(text_file).strip() if text_file else text
    with open_repository() as repo:
        done = repo.compress(slots=slot_ids(repo, slots), text=said, keep=list(keep), **options)
    answer(done, lambda screen: _compressed(screen, done, dry_run=options["dry_run"]))


def _compressed(screen: Screen, done: CompressResult, *, dry_run: bool) -> None:
    about = f"{counted(len(done.covered), 'message')}, {done.covered_tokens:,} → {done.summary_tokens:,} tokens"
    draw_change(screen, done, f"Summarised {about}", dry_run=dry_run)
    if done.loss is None:
        return
    if dry_run:
        screen.quote(done.text, "summary")
    draw_loss(screen, done.loss)
    if done.summary_slot and not dry_run:
        screen.line((f"Take it back: trace expand {done.summary_slot[:SLOT]}", "dim"))


def draw_loss(screen: Screen, loss: LossReport) -> None:
    """What of each kind a summary kept, as a bar, with what it lost."""
    rows: list[tuple[Part, ...]] = []
    for name in type(loss).model_fields:
        part = getattr(loss, name)
        if part.total:
            kept = part.total - part.lost
            full = int(part.share_kept * _CELLS)
            style = "green" if not part.lost else "yellow" if full * 2 >= _CELLS else "red"
            lost: Part = (f"lost: {', '.join(part.examples[:6])}", "dim") if part.lost else ("all kept", "dim")
            rows.append((name, (f"{'█' * full}{'░' * (_CELLS - full)}", style), f"{kept}/{part.total}".rjust(7), lost))
    screen.table(rows, indent=2, fit=True)


@context_command("expand")
@selection
@click.option("--only", multiple=True, metavar="SLOT", help="Bring back only these of what it stands for; repeat it.")
@change_options
def expand(slots: tuple[str, ...], only: tuple[str, ...], **options: Any) -> None:
    """Let summaries give way to what they stand for, or with --only to some of it."""
    with open_repository() as repo:
        done = repo.expand(*slot_ids(repo, slots), only=[slot.lower() for slot in only], **options)
    said = f"Expanded {counted(len(done.slots), 'summary', 'summaries')}"
    answer(done, lambda screen: draw_change(screen, done, said, dry_run=options["dry_run"]))


@context_command("plan")
@click.argument("budget", type=click.IntRange(1))
@click.option("--apply", "carry_out", is_flag=True, help="Do it, as one commit that undo takes back.")
@click.option(
    "--keep-newest", type=click.IntRange(0), default=4, show_default=True, help="Groups at the end that stay."
)
@change_options
def plan(budget: int, carry_out: bool, **options: Any) -> None:
    """What would make the window fit BUDGET tokens: the cheapest set of actions, with what each risks and re-bills."""
    with open_repository() as repo:
        found = repo.plan(budget, apply=carry_out, **options)
    answer(found, lambda screen: _plan(screen, found, budget, dry_run=options["dry_run"]))


def _plan(screen: Screen, found: PlanResult, budget: int, *, dry_run: bool) -> None:
    plan = found.plan
    if not plan.actions:
        screen.line(f"Nothing to do: the window has {plan.tokens_before:,} of {budget:,} tokens.")
        return
    _actions(screen, plan)
    if found.applied:
        draw_change(screen, found.applied, f"Carried out {counted(len(plan.actions), 'action')}", dry_run=dry_run)
    else:
        screen.line((f"Do it: trace plan {budget} --apply", "dim"))


def _actions(screen: Screen, plan: BudgetPlan) -> None:
    rows: list[tuple[Part, ...]] = [
        tuple((name, "bold") for name in ("action", "messages", "   saves", "re-bills", "risk", "why"))
    ]
    rows += [
        (
            action.action,
            _places(action.positions),
            (f"{action.tokens_saved:,}".rjust(8), "green"),
            f"{action.rebilled:,}".rjust(8),
            (action.risk, _RISKS[action.risk]),
            (action.reason, "dim"),
        )
        for action in plan.actions
    ]
    screen.table(rows, fit=True)
    screen.line(
        f"{plan.tokens_before:,} → {plan.tokens_after:,} of {plan.budget:,} tokens ",
        delta(plan.tokens_after - plan.tokens_before),
        (f" · re-bills {plan.rebilled:,} tokens once", "dim"),
    )


def _places(positions: list[int]) -> str:
    """`3`, `3..7` for a run, or how many."""
    if len(positions) == 1:
        return str(positions[0])
    run = positions[-1] - positions[0] == len(positions) - 1
    return f"{positions[0]}..{positions[-1]}" if run else f"{len(positions)} in {positions[0]}..{positions[-1]}"
