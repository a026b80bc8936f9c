"""`trace branch`, `switch`, `merge`, `tag`: names for commits, and bringing histories together."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import click

from commontrace.cli.contexts.command import context_command, repository, short, tokens
from commontrace.cli.output import Screen, answer, counted
from commontrace.cli.state import open_client
from commontrace.models.contexts import BranchInfo, MergeResult

if TYPE_CHECKING:
    from commontrace import Client


@context_command("branch")
@click.argument("name", required=False)
@click.argument("from_ref", metavar="[FROM]", default="HEAD")
@click.option("-d", "--delete", "gone", metavar="NAME", help="Delete a branch whose commits another name leads to.")
@click.option("-D", "force", metavar="NAME", help="Delete a branch in any case; undo brings it back.")
def branch(name: str | None, from_ref: str, gone: str | None, force: str | None) -> None:
    """List the branches, or create NAME at FROM (HEAD, unless you say) and stay where you are."""
    chosen = [given for given in (name, gone, force) if given]
    if len(chosen) > 1:
        raise click.UsageError("Create or delete: give one name.")
    with open_client() as client:
        if gone or force:
            deleted = client.contexts.open(repository()).delete_branch(chosen[0], force=bool(force))
            answer(deleted, lambda screen: screen.line(f"Deleted {deleted.name} (was ", short(deleted.commit_id), ")"))
        elif name is None or name == "list":
            branches = client.contexts.open(repository()).branches()
            answer(branches, lambda screen: _branches(screen, branches))
        else:
            _created(client.contexts.open(repository()).branch(name, from_ref, switch=False))


def _created(made: BranchInfo) -> None:
    answer(made, lambda screen: screen.line(f"Created {made.name} at ", short(made.commit_id)))


def _branches(screen: Screen, branches: Sequence[BranchInfo]) -> None:
    screen.table(
        [
            (
                ("*" if item.current else " ", "green"),
                (item.name, "bold green" if item.current else ""),
                short(item.commit_id) if item.commit_id else "(no commits yet)",
                (item.message, "dim"),
            )
            for item in branches
        ]
    )


@context_command("switch")
@click.argument("name")
@click.option("-c", "--create", is_flag=True, help="Create it at HEAD first.")
def switch(name: str, create: bool) -> None:
    """Go on with another branch, in this folder. Nobody else's HEAD moves."""
    with open_client() as client:
        there = _switched(client, name, create=create)
    answer(there, lambda screen: screen.line(f"Switched to {'a new ' if create else ''}branch {there.name}"))


def _switched(client: "Client", name: str, *, create: bool) -> BranchInfo:
    if create:
        return client.contexts.open(repository()).branch(name)
    return client.contexts.open(repository()).switch(name)


@context_command("merge")
@click.argument("source")
@click.option("-m", "--message", default="", help="The merge commit's message.")
@click.option("--dry-run", is_flag=True, help="Say what would happen; change nothing.")
def merge(source: str, message: str, dry_run: bool) -> None:
    """Bring SOURCE (a branch, tag or commit) into the current branch."""
    with open_client() as client:
        done = client.contexts.open(repository()).merge(source, message=message, dry_run=dry_run)
    answer(done, lambda screen: _merged(screen, done, source, dry_run=dry_run))


def _merged(screen: Screen, done: MergeResult, source: str, *, dry_run: bool) -> None:
    if done.kind == "up_to_date":
        screen.line(f"{done.branch} has everything of {source} already.")
        return
    verb = {"fast_forward": "Fast-forward", "merged": "Merged"}[done.kind]
    screen.line(
        ("Would be: " if dry_run else "", "bold"),
        f"{verb} {source} into {done.branch} ",
        short(done.commit_id),
        f" · +{counted(done.added, 'message')} · {tokens(done.tokens)}",
    )


@context_command("tag")
@click.argument("name", required=False)
@click.argument("ref", default="HEAD")
@click.option("-d", "--delete", is_flag=True, help="Delete the tag NAME; undo brings it back.")
def tag(name: str | None, ref: str, delete: bool) -> None:
    """List the tags, or give REF (HEAD, unless you say) the fixed name NAME."""
    if delete and name is None:
        raise click.UsageError("Say which tag to delete.")
    with open_client() as client:
        if name is None:
            tags = client.contexts.open(repository()).tags()
            answer(tags, lambda screen: screen.table([(item.name, short(item.commit_id)) for item in tags]))
            return
        changed = (
            client.contexts.open(repository()).delete_tag(name)
            if delete
            else client.contexts.open(repository()).tag(name, ref)
        )
    verb = "Deleted" if delete else "Tagged"
    answer(changed, lambda screen: screen.line(f"{verb} {changed.name} ", short(changed.commit_id)))
