"""What `commontrace hook NAME` does: ask the running server, else say what is known without one, else nothing.

Whatever fails, a hook says nothing and ends well: it stands in nobody's way. Standard library only.
"""

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from commontrace.hooks.surroundings import Surroundings

PATIENCE: Final = {
    "session-start": 0.0,
    "pre-tool-use": 0.5,
    "post-tool-use": 0.3,
    "post-tool-use-failure": 0.3,
    "pre-compact": 0.1,
    "session-end": 0.1,
}
"""The hooks, and how many seconds each waits for the server; 0 for what is known without one."""

SPOOLED: Final = frozenset(("pre-compact", "session-end"))
"""The hooks that leave a note of a transcript, whether or not a server runs."""


def answer(name: str, event: bytes, url: str | None = None) -> bytes:
    """What to print: JSON for the agent, or nothing.

    Args:
        name: one of `PATIENCE`.
        event: the event's JSON, as it comes on standard input.
        url: the backend, in place of the one that the settings name.
    """
    folder = ""
    try:
        from commontrace.hooks import surroundings

        folder = surroundings.hooks_folder()
        around = surroundings.surroundings(url)
        return _answer(around, name, event) if around.hooks and name in PATIENCE else b""
    except Exception as error:  # noqa: BLE001 - see above
        if folder:
            from commontrace.hooks.journal import note

            note(folder, f"{name}: {type(error).__name__}: {error}")
        return b""


def _answer(around: "Surroundings", name: str, event: bytes) -> bytes:
    from commontrace.hooks import cold

    if name in SPOOLED and not cold.spooled(around, name, event):
        return b""
    if PATIENCE[name]:
        from commontrace.hooks.doors import ask

        said = ask(around.folder, around.url, name, event, PATIENCE[name])
        if said is not None:
            return said
    return cold.answer(around, name, event)
