"""`commontrace context`, also the command `trace`: which context command lives where."""

from typing import Final

from commontrace.cli.command import Lazy, LazyGroup
from commontrace.cli.contexts.command import repository_option

_HERE: Final = "commontrace.cli.contexts"

context: Final = LazyGroup(
    "context",
    {
        "Write": {
            "commit": Lazy(f"{_HERE}.commit", "commit", "Keep messages"),
            "merge": Lazy(f"{_HERE}.branches", "merge", "Bring a branch home"),
            "undo": Lazy(f"{_HERE}.operations", "undo", "Take back the newest operation, whatever it was"),
            "redo": Lazy(f"{_HERE}.operations", "redo", "Do again what undo took back"),
        },
        "Look": {
            "log": Lazy(f"{_HERE}.history", "log", "What was kept, when, by whom"),
            "show": Lazy(f"{_HERE}.history", "show", "The window at a ref, within a budget"),
            "diff": Lazy(f"{_HERE}.history", "diff", "What changes between two windows"),
            "status": Lazy(f"{_HERE}.history", "status", "Where writing goes on"),
            "reflog": Lazy(f"{_HERE}.operations", "reflog", "What was done, newest first"),
            "repos": Lazy(f"{_HERE}.operations", "repos", "Every context that you may see"),
        },
        "Names": {
            "branch": Lazy(f"{_HERE}.branches", "branch", "List, create or delete branches"),
            "switch": Lazy(f"{_HERE}.branches", "switch", "Go on with another branch"),
            "tag": Lazy(f"{_HERE}.branches", "tag", "List, create or delete tags"),
        },
        "Exchange": {
            "import": Lazy(f"{_HERE}.interchange", "import_", "Bring in a transcript or a bundle"),
            "export": Lazy(f"{_HERE}.interchange", "export", "Write a window or a bundle"),
            "resume": Lazy(f"{_HERE}.interchange", "resume", "Go on from a ref in Claude Code"),
        },
    },
    params=[repository_option()],
    help="Git for context windows: commit messages, branch, merge, undo, and get a window back within a budget.\n\n"
    "A ref is HEAD, a branch, a tag, the first digits of a commit, HEAD~2 or main@{1}. HEAD belongs to this folder.",
)
