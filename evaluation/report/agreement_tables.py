"""Votes, and accuracy against agreement, as tables for a report and for the terminal."""

from collections.abc import Mapping

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


def trend_table(curves: Mapping[tuple[str, str], AgreementCurve]) -> Table:
    """Return slope, R squared and rho of each curve, or why there are none.

    Args:
        curves: (set of votes, arm) -> its curve.
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
            "The thresholds are nested, so intervals come from drawing texts and seeds again.",
            *(f"{name}: {reason}." for name, reason in reasons.items()),
        ),
    )


def levels_table(name: str, levels: Mapping[str, AccuracyByLevel]) -> Table:
    """Return accuracy at each level of agreement by itself, of all arms on the same texts.

    Args:
        name: Of the set of votes.
        levels: Arm -> its accuracy.
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
    rise_cells = [Cell("undefined") if isinstance(r, Undefined) else _accuracy(r) for r in rises]
    rows.append((Cell("rise"), Cell("-"), Cell("-"), *rise_cells))
    return Table(
        key=f"levels-{name}",
        title=f"{name}: accuracy (%) at each level of agreement",
        columns=(*map(Column, ("agreement", "texts", "largest class")), *map(Column, levels)),
        rows=tuple(rows),
        notes=(
            "Rise: accuracy at the highest level minus that at the lowest, in points.",
            _LARGEST,
            *(
                f"The rise is {rise}."
                for rise in dict.fromkeys(rises)
                if isinstance(rise, Undefined)
            ),
        ),
    )


def _accuracy(interval: Interval) -> Cell:
    return Cell(hundredths(interval.value), spread(interval))
