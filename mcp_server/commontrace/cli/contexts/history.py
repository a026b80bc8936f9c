"""`trace log`, `show`, `diff`, `status`: looking."""

from collections.abc import Iterable
from typing import TypedDict, Unpack, get_args

import click

from commontrace.cli.contexts.command import context_command, repository, short, tokens
from commontrace.cli.output import Screen, answer, counted, document, joined
from commontrace.cli.state import open_client, state
from commontrace.models.contexts import (
    CommitInfo,
    ContextDiff,
    ContextStatus,
    LogPage,
    Window,
    WindowFormat,
    WindowStrategy,
)


@context_command("log")
@click.argument("ref", default="HEAD")
@click.option("--oneline", is_flag=True, help="One line a commit.")
@click.option("-n", "--limit", type=click.IntRange(1, 1000), default=50, show_default=True, help="How many at most.")
@click.option("--grep", default="", help="Only commits whose words contain this.")
def log(ref: str, oneline: bool, limit: int, grep: str) -> None:
    """Commits from REF backwards, newest first."""
    with open_client() as client:
        page = client.contexts.open(repository()).log(ref, limit=limit, grep=grep)
        head = "" if state().json else client.contexts.open(repository()).status().branch
    answer(page, lambda screen: _log(screen, page, head=head, oneline=oneline))


def _log(screen: Screen, page: LogPage, *, head: str, oneline: bool) -> None:
    for commit in page.commits:
        (_line if oneline else _entry)(screen, commit, head)
    if page.next_ref:
        screen.line((f"More: trace log {page.older}", "dim"))
    if not page.commits:
        screen.line("No such commits.")


def _refs(commit: CommitInfo, head: str) -> str:
    names = [f"HEAD → {name}" if name == head else name for name in commit.refs]
    return f" ({', '.join(sorted(names, key=lambda name: not name.startswith('HEAD')))})" if names else ""


def _line(screen: Screen, commit: CommitInfo, head: str) -> None:
    about = f"  +{commit.messages}, {commit.tokens:,} tokens"
    screen.line(short(commit.commit_id), (_refs(commit, head), "bold green"), f" {commit.message}", (about, "dim"))


def _entry(screen: Screen, commit: CommitInfo, head: str) -> None:
    screen.line((f"commit {commit.commit_id}", "yellow"), (_refs(commit, head), "bold green"))
    if len(commit.parents) > 1:
        screen.line(f"Merge:  {' '.join(parent[:10] for parent in commit.parents)}")
    screen.line(f"Author: {joined([commit.author, commit.agent], ', ')}")
    screen.line(f"Date:   {commit.created_at:%Y-%m-%d %H:%M:%S %z}")
    for trace in commit.traces:
        screen.line(f"Trace:  {trace}")
    screen.line()
    screen.block(commit.message or "(no message)", indent=4)
    screen.line((f"+{counted(commit.messages, 'message')}, {commit.tokens:,} tokens in the window", "dim"), indent=4)
    screen.line()


class ShowOptions(TypedDict):
    """What showing a window can be told."""

    budget: int | None
    reserve: int
    strategy: WindowStrategy
    format: WindowFormat
    explain: bool


@context_command("show")
@click.argument("ref", default="HEAD")
@click.option("--budget", type=click.IntRange(1, 10_000_000), help="The most tokens it may have, answer included.")
@click.option("--reserve", type=click.IntRange(0), default=0, help="Tokens of those that are left for the answer.")
@click.option(
    "--strategy",
    type=click.Choice(get_args(WindowStrategy)),
    default="recent",
    show_default=True,
    help="What a budget does: refuse, leave out the oldest, or show older messages shortened or as a line.",
)
@click.option("--format", type=click.Choice(get_args(WindowFormat)), default="text", show_default=True)
@click.option("--explain", is_flag=True, help="Say of each message why it is in or out.")
def show(ref: str, **options: Unpack[ShowOptions]) -> None:
    """The window at REF: as text, or as the messages that a provider takes."""
    with open_client() as client:
        window = client.contexts.open(repository()).window(ref, **options)
    answer(window, lambda screen: _window(screen, window))


def _window(screen: Screen, window: Window) -> None:
    if window.messages is None:
        screen.block(window.text or "")
    else:
        shaped = {"system": window.system} if window.system else {}
        click.echo(document({**shaped, "messages": window.messages}))
    for item in window.explanation:
        mark = ("in ", "green") if item.included else ("out", "red")
        about = f"  {item.role:<9} {item.tokens:>7,}  {item.reason}"
        screen.line(mark, "  ", short(item.commit_id), about)
    if window.left_out and not window.explanation:
        left = f"{counted(window.left_out, 'message')} left out, {counted(window.included, 'message')} fit"
        Screen(stderr=True).line((f"{left} in {tokens(window.tokens)}; --explain says why.", "dim"))


@context_command("diff")
@click.argument("refs", nargs=-1, required=True, metavar="A [B] | A..B")
def diff(refs: tuple[str, ...]) -> None:
    """What has to change in the window at A to get the one at B (HEAD, unless you say)."""
    a, b = _two(refs)
    with open_client() as client:
        found = client.contexts.open(repository()).diff(a, b)
    answer(found, lambda screen: _diff(screen, found))


def _two(refs: Iterable[str]) -> tuple[str, str]:
    given = list(refs)
    if len(given) == 1:
        a, _, b = given[0].partition("..")
        return a or "HEAD", b or "HEAD"
    if len(given) > 2:  # noqa: PLR2004 - a window before and a window after
        raise click.UsageError("Give two refs, as A B or A..B.")
    return given[0], given[1]


def _diff(screen: Screen, found: ContextDiff) -> None:
    screen.line((f"--- {found.a}", "bold"))
    screen.line((f"+++ {found.b}", "bold"))
    for change in found.changes:
        sign, style = ("+", "green") if change.change == "added" else ("-", "red")
        for number, line in enumerate(change.text.split("\n") or [""]):
            screen.line((f"{sign} {f'{change.role}: ' if number == 0 else '  '}{line}", style))
    screen.line((f"{found.token_delta:+,} tokens" if found.changes else "The same window.", "dim"))


@context_command("status")
def status() -> None:
    """Where writing goes on, and what the window there comes to."""
    with open_client() as client:
        found = client.contexts.open(repository()).status()
    answer(found, lambda screen: _status(screen, found))


def _status(screen: Screen, found: ContextStatus) -> None:
    screen.line("On branch ", (found.branch, "bold green"), f" of {found.repository}")
    if found.commit_id is None:
        screen.line("No commits yet: trace commit -m … --text …")
        return
    screen.line("at ", short(found.commit_id), f", {counted(found.messages, 'message')}, {tokens(found.tokens)}")
    screen.table([(role, f"{count:,} tokens") for role, count in found.by_role.items()], indent=2)
