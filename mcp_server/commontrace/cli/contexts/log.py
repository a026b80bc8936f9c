"""`trace log`: what was kept, drawn as a history."""

from typing import Any, Final

import click

from commontrace.cli.contexts.command import REF, ago, context_command, fitted, open_repository, short
from commontrace.cli.contexts.graph import Graph, Line
from commontrace.cli.output import Part, Screen, answer, counted, joined
from commontrace.cli.state import state
from commontrace.models.contexts import CommitInfo, LogPage

_SHORTEST_MESSAGE: Final = 20


@context_command("log")
@click.argument("ref", type=REF, default="HEAD", metavar="[REF | A..B]")
@click.option("--graph", is_flag=True, help="Draw branches and merges, one line a commit.")
@click.option("--oneline", is_flag=True, help="One line a commit.")
@click.option("-n", "--limit", type=click.IntRange(1, 1000), default=50, show_default=True, help="How many at most.")
@click.option("--grep", default="", metavar="TEXT", help="Only commits whose words contain this.")
@click.option("--author", default="", metavar="NAME", help="Only by an author or agent whose name contains this.")
@click.option("--since", default="", metavar="TIME", help="Only later than 2026-11-21, yesterday, '2 hours ago'.")
@click.option("--until", default="", metavar="TIME", help="Only earlier than that, a day included.")
@click.option("--label", default="", metavar="LABEL", help="Only with this label.")
def log(ref: str, graph: bool, oneline: bool, **sought: Any) -> None:
    """Commits from REF backwards, newest first; of a range A..B those that lead to B and not to A."""
    with open_repository() as repo:
        page = repo.log(ref, **sought)
        head = "" if state().json else repo.status().branch
    answer(page, lambda screen: _log(screen, page, head, "graph" if graph else "oneline" if oneline else "whole"))


def _log(screen: Screen, page: LogPage, head: str, form: str) -> None:
    if form == "graph":
        _drawn(screen, page, head)
    for commit in page.commits if form != "graph" else []:
        (_line if form == "oneline" else _entry)(screen, commit, head)
    if page.next_ref:
        screen.line((f"More: trace log {page.older}", "dim"))
    if not page.commits:
        screen.line("No such commits.")


def _drawn(screen: Screen, page: LogPage, head: str) -> None:
    graph = Graph()
    known = {commit.commit_id for commit in page.commits}
    for commit in page.commits:
        # A line to a commit that a filter left out would lead nowhere; one to the next page goes on.
        parents = [parent for parent in commit.parents if parent in known or page.next_ref]
        front, behind = graph.commit(commit.commit_id, parents)
        _line(screen, commit, head, front)
        for line in behind:
            screen.line(*line)


def _line(screen: Screen, commit: CommitInfo, head: str, front: Line | None = None) -> None:
    """A commit in one line; in a terminal, in one that fits."""
    names = _refs(commit, head)
    before: list[Part] = [*(front or []), short(commit.commit_id), (names, "bold green"), *_labels(commit), " "]
    message = commit.message or "(no message)"
    when = ago(commit.created_at)
    about = f"  +{commit.messages} · {commit.tokens:,} tokens · {when}"
    if screen.console.is_terminal:
        room = screen.console.width - sum(len(part if isinstance(part, str) else part[0]) for part in before)
        about = next((said for said in (about, f"  {when}") if len(message) + len(said) <= room), f"  {when}")
        message = fitted(message, max(room - len(about), _SHORTEST_MESSAGE))
    screen.line(*before, message, (about, "dim"))


def _refs(commit: CommitInfo, head: str) -> str:
    names = [f"HEAD → {name}" if name == head else name for name in commit.refs]
    return f" ({', '.join(sorted(names, key=lambda name: not name.startswith('HEAD')))})" if names else ""


def _labels(commit: CommitInfo) -> list[Part]:
    return [(f" [{label}]", "magenta") for label in commit.labels]


def _entry(screen: Screen, commit: CommitInfo, head: str) -> None:
    screen.line((f"commit {commit.commit_id}", "yellow"), (_refs(commit, head), "bold green"), *_labels(commit))
    if len(commit.parents) > 1:
        screen.line(f"Merge:  {' '.join(parent[:10] for parent in commit.parents)}")
    screen.line(f"Author: {joined([commit.author_name or commit.author, commit.agent], ', ')}")
    screen.line(f"Date:   {commit.created_at:%Y-%m-%d %H:%M:%S %z}")
    for trace in commit.traces:
        screen.line(f"Trace:  {trace}")
    screen.line()
    screen.block(commit.message or "(no message)", indent=4)
    screen.line((f"+{counted(commit.messages, 'message')}, {commit.tokens:,} tokens in the window", "dim"), indent=4)
    screen.line()
