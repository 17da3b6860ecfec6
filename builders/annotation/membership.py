"""Whether an LLM may know the public test texts that it is scored on: what can be had without them.

Nothing here proves that it does not. Training texts are as public as test texts, so that an LLM may
know both; and test texts may be easier, or labelled with more care.
"""

import math
from collections.abc import Iterable
from dataclasses import dataclass

from builders.annotation.record import Agreement
from builders.facts import CorpusRecord
from builders.filters.real_test_copy import RealTestCopy


@dataclass(frozen=True)
class Membership:
    """What speaks for it that an LLM knows test texts.

    Attributes:
        train: How its labels agree with the true ones on training texts.
        test: The same on test texts.
        difference: The share on test texts minus that on training texts.
        low: Lower end of its confidence interval.
        high: Upper end.
        level: Confidence level.
        copies: Texts that the LLM wrote and that are near copies of real test texts, at least; None
            where that was not checked.
        written: Texts that were looked at for that.
    """

    train: Agreement
    test: Agreement
    difference: float
    low: float
    high: float
    level: float
    copies: int | None = None
    written: int = 0

    def sentence(self) -> str:
        """Return what was found in words that go no further."""
        shares = [100 * found.agreeing / found.texts for found in (self.test, self.train)]
        points = [100 * each for each in (self.difference, self.low, self.high)]
        if self.low > 0:
            verdict = "more than chance does: it may know the test set, or its texts may be easier"
        elif self.high < 0:
            verdict = "which is no sign that it knows the test set"
        else:
            verdict = "no more than chance may do; as both are public, it may know both or neither"
        found = (
            f"Its labels agree with the true ones on {shares[0]:.1f} % of {self.test.texts} test "
            f"texts and on {shares[1]:.1f} % of {self.train.texts} training texts, a difference of "
            f"{points[0]:.1f} points ({100 * self.level:.0f} % interval {points[1]:.1f} to "
            f"{points[2]:.1f}), {verdict}."
        )
        if self.copies is None:
            return f"{found} Whether it writes copies of test texts was not checked."
        return (
            f"{found} Texts that it wrote: {self.written:,}; rejected as near copies of real test "
            f"texts: {self.copies:,}."
        )


def membership(
    train: Agreement,
    test: Agreement,
    written: Iterable[CorpusRecord] = (),
    *,
    level: float = 0.95,
) -> Membership:
    """Compare how labels agree with the true ones on training and on test texts.

    The interval of the difference is Newcombe's hybrid score interval for two independent shares
    (Statistics in Medicine 17, 1998, method 10), of two Wilson intervals. It is that of one task:
    of ten 95 % intervals one or more leave 0 out by chance alone in 40 % of cases.

    Args:
        train: Of training texts.
        test: Of test texts.
        written: Records of corpora that the LLM wrote for the task; those whose texts were compared
            with the real test texts count.
        level: Confidence level, between 0 and 1.

    Raises:
        ValueError: There is no text on one of the sides, so that nothing can be compared.
    """
    if not train.texts or not test.texts:
        raise ValueError(f"{train.texts} training and {test.texts} test texts cannot be compared")
    shares, lows, highs = zip(*(_wilson(found, level) for found in (test, train)), strict=True)
    difference = shares[0] - shares[1]
    compared = [r for r in written if r.statuses.get(RealTestCopy.reason) == "checked"]
    copies = sum(
        reasons.get(RealTestCopy.reason, 0) for r in compared for reasons in r.rejected.values()
    )
    return Membership(
        train,
        test,
        difference,
        difference - math.hypot(shares[0] - lows[0], highs[1] - shares[1]),
        difference + math.hypot(highs[0] - shares[0], shares[1] - lows[1]),
        level,
        copies if compared else None,
        sum(record.candidates for record in compared),
    )


def _wilson(found: Agreement, level: float) -> tuple[float, float, float]:
    """Return the share, and its Wilson interval."""
    from scipy.stats import binomtest

    ends = binomtest(found.agreeing, found.texts).proportion_ci(level, method="wilson")
    return found.agreeing / found.texts, float(ends.low), float(ends.high)
