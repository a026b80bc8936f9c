"""`commontrace query`: look for a known fix."""

import re
from pathlib import Path
from typing import TypedDict, Unpack

import click

from commontrace.cli.command import command
from commontrace.cli.drawing import draw_answer, draw_federated
from commontrace.cli.output import answer
from commontrace.cli.params import PACKAGE, TAG
from commontrace.cli.reading import error_text
from commontrace.cli.state import open_client
from commontrace.models.search import Query
from commontrace.models.traces import MOST_PACKAGES, Environment, PackageRange
from commontrace.settings import Settings


class Options(TypedDict):
    """What a query can be told."""

    error: str | None
    tag: tuple[str, ...]
    language: str | None
    os: str | None
    package: tuple[PackageRange, ...]
    no_environment: bool
    limit: int
    max_tokens: int | None
    full: bool
    explain: bool
    include_unproven: bool
    remote: tuple[str, ...]
    all_remotes: bool


@command("query")
@click.argument("text", default="")
@click.option("--error", metavar="FILE|-", help="The error as printed: a file, - for standard input, or its words.")
@click.option("--tag", multiple=True, type=TAG, help="Only traces with this tag; repeat for several.")
@click.option("--language", help="The language you work in, if not the project's.")
@click.option("--os", help="The operating system, if not this one.")
@click.option("--package", multiple=True, type=PACKAGE, help="A package that you use, if not as in the project's lock.")
@click.option("--no-environment", is_flag=True, help="Do not read this project's language, system and packages.")
@click.option("--limit", type=click.IntRange(1, 50), default=5, show_default=True, help="How many answers at most.")
@click.option("--max-tokens", type=click.IntRange(100, 50_000), help="How long the answer may be.")
@click.option("--full", is_flag=True, help="Bodies too, not one line a hit.")
@click.option("--explain", is_flag=True, help="Say what each score is made of.")
@click.option("--include-unproven", is_flag=True, help="Also public traces that nobody has corroborated.")
@click.option("--remote", multiple=True, metavar="NAME", help="Ask this remote too; repeat for several.")
@click.option("--all-remotes", is_flag=True, help="Ask every remote too.")
def query(text: str, **options: Unpack[Options]) -> None:
    """Look for a known fix by TEXT, an error, or tags.

    An error that somebody met before comes first, whatever its paths, lines and addresses. Hits are weighed by how
    they fit the project that you are in: its language, this system, and the versions in its lock.
    """
    wanted = Query(
        query=text,
        error=error_text(options["error"]),
        tags=list(options["tag"]),
        environment=_environment(options),
        limit=options["limit"],
        max_tokens=options["max_tokens"],
        detail="full" if options["full"] else "index",
        include_unproven=options["include_unproven"],
        explain=options["explain"],
    )
    with open_client() as client:
        if options["remote"] or options["all_remotes"]:
            named = None if options["all_remotes"] else options["remote"]
            seconds = Settings.given().remote_timeout
            merged = client.remotes.query(wanted, named, seconds=seconds)
            answer(merged, lambda screen: draw_federated(screen, merged))
            return
        found = client.traces.query(wanted)
    answer(found, lambda screen: draw_answer(screen, found))


def _environment(options: Options) -> Environment:
    """What is given by hand, completed by what the project's files say."""
    given = Environment(language=options["language"], os=options["os"], packages=list(options["package"]))
    if options["no_environment"]:
        return given
    from commontrace.environment import read_environment

    here = read_environment(Path.cwd())
    named = {_folded(package.name) for package in given.packages}
    others = [package for package in here.packages if _folded(package.name) not in named]
    return here.model_copy(
        update={
            "language": given.language or here.language,
            "os": given.os or here.os,
            "packages": [*given.packages, *others][:MOST_PACKAGES],
        }
    )


def _folded(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()
