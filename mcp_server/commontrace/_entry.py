"""Where both console scripts begin. Standard library only: what can be answered without Click is answered here."""

import sys
from typing import Final, Literal

_INTERRUPTED: Final = 130
_Profile = Literal["core", "all"]
_PROFILES: Final[dict[str, _Profile]] = {"core": "core", "all": "all"}


def main() -> int:
    """`commontrace`: the whole of it. Returns the exit code."""
    return _guarded("commontrace", sys.argv[1:])


def trace() -> int:
    """`trace`: the context commands, as in `trace log` for `commontrace context log`."""
    return _guarded("trace", sys.argv[1:])


def _guarded(program: str, arguments: list[str]) -> int:
    try:
        return _dispatch(program, arguments)
    except KeyboardInterrupt:  # outside of Click: while something is still being imported
        return _INTERRUPTED


def _dispatch(program: str, arguments: list[str]) -> int:
    if arguments == ["--version"]:
        return _version()
    match [program, *arguments]:
        case ["commontrace", "hook", name] if not name.startswith("-"):
            return _hook(name, None)
        case ["commontrace", "hook", name, "--url", url] if not name.startswith("-"):
            return _hook(name, url)
    tools = _stdio_server(arguments) if program == "commontrace" else None
    if tools is not None:
        from commontrace.mcp.first_answers import stand_in

        stand_in(tools)
        from commontrace.mcp.server import run

        run(transport="stdio", host="", port=0, tools=tools)
        return 0
    from commontrace.cli.app import run_cli

    return run_cli(arguments, program)


def _hook(name: str, url: str | None) -> int:
    """Answer a hook; there is nobody to tell that its name is none, and no time to tear down."""
    from commontrace.hooks.calling import answer

    sys.stdout.buffer.write(answer(name, sys.stdin.buffer.read(), url))
    return 0


def _version() -> int:
    from importlib.metadata import version

    sys.stdout.write(f"commontrace {version('commontrace')}\n")
    return 0


def _stdio_server(arguments: list[str]) -> _Profile | None:
    """The tools profile if these arguments start the server over stdio and say nothing else, else None."""
    if arguments[:1] != ["mcp"]:
        return None
    given = {"--transport": "stdio", "--tools": "core"}
    words = [part for word in arguments[1:] for part in word.split("=", 1)]
    if len(words) % 2 or not given.keys() >= set(words[::2]):
        return None
    given.update(zip(words[::2], words[1::2], strict=True))
    return _PROFILES.get(given["--tools"]) if given["--transport"] == "stdio" else None
