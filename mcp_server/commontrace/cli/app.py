"""The command tree: which command lives where, loaded when it is called."""

from typing import Final

import click

from commontrace.cli.command import Lazy, LazyGroup
from commontrace.cli.output import use_utf8

_CLI: Final = "commontrace.cli"


def _print_version(context: click.Context, _parameter: click.Parameter, value: bool) -> None:
    if value:
        from importlib.metadata import version

        click.echo(f"commontrace {version('commontrace')}")
        context.exit()


SECTIONS: Final = {
    "Find and use": {
        "query": Lazy(f"{_CLI}.query", "query", "Look for a known fix"),
        "show": Lazy(f"{_CLI}.show", "show", "One trace whole; its versions, amendments, flags"),
        "vote": Lazy(f"{_CLI}.outcomes", "vote", "Report what happened when you used one"),
        "tags": Lazy(f"{_CLI}.show", "tags", "The tags in use"),
        "check": Lazy(f"{_CLI}.check", "check", "Ask before this shell command runs?"),
        "wanted": Lazy(f"{_CLI}.wanted", "wanted", "What was asked in vain, most wanted first"),
    },
    "Give and improve": {
        "contribute": Lazy(f"{_CLI}.contribute", "contribute", "Contribute a verified fix"),
        "publish": Lazy(f"{_CLI}.contribute", "publish", "Widen a trace's audience, after a preview"),
        "amend": Lazy(f"{_CLI}.amend", "amend", "Propose a better version"),
        "accept": Lazy(f"{_CLI}.amend", "accept", "Accept an amendment"),
        "reject": Lazy(f"{_CLI}.amend", "reject", "Reject an amendment"),
        "link": Lazy(f"{_CLI}.show", "link", "Link a trace to another, or to a commit"),
        "unlink": Lazy(f"{_CLI}.show", "unlink", "Take a link away"),
        "flag": Lazy(f"{_CLI}.outcomes", "flag", "Ask for a second look"),
        "unflag": Lazy(f"{_CLI}.outcomes", "unflag", "Take a flag back"),
        "withdraw": Lazy(f"{_CLI}.outcomes", "withdraw", "Take a trace of yours out of every answer"),
        "unwithdraw": Lazy(f"{_CLI}.outcomes", "unwithdraw", "Bring a withdrawn trace back"),
        "purge": Lazy(f"{_CLI}.proving", "purge", "Take a trace's text out for good"),
        "review": Lazy(f"{_CLI}.reviews", "review", "What awaits a decision: approve, reject, restore, reverse"),
        "learn": Lazy(f"{_CLI}.learn", "learn", "Traces out of your agents' past transcripts"),
        "scan": Lazy(f"{_CLI}.scan", "scan", "What the safety pipeline sees in a text"),
    },
    "Move": {
        "import": Lazy(f"{_CLI}.transfer", "import_", "Import traces from JSON or JSON lines"),
        "export": Lazy(f"{_CLI}.transfer", "export", "Export every trace as JSON lines"),
        "backup": Lazy(f"{_CLI}.backup", "backup", "The whole store in one file, while others write"),
        "restore": Lazy(f"{_CLI}.backup", "restore", "A backup into an empty store"),
        "remote": Lazy(f"{_CLI}.remotes", "remote", "A team's server, another store, or a folder in git"),
        "push": Lazy(f"{_CLI}.syncing", "push", "Send traces to a remote, after a preview"),
        "pull": Lazy(f"{_CLI}.syncing", "pull", "Bring in what is new at a remote"),
        "sync": Lazy(f"{_CLI}.syncing", "sync", "Deliver what waits, pull, and push what changed"),
    },
    "Windows": {
        "context": Lazy(f"{_CLI}.contexts.group", "context", "Git for context windows; also the command `trace`"),
    },
    "Set up and run": {
        "quickstart": Lazy(f"{_CLI}.quickstart", "quickstart", "Starter traces, one query, and what to do next"),
        "setup": Lazy(f"{_CLI}.setup", "setup", "Give an agent the tools"),
        "hook": Lazy(f"{_CLI}.check", "hook", "What an agent's hooks call"),
        "mcp": Lazy(f"{_CLI}.serve", "mcp", "Serve the tools over MCP"),
        "serve": Lazy(f"{_CLI}.serve", "serve", "Serve the store to a team over HTTP"),
        "migrate": Lazy(f"{_CLI}.migrate", "migrate", "Bring a store to the schema of this version"),
        "worker": Lazy(f"{_CLI}.serve", "worker", "Do the jobs of a server that has a queue"),
        "jobs": Lazy(f"{_CLI}.jobs", "jobs", "The store's own work, and what of it was given up"),
        "keys": Lazy(f"{_CLI}.keys", "keys", "API keys of a server"),
        "vouches": Lazy(f"{_CLI}.vouches", "vouches", "Which organizations have a voice for yours"),
        "reindex": Lazy(f"{_CLI}.reindex", "reindex", "Finish words and vectors now, with progress"),
        "rescan": Lazy(f"{_CLI}.rescan", "rescan", "Screen stored traces with the rules of today"),
        "stats": Lazy(f"{_CLI}.stats", "stats", "Whether it helps: counted on this machine"),
        "status": Lazy(f"{_CLI}.status", "status", "Who you are and what the store holds"),
        "verify": Lazy(f"{_CLI}.proving", "verify", "Was anything changed behind your back?"),
        "doctor": Lazy(f"{_CLI}.doctor", "doctor", "Check settings, store, key and agents"),
    },
}

app: Final = LazyGroup(
    "commontrace",
    SECTIONS,
    help="What coding agents learn, kept, shared and trusted like code.\n\n"
    "Exit codes: 0 fine, 1 refused or failed, 2 usage, 130 interrupted.",
    params=[
        click.Option(
            ["--version"],
            is_flag=True,
            expose_value=False,
            is_eager=True,
            callback=_print_version,
            help="Print the version.",
        )
    ],
)


def run_cli(arguments: list[str], program: str) -> int:
    """Run the command line; `trace` is its context commands, as in `trace log`."""
    use_utf8()
    command = app
    if program == "trace":
        from commontrace.cli.contexts.group import context

        command = context
    try:
        command.main(arguments, prog_name=program)
    except SystemExit as done:
        return done.code if isinstance(done.code, int) else 1
