"""A writer among many on one repository: every kind of change, each on what it wrote itself, so that all is certain.

As a script it is a process of its own: `python tests/writers.py URL NAME ROUNDS` prints what was acknowledged.
"""

import json
import sys
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from typing import Any

from commontrace import connect
from commontrace._sync.contexts import ContextRepository
from commontrace.errors import CommonTraceError, RefMovedError

REPOSITORY = "shared"


@dataclass
class Writer:
    """What somebody wrote and was told to be stored.

    Attributes:
        name: who.
        slot: a message of theirs.
        text: what it says.
        priority: how important it is.
        texts: what else they said, and is to be shown.
        commits: every commit that was acknowledged.
        lost: races that were lost, and what was wanted was done again.
    """

    name: str
    slot: str = ""
    text: str = ""
    priority: str = "normal"
    texts: list[str] = field(default_factory=list)
    commits: list[str] = field(default_factory=list)
    lost: int = 0

    def write(self, url: str, rounds: int) -> "Writer":
        """Change the repository in every way, on a connection and in a working copy of one's own."""
        with connect(url, working_copy=self.name) as client:
            repo = client.contexts.open(REPOSITORY)
            self.slot = self._said(repo, f"{self.name} begins")
            for number in range(rounds):
                self._edit(repo, f"{self.name} says {number}")
                self._mark(repo, "pinned" if number % 2 else "important")
                self._done(repo, lambda head: repo.move(self.slot, after="", expected_head=head))
                self._fold(repo, f"{self.name} in short {number}")
                self._merge(repo, f"{self.name}/{number}")
        return self

    def _done(self, repo: ContextRepository, deed: Callable[[str], Any]) -> None:
        """Do something on the head that was seen, until nobody was faster."""
        while True:
            head = repo.get().commit_id
            try:
                commit_id = deed(head).commit_id
            except RefMovedError as error:
                self.lost += 1
                if not (error.retryable and error.hint):
                    raise
                continue
            self.commits += [commit_id] if commit_id else []  # none where it stands in front already
            return

    def _said(self, repo: ContextRepository, text: str) -> str:
        repo.user(text)
        made = repo.commit(text).commit_id
        self.commits.append(made)
        return next(one.slot_id for one in repo.window(explain=True).explanation if one.commit_id == made)

    def _edit(self, repo: ContextRepository, text: str) -> None:
        self._done(repo, lambda head: repo.edit(self.slot, text, expected_head=head))
        self.text = text

    def _mark(self, repo: ContextRepository, priority: Any) -> None:
        self._done(repo, lambda head: repo.annotate(priority, slots=[self.slot], expected_head=head))
        self.priority = priority

    def _fold(self, repo: ContextRepository, text: str) -> None:
        slot = self._said(repo, f"{self.name} is going to be folded")
        self._done(repo, lambda head: repo.compress(f"slot:{slot}", text=text, force=True, expected_head=head))
        self.texts.append(f"[Summary of 1 earlier message]\n{text}")

    def _merge(self, repo: ContextRepository, branch: str) -> None:
        repo.branch(branch)
        self._said(repo, f"{branch} aside")
        repo.switch("main")
        self._done(repo, lambda head: repo.merge(branch, fast_forward=False, expected_head=head))
        self.texts.append(f"{branch} aside")


if __name__ == "__main__":
    try:
        print(json.dumps(asdict(Writer(sys.argv[2]).write(sys.argv[1], int(sys.argv[3])))))  # noqa: T201
    except CommonTraceError as error:
        sys.exit(repr(error))
