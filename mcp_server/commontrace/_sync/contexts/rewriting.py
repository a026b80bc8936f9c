"""Moving changes about: cherry-pick, revert, apply, rebase, reset."""

from typing import Any

from commontrace._sync.contexts.bound import Bound
from commontrace.models.contexts import (
    ChangeResult,
    ContextDiff,
    NewApply,
    NewPick,
    NewRebase,
    NewReset,
    PickResult,
    ResetResult,
)


class Rewriting(Bound):
    """Rewriting; every operation is one step of `undo`.

    Every method also takes `message`, `agent`, `expected_head` and `dry_run`, and but for `reset` a `strategy`: `store`
    refuses what contradicts what stands here, `ours` leaves that as it is, `theirs` takes the change.
    """

    def cherry_pick(self, *commits: str, **options: Any) -> PickResult:
        """Make the changes of commits, or of ranges such as `main..try`, here too."""
        return self._write("cherry_pick", "cherry-pick", PickResult, NewPick.of(commits=list(commits), **options))

    def revert(self, *commits: str, **options: Any) -> PickResult:
        """Take the changes of commits back here."""
        return self._write("revert", "revert", PickResult, NewPick.of(commits=list(commits), **options))

    def apply(self, diff: ContextDiff, **options: Any) -> ChangeResult:
        """Make the change that a diff shows on the current window."""
        return self._write("apply", "apply", ChangeResult, NewApply.of(a=diff.commits[0], b=diff.commits[1], **options))

    def rebase(self, onto: str, **options: Any) -> PickResult:
        """Let the current branch go on from another commit; its edits follow their messages."""
        return self._write("rebase", "rebase", PickResult, NewRebase.of(onto=onto, **options))

    def reset(self, ref: str, **options: Any) -> ResetResult:
        """Let the current branch point elsewhere; the answer holds the messages that it no longer shows."""
        return self._write("reset", "reset", ResetResult, NewReset.of(ref=ref, **options))
