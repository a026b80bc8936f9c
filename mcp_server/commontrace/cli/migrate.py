"""`commontrace migrate`: bring a store to the schema of this version."""

import asyncio
from typing import TYPE_CHECKING

import click

from commontrace.cli.command import FAILED, command
from commontrace.cli.output import Screen, answer
from commontrace.cli.state import desk

if TYPE_CHECKING:
    from commontrace.models.operation import MigrationReport


@command("migrate")
@click.option("--check", is_flag=True, help="Change nothing; exit code 1 where a migration is needed.")
@click.pass_context
def migrate(context: click.Context, *, check: bool) -> None:
    """Run the migrations that the store lacks, all in one transaction. It can be run again, and by two at once.

    Migrations only add: servers of the version before go on working meanwhile.
    """
    found: MigrationReport = asyncio.run(desk().compare() if check else desk().migrate())
    answer(found, lambda screen: _draw(screen, found, check=check))
    if check and found.needed:
        context.exit(FAILED)


def _draw(screen: Screen, found: "MigrationReport", *, check: bool) -> None:
    if not found.needed:
        screen.line(f"Nothing to do: schema {found.found}.")
    elif check:
        screen.line((f"Schema {found.found or 'none'}; {found.schema_number} is needed.", "yellow"))
    elif found.found:
        screen.line(f"Schema {found.found} brought to {found.schema_number}.")
    else:
        screen.line(f"A new store, schema {found.schema_number}.")
