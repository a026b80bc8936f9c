"""`commontrace context`, also the command `trace`: which context command lives where."""

from typing import Final

from commontrace.cli.command import Lazy, LazyGroup
from commontrace.cli.contexts.command import repository_option

_HERE: Final = "commontrace.cli.contexts"

context: Final = LazyGroup(
    "context",
    {
        "Write": {
            "init": Lazy(f"{_HERE}.operations", "init", "Create the context of this folder"),
            "commit": Lazy(f"{_HERE}.commit", "commit", "Keep messages"),
            "undo": Lazy(f"{_HERE}.operations", "undo", "Take back the newest operation, whatever it was"),
            "redo": Lazy(f"{_HERE}.operations", "redo", "Do again what undo took back"),
        },
        "Look": {
            "log": Lazy(f"{_HERE}.log", "log", "What was kept, when, by whom; --graph draws it"),
            "show": Lazy(f"{_HERE}.show", "show", "The window at a ref, within a budget"),
            "diff": Lazy(f"{_HERE}.diff", "diff", "What changes between two windows"),
            "status": Lazy(f"{_HERE}.status", "status", "Where writing goes on, tokens by kind, conflicts"),
            "grep": Lazy(f"{_HERE}.searching", "grep", "Whatever was ever said, hidden or not"),
            "blame": Lazy(f"{_HERE}.searching", "blame", "Where each message of the window comes from"),
            "slot": Lazy(f"{_HERE}.show", "slot", "Everything that was done to a message"),
            "reflog": Lazy(f"{_HERE}.operations", "reflog", "What was done, newest first"),
            "repos": Lazy(f"{_HERE}.operations", "repos", "Every context that you may see"),
            "share": Lazy(f"{_HERE}.operations", "share", "Show this one to your organization"),
        },
        "Change messages": {
            "edit": Lazy(f"{_HERE}.editing", "edit", "Give a message another content"),
            "annotate": Lazy(f"{_HERE}.editing", "annotate", "Give messages a priority or notes"),
            "pin": Lazy(f"{_HERE}.editing", "pin", "Never leave these out"),
            "skip": Lazy(f"{_HERE}.editing", "skip", "Leave these out for now"),
            "remove": Lazy(f"{_HERE}.editing", "remove", "Take messages out of the window"),
            "restore": Lazy(f"{_HERE}.editing", "restore", "Bring removed messages back"),
            "move": Lazy(f"{_HERE}.editing", "move", "Put messages behind another one"),
            "notes": Lazy(f"{_HERE}.editing", "notes", "What holds for the whole context"),
        },
        "Fit": {
            "compress": Lazy(f"{_HERE}.compressing", "compress", "Let a summary stand for messages"),
            "expand": Lazy(f"{_HERE}.compressing", "expand", "Let a summary give way again"),
            "plan": Lazy(f"{_HERE}.compressing", "plan", "What would make the window fit a budget"),
        },
        "Bring together": {
            "merge": Lazy(f"{_HERE}.merging", "merge", "Bring branches home"),
            "resolve": Lazy(f"{_HERE}.merging", "resolve", "Settle conflicts that a merge stored"),
            "rebase": Lazy(f"{_HERE}.rewriting", "rebase", "Go on from another commit"),
            "cherry-pick": Lazy(f"{_HERE}.rewriting", "cherry_pick", "Make the changes of commits here too"),
            "revert": Lazy(f"{_HERE}.rewriting", "revert", "Take the changes of commits back"),
            "apply": Lazy(f"{_HERE}.rewriting", "apply", "Make the change between two windows here"),
            "reset": Lazy(f"{_HERE}.rewriting", "reset", "Let the branch point elsewhere"),
            "spawn": Lazy(f"{_HERE}.agents", "spawn", "A branch for a sub-agent"),
            "collapse": Lazy(f"{_HERE}.agents", "collapse", "A sub-agent's work home as a summary"),
        },
        "Names": {
            "branch": Lazy(f"{_HERE}.branches", "branch", "List, create or delete branches"),
            "switch": Lazy(f"{_HERE}.branches", "switch", "Go on with another branch"),
            "tag": Lazy(f"{_HERE}.branches", "tag", "List, create or delete tags"),
            "label": Lazy(f"{_HERE}.labels", "label", "List labels, or put one on a commit"),
            "claim": Lazy(f"{_HERE}.labels", "claim", "Have a branch for yourself for a while"),
            "release": Lazy(f"{_HERE}.labels", "release", "Give it free again"),
        },
        "Calls": {
            "calls": Lazy(f"{_HERE}.calls", "calls", "What models were given, to the byte"),
            "usage": Lazy(f"{_HERE}.calls", "usage", "What they used, by model"),
        },
        "Keep sound": {
            "verify": Lazy(f"{_HERE}.integrity", "verify", "Check every byte that is stored"),
            "gc": Lazy(f"{_HERE}.integrity", "gc", "Take out what nothing needs"),
            "purge": Lazy(f"{_HERE}.integrity", "purge", "Take a text out for good"),
        },
        "Exchange": {
            "import": Lazy(f"{_HERE}.interchange", "import_", "Bring in a transcript or a bundle"),
            "push": Lazy(f"{_HERE}.syncing", "push", "Send branches to a remote"),
            "fetch": Lazy(f"{_HERE}.syncing", "fetch", "Bring in a remote's branches, beside yours"),
            "pull": Lazy(f"{_HERE}.syncing", "pull", "Fetch a branch and merge it"),
            "export": Lazy(f"{_HERE}.interchange", "export", "Write a window or a bundle"),
            "resume": Lazy(f"{_HERE}.interchange", "resume", "Go on from a ref in Claude Code"),
        },
    },
    params=[repository_option()],
    help="Git for context windows: commit messages, branch, merge, undo, and get a window back within a budget.\n\n"
    "A ref is HEAD, a branch, a tag, the first digits of a commit, HEAD~2, main@{1} or main@{yesterday}. "
    "HEAD belongs to this folder.",
)
