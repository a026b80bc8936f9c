"""`trace merge`, `resolve`: bringing histories together, and settling what they disagree on."""

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, Final, get_args

import click

from commontrace.cli.contexts.command import (
    REF,
    change_options,
    context_command,
    draw_change,
    draw_redactions,
    open_repository,
    short,
    tokens,
)
from commontrace.cli.contexts.conflicts import draw_conflicts
from commontrace.cli.output import Part, Screen, answer, counted
from commontrace.models.contexts import MergeMode, MergeResult, Resolution, Side, Strategy

if TYPE_CHECKING:
    from commontrace import ContextRepository

Named = tuple[str, str, str]
"""A slot, a register of it or nothing, and a side or other words."""

_VERBS: Final = {"fast_forward": "Fast-forward", "merged": "Merged"}
_SIDES: Final = get_args(Side)


def _parsed(_context: click.Context, _parameter: click.Parameter, values: Iterable[str]) -> list[Named]:
    """`SLOT=ours`, or `SLOT=` and another text; `SLOT:priority=theirs` names the register."""
    found: list[Named] = []
    for value in values:
        where, equals, said = value.partition("=")
        slot, _, register = where.partition(":")
        if not equals:
            raise click.BadParameter(f"{value!r} is not SLOT=ours, SLOT=theirs, SLOT=base or SLOT=TEXT.")
        found.append((slot.lower(), register, said))
    return found


def _resolutions(repo: "ContextRepository", given: list[Named]) -> list[Resolution]:
    found = []
    for slot, register, said in given:
        if said in _SIDES:
            chosen: dict[str, Any] = {"use": said}
        else:  # other words, said by whom the message is of
            window = repo.window(explain=True).explanation
            role = next((item.role for item in window if item.slot_id.startswith(slot)), "user")
            chosen = {"content": {"role": role, "content": said}}
        found.append(Resolution.of(slot=slot, register_name=register, **chosen))
    return found


@context_command("merge")
@click.argument("sources", type=REF, nargs=-1, required=True, metavar="SOURCE...")
@click.option("--mode", type=click.Choice(get_args(MergeMode)), default="merge", show_default=True)
@click.option(
    "--strategy",
    type=click.Choice(get_args(Strategy)),
    default="store",
    show_default=True,
    help="What becomes of conflicts: kept as values, or settled.",
)
@click.option("--commits", multiple=True, metavar="REF", help="With --mode inject: only these commits; repeat it.")
@click.option(
    "--resolve",
    "resolutions",
    multiple=True,
    metavar="SLOT=SIDE",
    callback=_parsed,
    help="Settle one conflict: ours, theirs, base, or another text; SLOT:priority=ours names the register.",
)
@click.option("--text", help="With --mode squash or facts: the summary.")
@click.option("--no-ff", is_flag=True, help="Make a commit even where the branch could go forward.")
@change_options
def merge(
    sources: tuple[str, ...],
    no_ff: bool,
    commits: tuple[str, ...],
    resolutions: list[Named],
    **options: Any,
) -> None:
    """Bring SOURCE (a branch, tag or commit; several make one merge) into the current branch.

    merge takes every message, squash a summary of theirs, inject chosen commits, facts what they established. What
    both sides said differently is kept as a conflict, the window shows ours, and `trace resolve` settles it.
    """
    with open_repository() as repo:
        settled = _resolutions(repo, resolutions)
        done = repo.merge(*sources, commits=list(commits), fast_forward=not no_ff, resolutions=settled, **options)
    answer(done, lambda screen: _merged(screen, done, " and ".join(sources), dry_run=options["dry_run"]))


def _merged(screen: Screen, done: MergeResult, source: str, *, dry_run: bool) -> None:
    if done.kind == "up_to_date":
        screen.line(f"{done.branch} has everything of {source} already.")
        return
    head: Part = ("Would be: " if dry_run else "", "bold")
    mode = "" if done.mode == "merge" else f" ({done.mode})"
    at: tuple[Part, ...] = (" ", short(done.commit_id)) if done.commit_id else ()
    about = f" · +{counted(done.added, 'message')} · {tokens(done.tokens)}"
    screen.line(head, f"{_VERBS[done.kind]} {source} into {done.branch}{mode}", *at, about)
    draw_redactions(screen, done)
    for said in done.contradictions:
        screen.line(("contradiction: ", "yellow"), said, indent=2)
    if done.conflicts:
        screen.line((f"{counted(len(done.conflicts), 'conflict')}, the window shows ours:", "bold red"))
        draw_conflicts(screen, done.conflicts)


@context_command("resolve")
@click.argument("resolutions", nargs=-1, callback=_parsed, metavar="[SLOT=SIDE]...")
@click.option("--strategy", type=click.Choice(["ours", "theirs"]), help="For every conflict that is not named.")
@change_options
def resolve(resolutions: list[Named], **options: Any) -> None:
    """Settle conflicts that a merge stored: SLOT=ours, SLOT=theirs, or SLOT= and another text."""
    if not resolutions and not options["strategy"]:
        raise click.UsageError("Name a conflict, as in 1a2b3c4d=theirs, or give --strategy.")
    with open_repository() as repo:
        done = repo.resolve(*_resolutions(repo, resolutions), **options)
        left = repo.status().conflicts
    answer(done, lambda screen: _resolved(screen, done, len(left), dry_run=options["dry_run"]))


def _resolved(screen: Screen, done: Any, left: int, *, dry_run: bool) -> None:
    draw_change(screen, done, f"Settled {counted(len(done.slots), 'message')}", dry_run=dry_run)
    if left and not dry_run:
        screen.line((f"{counted(left, 'conflict')} left; see trace status.", "yellow"))
