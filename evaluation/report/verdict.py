"""What a task's gap says, in one sentence a practitioner can act on."""

from dataclasses import dataclass
from enum import StrEnum

from evaluation.arms import REAL, REAL_FULL
from evaluation.report.results import ArmResult, TaskResult
from evaluation.report.wording import between, hundredths, spread
from evaluation.uncertainty.scores import Interval


class Finding(StrEnum):
    """What the interval of a gap allows to say; one that holds 0 is no proof of equality."""

    LOSS = "loss"
    NO_LOSS_SHOWN = "no loss shown"
    GAIN = "gain"
    UNKNOWN = "not known"


@dataclass(frozen=True)
class Verdict:
    """One task's verdict.

    Attributes:
        title: The task's title.
        finding: What the interval allows to say.
        sentence: The finding with its numbers.
    """

    title: str
    finding: Finding
    sentence: str


class Call(StrEnum):
    """What to do about synthetic text."""

    USE = "use it"
    USE_WITH_LABELS = "use it with some real labels"
    COLLECT = "collect labels instead"
    UNDECIDED = "not decided"
    UNKNOWN = "not known"


@dataclass(frozen=True)
class Advice:
    """The verdict on a task with what to do.

    Attributes:
        verdict: What the gap allows to say.
        call: What to do.
        headline: The same in words, with the number of labels where there is one.
        evidence: The reasons, a sentence each.
        next_step: The cheapest next step; empty where none is known.
    """

    verdict: Verdict
    call: Call
    headline: str
    evidence: tuple[str, ...]
    next_step: str


def finding_of(gap: Interval) -> Finding:
    """Read a gap's interval: wholly above 0, wholly below, or holding 0.

    The ends count as they are printed, in tenths of a point: `0.0 to 3.1` shows no loss.
    """
    if round(100 * gap.low, 1) > 0:
        return Finding.LOSS
    return Finding.GAIN if round(100 * gap.high, 1) < 0 else Finding.NO_LOSS_SHOWN


def judge(result: TaskResult) -> Verdict:
    """Say what the best synthetic arm of a task costs against real texts."""
    best, title = result.best, result.facts.title
    if best is None or best.gap is None:
        lacking = "the arm real" if result.arm(REAL) is None else "a synthetic arm"
        return Verdict(
            title, Finding.UNKNOWN, f"Nothing to compare: no run of {lacking} is finished."
        )
    finding = finding_of(best.gap)
    sentence = _against_real(best.arm, best.gap, finding, _reference(result, best))
    if result.full_gap is not None:
        either = " either" if finding is Finding.NO_LOSS_SHOWN else ""
        sentence += f"; {_against_all(result, result.full_gap, either)}"
    return Verdict(title, finding, f"{sentence}.")


def _reference(result: TaskResult, best: ArmResult) -> str:
    real = result.arm(REAL)
    if real is None or real.n_train == best.n_train:
        return "as many real texts"
    return f"{between(real.n_train)} real texts (its own are {between(best.n_train)})"


def _against_real(arm: str, gap: Interval, finding: Finding, reference: str) -> str:
    if finding is Finding.LOSS:
        return f"{arm} text costs {_size(gap)} against {reference}"
    if finding is Finding.GAIN:
        return f"{arm} text gains {_size(_turned(gap))} over {reference}"
    return f"No loss could be shown for {arm} text against {reference}: {_left_open(gap)}"


def _against_all(result: TaskResult, gap: Interval, either: str) -> str:
    full = result.arm(REAL_FULL)
    texts = f"all{f' {between(full.n_train)}' if full else ''} real training texts"
    finding = finding_of(gap)
    if finding is Finding.LOSS:
        return f"{texts} give {_size(gap)} more"
    if finding is Finding.GAIN:
        return f"{texts} give {_size(_turned(gap))} less"
    return f"no loss could be shown against {texts}{either}: {_left_open(gap)}"


def _left_open(gap: Interval) -> str:
    told = f"gap {hundredths(gap.value)} ({spread(gap)})"
    if round(100 * gap.high, 1) <= 0:
        return told
    return f"{told}, so a loss of up to {hundredths(gap.high)} points is not excluded"


def _size(gap: Interval) -> str:
    return f"{hundredths(gap.value)} points ({spread(gap)})"


def _turned(gap: Interval) -> Interval:
    return Interval(value=-gap.value, low=-gap.high, high=-gap.low, level=gap.level)
