"""`trace commit`: keep messages."""

from typing import Any, Literal, TypedDict, Unpack

import click

from commontrace.cli.contexts.command import context_command, draw_redactions, open_repository, short, tokens
from commontrace.cli.output import Screen, answer, counted, joined
from commontrace.cli.params import TRACE_ID
from commontrace.cli.reading import named, read_json, read_tools, validated
from commontrace.errors import InvalidInputError
from commontrace.models.contexts import CommitResult, NewCommit


class Options(TypedDict):
    """What a commit can be told."""

    message: str
    branch: str | None
    role: str
    text: str | None
    trace: tuple[str, ...]
    tools: str | None
    budget: int | None
    when_full: Literal["warn", "reject"]


@context_command("commit")
@click.argument("file", required=False)
@click.option("-m", "--message", default="", help="What these messages are, in one line.")
@click.option("-b", "--branch", help="Commit to this branch instead of the current one.")
@click.option("--role", default="user", show_default=True, help="Who says --text.")
@click.option("--text", help="One message, instead of a FILE.")
@click.option("--trace", multiple=True, type=TRACE_ID, help="A trace that these messages used; repeat for several.")
@click.option("--tools", metavar="FILE", help="The schemas of the tools from here on, as a JSON list.")
@click.option("--budget", type=click.IntRange(1), metavar="TOKENS", help="What the window may come to.")
@click.option("--when-full", type=click.Choice(["warn", "reject"]), default="warn", show_default=True)
def commit(file: str | None, **options: Unpack[Options]) -> None:
    """Keep messages: a JSON list in FILE (- for standard input) in the OpenAI or Anthropic shape, or --text.

    The first commit creates the context, with the branch main.
    """
    messages = _messages(file, options)
    wanted = validated(
        NewCommit,
        {
            "messages": messages,
            "message": options["message"],
            "branch": options["branch"],
            "trace_ids": list(options["trace"]),
            "tools": read_tools(options["tools"]) if options["tools"] else None,
            "budget": _policy(options),
        },
        f"{named(file)}: " if file else "",
    )
    with open_repository() as repo:
        made = repo.store(wanted)
    answer(made, lambda screen: _draw(screen, made, options["message"]))


def _messages(file: str | None, options: Options) -> Any:
    if (file is None) == (options["text"] is None):
        raise click.UsageError("Give a FILE of messages, or one message with --text.")
    if file is None:
        return [{"role": options["role"], "content": options["text"]}]
    value = read_json(file)
    if isinstance(value, dict):  # a whole request, or one message
        value = value.get("messages", [value])
    if not isinstance(value, list) or not value:
        raise InvalidInputError(f"{named(file)} holds no list of messages.", 'Give [{"role": …, "content": …}, …].')
    return value


def _policy(options: Options) -> dict[str, Any] | None:
    return {"limit": options["budget"], "when_full": options["when_full"]} if options["budget"] else None


def _draw(screen: Screen, made: CommitResult, message: str) -> None:
    said = [message, f"+{counted(made.messages, 'message')}", tokens(made.tokens)]
    screen.line(f"[{made.branch} ", short(made.commit_id), f"] {joined(said)}")
    draw_redactions(screen, made)
    if made.budget and made.budget.verdict != "ok":
        screen.line((made.budget.reason, "yellow"))
