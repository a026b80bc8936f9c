"""`trace branch`, `switch`, `tag`: names for commits, and going on with another branch."""

from collections.abc import Sequence

import click

from commontrace.cli.contexts.command import REF, context_command, open_repository, short
from commontrace.cli.listing import LIMIT, first
from commontrace.cli.output import Screen, answer
from commontrace.models.contexts import BranchInfo


@context_command("branch")
@click.argument("name", required=False)
@click.argument("from_ref", metavar="[FROM]", default="HEAD", type=REF)
@click.option("-d", "--delete", "gone", metavar="NAME", help="Delete a branch whose commits another name leads to.")
@click.option("-D", "force", metavar="NAME", help="Delete a branch in any case; undo brings it back.")
@LIMIT
def branch(name: str | None, from_ref: str, gone: str | None, force: str | None, limit: int) -> None:
    """List the branches, or create NAME at FROM (HEAD, unless you say) and stay where you are."""
    chosen = [given for given in (name, gone, force) if given]
    if len(chosen) > 1:
        raise click.UsageError("Create or delete: give one name.")
    with open_repository() as repo:
        if gone or force:
            deleted = repo.delete_branch(chosen[0], force=bool(force))
            answer(deleted, lambda screen: screen.line(f"Deleted {deleted.name} (was ", short(deleted.commit_id), ")"))
        elif name is None or name == "list":
            branches = first(repo.branches, limit)
            answer(branches, lambda screen: _branches(screen, branches))
        else:
            _created(repo.branch(name, from_ref, switch=False))


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
@click.argument("name", type=REF)
@click.option("-c", "--create", is_flag=True, help="Create it at HEAD first.")
def switch(name: str, create: bool) -> None:
    """Go on with another branch, in this folder. Nobody else's HEAD moves."""
    with open_repository() as repo:
        there = repo.branch(name) if create else repo.switch(name)
    answer(there, lambda screen: screen.line(f"Switched to {'a new ' if create else ''}branch {there.name}"))


@context_command("tag")
@click.argument("name", required=False)
@click.argument("ref", default="HEAD")
@click.option("-d", "--delete", is_flag=True, help="Delete the tag NAME; undo brings it back.")
@LIMIT
def tag(name: str | None, ref: str, delete: bool, limit: int) -> None:
    """List the tags, or give REF (HEAD, unless you say) the fixed name NAME."""
    if delete and name is None:
        raise click.UsageError("Say which tag to delete.")
    with open_repository() as repo:
        if name is None:
            tags = first(repo.tags, limit)
            answer(tags, lambda screen: screen.table([(item.name, short(item.commit_id)) for item in tags]))
            return
        changed = repo.delete_tag(name) if delete else repo.tag(name, ref)
    verb = "Deleted" if delete else "Tagged"
    answer(changed, lambda screen: screen.line(f"{verb} {changed.name} ", short(changed.commit_id)))
