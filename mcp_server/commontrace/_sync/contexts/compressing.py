"""Summaries that stand for messages, and fitting a window into a budget."""

from typing import Any

from commontrace._sync.contexts.bound import Bound
from commontrace.models.contexts import ChangeResult, CompressResult, NewCompress, NewExpand, NewPlan, PlanResult


class Compressing(Bound):
    """Compressing; what a summary stands for is never lost."""

    def compress(self, select: str = "", **options: Any) -> CompressResult:
        """Let a summary stand for messages; `options` are the other fields of `NewCompress`.

        Raises:
            InvalidInputError: the summary lacks what it must keep, or costs more than what it covers.
        """
        return self._write("compress", "compress", CompressResult, NewCompress.of(select=select, **options))

    def expand(self, *slots: str, **options: Any) -> ChangeResult:
        """Let summaries give way to what they stand for, or with `only` to some of it."""
        return self._write("expand", "expand", ChangeResult, NewExpand.of(slots=list(slots), **options))

    def plan(self, budget: int, *, apply: bool = False, **options: Any) -> PlanResult:
        """The cheapest set of actions that fits the window into a budget; with `apply` done as one commit.

        Raises:
            InvalidInputError: impossible; it says what the least is.
        """
        return self._write("plan", "plan", PlanResult, NewPlan.of(budget=budget, apply=apply, **options))
