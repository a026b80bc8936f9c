"""`trace grep`, `blame`: what was ever said, and where what the window shows comes from."""

from typing import Any

import click

from commontrace.cli.contexts.command import REF, context_command, open_repository, short
from commontrace.cli.contexts.show import PRIORITIES, SLOT
from commontrace.cli.output import Part, Screen, answer, counted
from commontrace.models.contexts import Blamed, BlameResult, GrepHit, GrepPage, OriginStep


@context_command("grep")
@click.argument("pattern")
@click.argument("ref", type=REF, required=False)
@click.option("-E", "--regex", is_flag=True, help="PATTERN is an expression of RE2's.")
@click.option("-s", "--case-sensitive", is_flag=True, help="Small and capital letters are different.")
@click.option("-n", "--limit", type=click.IntRange(1, 1000), default=50, show_default=True, help="How many at most.")
@click.option("--after", default="", help="Go on behind a page: what it said at its end.")
@click.pass_context
def grep(context: click.Context, /, pattern: str, **options: Any) -> None:
    """Whatever was ever said and holds PATTERN: on every branch, or on the way to REF.

    Also what was edited, removed, skipped or summarised since. Exit code 1 where nothing is found.
    """
    with open_repository() as repo:
        page = repo.grep(pattern, **options)
    answer(page, lambda screen: _page(screen, page))
    if not page.hits:
        context.exit(1)


def _page(screen: Screen, page: GrepPage) -> None:
    for hit in page.hits:
        _hit(screen, hit)
    if page.next:
        screen.line((f"More: --after {page.next}", "dim"))


def _hit(screen: Screen, hit: GrepHit) -> None:
    more = f" (and {counted(hit.matches - 1, 'more line')})" if hit.matches > 1 else ""
    where: Part = (f"{hit.at}:{hit.position}", "green") if hit.shown else (f"not in {hit.at}: {hit.reason}", "red")
    screen.line(
        (hit.slot_id[:SLOT], "yellow"),
        " ",
        short(hit.commit_id),
        f" {hit.role}:{hit.line}  ",
        hit.excerpt,
        (more, "dim"),
    )
    others = [ref for ref in hit.refs if ref != hit.at]
    screen.line(where, (f"  ({', '.join(others)})" if others else "", "dim"), indent=2)


@context_command("blame")
@click.argument("ref", type=REF, default="HEAD")
@click.option("--grep", default="", metavar="WORDS", help="Only messages that hold these.")
@click.option("-E", "--regex", is_flag=True, help="WORDS are an expression of RE2's.")
@click.option("-s", "--case-sensitive", is_flag=True, help="Small and capital letters are different.")
@click.pass_context
def blame(context: click.Context, /, ref: str, **options: Any) -> None:
    """Where each message of the window at REF comes from: commit, edits, summary, merge or cherry-pick.

    Exit code 1 where no message holds WORDS.
    """
    with open_repository() as repo:
        found = repo.blame(ref, **options)
    answer(found, lambda screen: _blame(screen, found))
    if options["grep"] and not found.messages:
        context.exit(1)


def _blame(screen: Screen, found: BlameResult) -> None:
    for message in found.messages:
        _blamed(screen, message)


def _blamed(screen: Screen, message: Blamed) -> None:
    priority = f"  {message.priority}" if message.priority != "normal" else ""
    screen.line(
        (f"{message.position:>3} ", "dim"),
        (message.slot_id[:SLOT], "yellow"),
        f" {message.role}: {message.excerpt}",
        (priority, PRIORITIES[message.priority]),
    )
    if message.covers:
        screen.line((f"stands for {counted(len(message.covers), 'message')}", "dim"), indent=4)
    for step in message.origin:
        screen.line(*_step(step), indent=4)


def _step(step: OriginStep) -> tuple[Part, ...]:
    by = step.agent or step.author_name or step.author[:SLOT]
    picked = f", picked from {step.picked_from[:10]}" if step.picked_from else ""
    return (
        (f"{step.kind:<8} ", "bold"),
        short(step.commit_id),
        f" {step.message}",
        (f" · {by}, {step.created_at:%Y-%m-%d %H:%M}{picked}", "dim"),
    )
