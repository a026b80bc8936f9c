"""What the estimates of a model are off by, learned from what its provider reports. Pure."""

import math
from dataclasses import dataclass
from typing import Final

from commontrace.models.contexts import TokenCount

_REMEMBERED: Final = 50
"""About how many of the newest pairs count: a model's tokenizer can change behind its name."""

_DOUBT: Final = 0.15
_DOUBT_PAIRS: Final = 3
"""Before anything is known, an estimate is off by a factor of exp(0.15) or so; this doubt weighs as three pairs."""

_BAND: Final = 2.0
_FARTHEST: Final = math.log(4)


@dataclass(frozen=True, slots=True)
class Calibration:
    """The correction of one model's estimates; its fields are what to store.

    `mean` and `variance` are those of ln(reported / estimated), newer pairs weighing more.
    """

    pairs: int = 0
    mean: float = 0.0
    variance: float = 0.0

    @property
    def factor(self) -> float:
        """What an estimate is multiplied by."""
        return math.exp(self.mean)

    def learned(self, estimated: int, reported: int) -> "Calibration":
        """The correction after one more request; a pair without tokens teaches nothing.

        Args:
            estimated: Tokens of the whole input, as counted before this correction.
            reported: Tokens of the whole input, as the provider reports them.
        """
        if estimated <= 0 or reported <= 0:
            return self
        seen = max(-_FARTHEST, min(_FARTHEST, math.log(reported / estimated)))
        weight = max(1 / (self.pairs + 1), 1 / _REMEMBERED)
        off = seen - self.mean
        return Calibration(
            pairs=self.pairs + 1,
            mean=self.mean + weight * off,
            variance=(1 - weight) * (self.variance + weight * off * off),
        )

    def applied(self, count: TokenCount) -> TokenCount:
        """An estimate, corrected, with the band that the pairs so far justify; other counts stay as they are."""
        if not self.pairs or count.method != "estimated":
            return count
        known = min(self.pairs, _REMEMBERED)
        deviation = math.sqrt((_DOUBT_PAIRS * _DOUBT**2 + known * self.variance) / (_DOUBT_PAIRS + known))
        exact = count.tokens * self.factor
        return TokenCount(
            tokens=round(exact),
            method="estimated",
            encoding=count.encoding,
            low=math.floor(exact * math.exp(-_BAND * deviation)),
            high=math.ceil(exact * math.exp(_BAND * deviation)),
        )
