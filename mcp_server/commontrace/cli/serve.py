"""`commontrace mcp` and `serve`: the tools for agents, and the backend for a team."""

import os
import subprocess  # nosec B404
import sys
from typing import Literal, TypedDict, Unpack

import click

from commontrace.cli.command import command
from commontrace.cli.state import state
from commontrace.errors import InvalidInputError


class Options(TypedDict):
    """How the tools are served."""

    transport: Literal["stdio", "http", "sse"]
    host: str
    port: int
    tools: Literal["core", "all"]
    allowed_host: tuple[str, ...]
    allowed_origin: tuple[str, ...]


@command("mcp")
@click.option("--transport", type=click.Choice(["stdio", "http", "sse"]), default="stdio", show_default=True)
@click.option("--host", default="127.0.0.1", show_default=True, help="For http and sse.")
@click.option("--port", type=click.IntRange(1, 65535), default=8765, show_default=True, help="For http and sse.")
@click.option("--tools", type=click.Choice(["core", "all"]), default="core", show_default=True)
@click.option("--allowed-host", multiple=True, help="A name that a proxy in front is called by; may be repeated.")
@click.option("--allowed-origin", multiple=True, help="A web page's origin that may call; may be repeated.")
def mcp(**options: Unpack[Options]) -> None:
    """Serve the tools over MCP: stdio for an agent on this machine, http (or the older sse) for others.

    Over http every request needs its caller's own API key or token as a bearer token.
    """
    url = state().url
    if url is not None:
        os.environ["COMMONTRACE_URL"] = url  # the server reads its settings itself
    from commontrace.mcp.server import run

    run(
        options["transport"],
        host=options["host"],
        port=options["port"],
        tools=options["tools"],
        allowed_hosts=options["allowed_host"],
        allowed_origins=options["allowed_origin"],
    )


@command("serve")
@click.option("--host", default="127.0.0.1", show_default=True, help="0.0.0.0 opens it to the network.")
@click.option("--port", type=click.IntRange(0, 65535), default=8080, show_default=True, help="0 takes a free one.")
@click.option("--workers", type=click.IntRange(1, 64), default=1, show_default=True, help="Processes that answer.")
def serve(host: str, port: int, workers: int) -> None:
    """Serve the database at --url or COMMONTRACE_URL over HTTP. Every caller needs a key.

    Put a proxy with TLS in front before opening it to a network. The first key: commontrace keys create NAME --admin
    """
    _become("served", "commontrace_backend", "--host", host, "--port", str(port), "--workers", str(workers))


@command("worker")
def worker() -> None:
    """Do the jobs of the database at --url or COMMONTRACE_URL: embed, screen again, forget. Any number may run.

    Needs COMMONTRACE_REDIS_URL, the same as the servers'; a server without it does its jobs itself.
    """
    _become("worked on", "commontrace_backend.worker")


def _become(done: str, module: str, *arguments: str) -> None:
    """Turn this process into one of the backend's, for the database that is meant."""
    from commontrace._transport import misspelt, without_password
    from commontrace.settings import Settings

    for name, meant in misspelt().items():
        click.echo(f"{name} is no setting; is {meant} meant?", err=True)
    url = state().url or Settings.given().url
    if "://" not in url or url.startswith(("http://", "https://")):
        raise InvalidInputError(
            f"{without_password(url)!r} is not a database that can be {done}.",
            "Pass --url sqlite:///path or postgresql://…, or set COMMONTRACE_URL.",
        )
    command_line = [sys.executable, "-m", module, *arguments]
    # The URL may hold a password: it goes by the environment, which other users cannot list.
    os.environ["COMMONTRACE_DATABASE_URL"] = url
    if sys.platform == "win32":  # where exec would return to the shell while the server goes on
        raise SystemExit(subprocess.call(command_line))  # noqa: S603 # nosec B603
    os.execv(sys.executable, command_line)  # noqa: S606 # nosec B606
