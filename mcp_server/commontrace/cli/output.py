"""The only way to the terminal: JSON documents, styled lines free of control characters, errors in one line."""

import json
import logging
import re
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Final

import click

from commontrace.cli.state import state
from commontrace.errors import CommonTraceError

if TYPE_CHECKING:
    from markdown_it.token import Token
    from pydantic import BaseModel
    from rich.console import Console

Part = str | tuple[str, str]
"""Text, or text with its style."""

# C0 but tab and newline, DEL, C1, bidirectional and zero-width controls, line separators, surrogates, tags.
_UNSEEN: Final = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200b\u200e\u200f\u2028-\u202e\u2060-\u2069\ufeff\ud800-\udfff\U000e0000-\U000e007f]"
)
_IN_JSON: Final = re.compile("[\x7f-\x9f\u061c\u200b\u200e\u200f\u2028-\u202e\u2060-\u2069\ufeff]")
# What joins characters into one picture: rich miscounts the cells of such text where it wraps it, and fails.
_JOINERS: Final = re.compile("[\u200d\ufe0f]")
_WIDTH: Final = 100


def printable(text: str) -> str:
    r"""A text in which what would steer the terminal is spelled out, as in `\\x1b`."""
    return _UNSEEN.sub(_spelled, text.replace("\r\n", "\n"))


def _spelled(match: re.Match[str]) -> str:
    code = ord(match[0])
    if code <= 0xFF:  # noqa: PLR2004 - two hexadecimal digits hold it
        return f"\\x{code:02x}"
    return f"\\u{code:04x}" if code <= 0xFFFF else f"\\U{code:08x}"  # noqa: PLR2004 - four digits hold it


def single_line(text: str) -> str:
    """A text on one line."""
    return " ".join(printable(text).split("\n"))


def _clean(tokens: "Iterable[Token]") -> None:
    """Make parsed Markdown printable: only after parsing is `&rlm;` what it stands for."""
    for token in tokens:
        token.content = _JOINERS.sub("", printable(token.content))
        _clean(token.children or ())


class Screen:
    """Standard output for people. Every text passes `printable` on its way."""

    def __init__(self, *, stderr: bool = False) -> None:
        from rich.console import Console

        self._console: Console = Console(stderr=stderr, highlight=False, markup=False, emoji=False, soft_wrap=True)

    @property
    def console(self) -> "Console":
        """The console, for what rich draws itself."""
        return self._console

    def line(self, *parts: Part, indent: int = 0) -> None:
        """One line of text and styled text."""
        from rich.text import Text

        cleaned = [single_line(part) if isinstance(part, str) else (single_line(part[0]), part[1]) for part in parts]
        self._console.print(Text.assemble(" " * indent, *cleaned))

    def block(self, text: str, indent: int = 0) -> None:
        """Text of several lines, as it is."""
        lines = printable(text).split("\n")
        shown = "\n".join(f"{' ' * indent}{line}" if line else "" for line in lines)
        click.echo(shown, file=self._console.file)  # rich would expand tabs and cut trailing spaces

    def markdown(self, text: str, indent: int = 0) -> None:
        """Markdown, drawn in a terminal and verbatim in a pipe. Links show where they lead."""
        if not self._console.is_terminal:
            self.block(text, indent=indent)
            return
        from rich.markdown import Markdown
        from rich.padding import Padding

        drawn = Markdown(text, hyperlinks=False, code_theme="ansi_dark")
        _clean(drawn.parsed)
        width = min(self._console.width, _WIDTH)
        self._console.print(Padding(drawn, (0, 0, 0, indent)), width=width, soft_wrap=False)

    def quote(self, text: str, title: str) -> None:
        """Text verbatim, between two lines of ours."""
        self.line((f"── {title} ", "cyan"))
        self.block(text)
        self.line(("──", "cyan"))

    def table(self, rows: Sequence[Sequence[Part]], indent: int = 0, *, fit: bool = False) -> None:
        """Rows in aligned columns; with `fit` a terminal shows of the last one what has room in the line."""
        from rich.cells import cell_len, set_cell_size

        cells = [[(cell, "") if isinstance(cell, str) else cell for cell in row] for row in rows]
        cells = [[(single_line(text), style) for text, style in row] for row in cells]
        widths = [max(cell_len(row[column][0]) for row in cells) for column in range(len(cells[0]))] if cells else []
        room = self._console.width - indent - sum(width + 2 for width in widths[:-1])
        for row in cells:
            parts: list[Part] = []
            for (text, style), width in zip(row[:-1], widths, strict=False):
                parts += [(text, style), " " * (width - cell_len(text) + 2)]
            last, style = row[-1]
            cut = fit and self._console.is_terminal and cell_len(last) > room
            self.line(*parts, (f"{set_cell_size(last, max(room - 1, 1))}…" if cut else last, style), indent=indent)


def answer(value: "BaseModel | Sequence[BaseModel] | dict[str, Any]", show: Callable[[Screen], None]) -> None:
    """Print the answer of a command: with `--json` the contract's JSON, else what `show` draws."""
    if state().json:
        click.echo(document(value))
    else:
        show(Screen())


def document(value: "BaseModel | Sequence[BaseModel] | dict[str, Any]", *, indent: int | None = 2) -> str:
    """A value as JSON whose strings are exact and cannot steer a terminal."""
    return _IN_JSON.sub(
        lambda match: f"\\u{ord(match[0]):04x}", json.dumps(_plain(value), ensure_ascii=False, indent=indent)
    )


def _plain(value: Any) -> Any:
    if isinstance(value, (list, tuple)):
        return [_plain(item) for item in value]
    return value.model_dump(mode="json") if hasattr(value, "model_dump") else value


def agree(question: str, refused: str) -> None:
    """Ask on standard error; a no ends the command, having said there what did not happen. No answer interrupts it."""
    if not click.confirm(question, err=True):
        note(refused)
        raise click.exceptions.Exit(1)


@contextmanager
def waiting(doing: str) -> Iterator[None]:
    """Show on standard error that something goes on, and for how long, where a person looks on."""
    from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

    columns = (SpinnerColumn(), TextColumn("{task.description}"), TimeElapsedColumn())
    console = Screen(stderr=True).console
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as progress:
        progress.add_task(doing, total=None)
        yield


def note(*parts: Part) -> None:
    """A line for people on standard error, where it disturbs no document."""
    Screen(stderr=True).line(*parts)


class _Waits(logging.Handler):
    """Says on standard error what is waited for."""

    def emit(self, record: logging.LogRecord) -> None:
        """One line."""
        note((record.getMessage(), "dim"))


@contextmanager
def waits_shown() -> Iterator[None]:
    """Say when a remote that has too much to do is waited for, where a person looks on."""
    from commontrace._patience import LOG

    if not Screen(stderr=True).console.is_terminal:
        yield
        return
    handler, level = _Waits(), LOG.level
    LOG.addHandler(handler)
    LOG.setLevel(logging.INFO)
    try:
        yield
    finally:
        LOG.removeHandler(handler)
        LOG.setLevel(level)


def report(error: Exception, *, as_json: bool) -> bool:
    """Say what failed and what to do, in one line; returns False for what is not ours to word."""
    known = known_problem(error)
    if known is None:
        return False
    if as_json:
        extra = {"extra": known.extra} if known.extra else {}
        click.echo(document({"code": known.code, "detail": known.detail, "hint": known.hint, **extra}))
    else:
        click.echo(f"error: {single_line(str(known))}", err=True)
    return True


def known_problem(error: Exception) -> CommonTraceError | None:
    """The error of ours behind an exception, or None for a defect."""
    if isinstance(error, CommonTraceError):
        return error
    from pydantic import ValidationError

    from commontrace.models.wording import worded

    return worded(error) if isinstance(error, ValidationError) else None


def counted(number: int, noun: str, plural: str = "") -> str:
    """A number with its noun: `1 trace`, `2 traces`."""
    return f"{number:,} {noun if number == 1 else plural or noun + 's'}"


def joined(parts: Iterable[str], separator: str = " · ") -> str:
    """What is not empty, in one line."""
    return separator.join(part for part in parts if part)


def use_utf8() -> None:
    """Answer in UTF-8 whatever the locale says: JSON is, and so is what people paste."""
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(encoding="utf-8", errors="replace")
