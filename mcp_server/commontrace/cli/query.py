"""`commontrace query`: look for a known fix."""

from typing import TypedDict, Unpack

import click

from commontrace.cli.command import command
from commontrace.cli.drawing import draw_answer
from commontrace.cli.output import answer
from commontrace.cli.params import PACKAGE, TAG
from commontrace.cli.reading import error_text
from commontrace.cli.state import open_client
from commontrace.models.search import Query
from commontrace.models.traces import Environment, PackageRange


class Options(TypedDict):
    """What a query can be told."""

    error: str | None
    tag: tuple[str, ...]
    language: str | None
    os: str | None
    package: tuple[PackageRange, ...]
    limit: int
    max_tokens: int | None
    full: bool
    explain: bool
    include_unproven: bool


@command("query")
@click.argument("text", default="")
@click.option("--error", metavar="FILE|-", help="The error as printed: a file, - for standard input, or its words.")
@click.option("--tag", multiple=True, type=TAG, help="Only traces with this tag; repeat for several.")
@click.option("--language", help="The language you work in.")
@click.option("--os", help="The operating system you work on.")
@click.option("--package", multiple=True, type=PACKAGE, help="A package that you use; repeat for several.")
@click.option("--limit", type=click.IntRange(1, 50), default=5, show_default=True, help="How many answers at most.")
@click.option("--max-tokens", type=click.IntRange(100, 50_000), help="How long the answer may be.")
@click.option("--full", is_flag=True, help="Bodies too, not one line a hit.")
@click.option("--explain", is_flag=True, help="Say what each score is made of.")
@click.option("--include-unproven", is_flag=True, help="Also public traces that nobody has corroborated.")
def query(text: str, **options: Unpack[Options]) -> None:
    """Look for a known fix by TEXT, an error, or tags.

    An error that somebody met before comes first, whatever its paths, lines and addresses.
    """
    wanted = Query(
        query=text,
        error=error_text(options["error"]),
        tags=list(options["tag"]),
        environment=Environment(language=options["language"], os=options["os"], packages=list(options["package"])),
        limit=options["limit"],
        max_tokens=options["max_tokens"],
        detail="full" if options["full"] else "index",
        include_unproven=options["include_unproven"],
        explain=options["explain"],
    )
    with open_client() as client:
        found = client.traces.query(wanted)
    answer(found, lambda screen: draw_answer(screen, found))
