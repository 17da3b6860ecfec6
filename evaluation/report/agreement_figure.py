"""The figure of accuracy against the agreement of annotators: figures 2 and C.1 of the paper."""

from collections.abc import Mapping
from typing import TYPE_CHECKING

from evaluation.report.style import Drawing, draw, legend, looks, offsets, plot_intervals
from evaluation.report.wording import with_spread
from evaluation.subjectivity.agreement_curve import AgreementCurve
from evaluation.undefined import Undefined

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def draw_agreement(name: str, curves: Mapping[str, AgreementCurve]) -> Drawing:
    """Draw accuracy over the threshold, arm by arm, with each arm's fitted line and its band.

    Args:
        name: Of the set of votes.
        curves: Arm -> its curve.
    """
    look = looks(tuple(curves))

    def paint(figure: "Figure") -> None:
        axes = figure.add_subplot()
        axes.grid(axis="y")
        axes.set_xlabel("texts with at least this agreement of their annotators")
        axes.set_ylabel("accuracy (%)")
        for (arm, curve), shift in zip(curves.items(), offsets(len(curves), 0.012), strict=True):
            points = [(each.gamma + shift, each.accuracy) for each in curve.points]
            tips = [
                f"{arm}: {with_spread(each.accuracy)} on {each.n:,} texts with agreement "
                f"{each.gamma:.2f} or more"
                for each in curve.points
            ]
            plot_intervals(axes, points, look[arm], arm, tips=tips, upright=True)
            fitted = [
                (each.gamma, each.line)
                for each in curve.points
                if not isinstance(each.line, Undefined)
            ]
            if fitted:
                gammas = [gamma for gamma, _ in fitted]
                lows, highs = (
                    [100 * getattr(line, end) for _, line in fitted] for end in ("low", "high")
                )
                axes.fill_between(gammas, lows, highs, color=look[arm].colour, alpha=0.1)
                axes.plot(gammas, [100 * line.value for _, line in fitted], color=look[arm].colour)
        legend(figure, axes)

    caption = (
        f"{name}: accuracy on the texts whose annotators agree at least so far. Lines: least "
        "squares, with 95 % bands from drawing texts and seeds again; the texts of a threshold "
        "hold those of the next, so points are not independent."
    )
    return draw(f"agreement-{name}", caption, (6.6, 3.8), paint)
