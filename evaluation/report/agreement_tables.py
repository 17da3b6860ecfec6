"""Votes, and accuracy against agreement, as tables for a report and for the terminal."""

from collections.abc import Mapping

from evaluation.arms import REAL
from evaluation.report.score_tables import NONE
from evaluation.report.table import Cell, Column, Table
from evaluation.report.wording import hundredths, spread, with_spread
from evaluation.subjectivity.agreement_curve import AgreementCurve
from evaluation.subjectivity.agreement_levels import AccuracyByLevel
from evaluation.subjectivity.votes import VoteSummary
from evaluation.uncertainty.scores import Interval
from evaluation.undefined import Undefined, shown

_LARGEST = (
    "Largest class: what always naming the most frequent label would score. Where it rises too, "
    "accuracy may rise for that reason alone."
)
_LESS = (
    f"{REAL} less an arm: both drawn together. Below 0, accuracy depends on the agreement of "
    "annotators more with synthetic training text; an interval that holds 0 shows no difference."
)


def votes_table(summaries: Mapping[str, VoteSummary]) -> Table:
    """Return a row of the paper's Table 2 for each set of votes.

    Args:
        summaries: Name of the set -> its summary.
    """
    rows = []
    for name, each in summaries.items():
        votes = each.votes if isinstance(each.votes, Undefined) else f"{each.votes:.1f}"
        rows.append(
            (
                Cell(name),
                Cell(f"{each.n:,}"),
                Cell(str(votes), f"{each.fewest} to {each.most}"),
                Cell(shown(each.agreement)),
                Cell(f"{each.unanimous:,}"),
                Cell(shown(each.alpha)),
                Cell(shown(each.kappa)),
            )
        )
    titles = ("texts", "votes a text", "mean agreement", "unanimous")
    return Table(
        key="votes",
        title="How far annotators agree",
        columns=(
            Column("votes", number=False),
            *map(Column, (*titles, "Krippendorff's alpha", "Fleiss' kappa")),
        ),
        rows=tuple(rows),
        notes=(
            "Agreement of a text: the share of its votes for the label that most voted for.",
            *(
                f"{name}: {what} is {value}."
                for name, each in summaries.items()
                for what, value in (("alpha", each.alpha), ("kappa", each.kappa))
                if isinstance(value, Undefined)
            ),
        ),
    )


def curve_table(name: str, curves: Mapping[str, AgreementCurve]) -> Table:
    """Return accuracy at each threshold, of all arms on the same texts.

    Args:
        name: Of the set of votes.
        curves: Arm -> its curve.
    """
    first = next(iter(curves.values()))
    rows = tuple(
        (
            Cell(f"{point.gamma:.2f}"),
            Cell(f"{point.n:,}"),
            Cell(hundredths(point.largest_class)),
            *(_accuracy(curve.points[i].accuracy) for curve in curves.values()),
        )
        for i, point in enumerate(first.points)
    )
    sparse = f"{first.sparse} thresholds with fewer texts are left out. " if first.sparse else ""
    return Table(
        key=f"agreement-{name}",
        title=f"{name}: accuracy (%) on the texts with at least so much agreement",
        columns=(*map(Column, ("agreement", "texts", "largest class")), *map(Column, curves)),
        rows=rows,
        notes=(
            f"{sparse}The texts of each row hold those of the rows below it; intervals are over "
            "texts and seeds.",
            _LARGEST,
        ),
    )


def trend_table(
    curves: Mapping[tuple[str, str], AgreementCurve],
    slopes: Mapping[tuple[str, str], Interval],
) -> Table:
    """Return slope, R squared and rho of each curve, or why there are none.

    Args:
        curves: (set of votes, arm) -> its curve.
        slopes: (set of votes, synthetic arm) -> the slope of the arm real minus that of this arm.
    """
    rows = []
    for (name, arm), curve in curves.items():
        trend = curve.trend
        cells = (Cell("undefined"),) * 3
        if not isinstance(trend, Undefined):
            rho = trend.rho
            cells = (
                Cell(with_spread(trend.slope)),
                Cell(f"{trend.r_squared:.2f}"),
                Cell(f"{rho.value:.2f}", f"{rho.low:.2f} to {rho.high:.2f}"),
            )
        rows.append((Cell(name), Cell(arm), Cell(str(len(curve.points))), *cells))
    rows += [
        (Cell(name), Cell(f"{REAL} less {arm}"), NONE, Cell(with_spread(slope)), NONE, NONE)
        for (name, arm), slope in slopes.items()
    ]
    # One reason a set: its arms are scored on the same texts.
    reasons = {
        name: curve.trend
        for (name, _), curve in curves.items()
        if isinstance(curve.trend, Undefined)
    }
    return Table(
        key="agreement-trends",
        title="How accuracy goes with agreement",
        columns=(
            Column("votes", number=False),
            Column("arm", number=False),
            *map(Column, ("thresholds", "slope", "R squared", "Spearman's rho")),
        ),
        rows=tuple(rows),
        notes=(
            "Slope: points of accuracy from no agreement to full agreement, by least squares.",
            *([_LESS] if slopes else []),
            "The thresholds are nested, so intervals come from drawing texts and seeds again.",
            *(f"{name}: {reason}." for name, reason in reasons.items()),
        ),
    )


def levels_table(
    name: str,
    levels: Mapping[str, AccuracyByLevel],
    less: Mapping[str, Interval | Undefined],
) -> Table:
    """Return accuracy at each level of agreement by itself, of all arms on the same texts.

    Args:
        name: Of the set of votes.
        levels: Arm -> its accuracy.
        less: Synthetic arm -> the rise of the arm real minus that of this arm.
    """
    first = next(iter(levels.values()))
    rows = [
        (
            Cell(f"{each.agreement:.2f}"),
            Cell(f"{each.n:,}"),
            Cell(hundredths(each.largest_class)),
            *(_accuracy(own.levels[i].accuracy) for own in levels.values()),
        )
        for i, each in enumerate(first.levels)
    ]
    rises = [own.rise for own in levels.values()]
    rows.append((Cell("rise"), NONE, NONE, *map(_rise, rises)))
    if less:
        cells = [_rise(less[arm]) if arm in less else NONE for arm in levels]
        rows.append((Cell(f"rise, {REAL} less arm"), NONE, NONE, *cells))
    return Table(
        key=f"levels-{name}",
        title=f"{name}: accuracy (%) at each level of agreement",
        columns=(*map(Column, ("agreement", "texts", "largest class")), *map(Column, levels)),
        rows=tuple(rows),
        notes=(
            "Rise: accuracy at the highest level minus that at the lowest, in points.",
            *([_LESS] if less else []),
            _LARGEST,
            *(
                f"The rise is {rise}."
                for rise in dict.fromkeys(rises)
                if isinstance(rise, Undefined)
            ),
        ),
    )


def _rise(rise: Interval | Undefined) -> Cell:
    return Cell("undefined") if isinstance(rise, Undefined) else _accuracy(rise)


def _accuracy(interval: Interval) -> Cell:
    return Cell(hundredths(interval.value), spread(interval))
