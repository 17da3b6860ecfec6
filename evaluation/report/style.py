"""How the figures look: one colour and marker per arm, everywhere, and the drawing of a page."""

import io
import re
import textwrap
import warnings
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from evaluation.report.wording import one_line
from evaluation.uncertainty.scores import Interval

if TYPE_CHECKING:
    from matplotlib.artist import Artist
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

INK, MUTED, RULE, PAPER = "#1f2328", "#59636e", "#d1d9e0", "#ffffff"

# The palette of Okabe and Ito (2008), https://jfly.uni-koeln.de/color/: told apart with every
# common colour vision. Markers tell the arms apart without any colour.
_KNOWN = {
    "real": ("#1f2328", "o"),
    "real_full": ("#8c959f", "D"),
    "zero_shot": ("#d55e00", "s"),
    "few_shot": ("#0072b2", "^"),
}
_OTHERS = (
    ("#009e73", "v"),
    ("#cc79a7", "P"),
    ("#e69f00", "X"),
    ("#56b4e9", "h"),
)

_RC: Mapping[str, Any] = {
    "axes.edgecolor": MUTED,
    "axes.labelcolor": INK,
    "axes.spines.right": False,
    "axes.spines.top": False,
    "axes.axisbelow": True,
    "figure.facecolor": PAPER,
    "axes.facecolor": PAPER,
    "font.family": "DejaVu Sans",
    "font.size": 10.5,
    "grid.color": RULE,
    "grid.linewidth": 0.7,
    "legend.frameon": False,
    "savefig.dpi": 160,
    "svg.fonttype": "none",
    "svg.hashsalt": "understudy",
    "text.color": INK,
    # Titles are anybody's: a dollar sign in one is no formula.
    "text.parse_math": False,
    "xtick.color": MUTED,
    "xtick.labelcolor": INK,
    "ytick.color": MUTED,
    "ytick.labelcolor": INK,
}


class Look(NamedTuple):
    """How an arm is drawn."""

    colour: str
    marker: str


class Drawing(NamedTuple):
    """A finished figure.

    Attributes:
        name: Its file name without ending.
        caption: What it shows and how to read it.
        png: The picture, on white.
        svg: The same as SVG, on white; marks that say something of their own have a `title`.
    """

    name: str
    caption: str
    png: bytes
    svg: str


def looks(arms: Sequence[str]) -> dict[str, Look]:
    """Give every arm its colour and marker; unknown arms take theirs in order."""
    others = [arm for arm in arms if arm not in _KNOWN]
    return {
        arm: Look(*(_KNOWN[arm] if arm in _KNOWN else _OTHERS[others.index(arm) % len(_OTHERS)]))
        for arm in arms
    }


def draw(
    name: str, caption: str, size: tuple[float, float], paint: Callable[["Figure"], None]
) -> Drawing:
    """Make the figure that `paint` fills, `size` in inches; the same bytes each time."""
    from matplotlib import style
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    with warnings.catch_warnings(), style.context(["default", dict(_RC)], after_reset=True):
        # A title may hold letters that the one embedded font lacks: the PNG shows boxes there, the
        # SVG names the letters themselves.
        warnings.filterwarnings("ignore", message="Glyph .* missing from font")
        figure = Figure(figsize=size, layout="constrained")
        FigureCanvasAgg(figure)
        paint(figure)
        # Settled once, so that both files agree and neither solves it again.
        figure.draw_without_rendering()
        figure.set_layout_engine("none")
        png, svg = io.BytesIO(), io.BytesIO()
        figure.savefig(png, format="png", metadata={"Software": None})
        figure.savefig(svg, format="svg", metadata={"Date": None, "Creator": None})
    return Drawing(name, caption, png.getvalue(), _with_tips(svg.getvalue().decode()))


_TIP = "tip:"


def tip(artist: "Artist", text: str) -> None:
    """Let the SVG say `text` of this mark: where one points at it, and to a screen reader."""
    artist.set_gid(_TIP + one_line(text))


def _with_tips(svg: str) -> str:
    """Turn the identifiers that `tip` gave into titles; they are escaped already."""
    return re.sub(
        rf'<g id="{_TIP}([^"]*)">',
        r'<g class="tip" tabindex="0" role="img" aria-label="\1"><title>\1</title>',
        svg,
    )


def task_rows(axes: "Axes", titles: Sequence[str]) -> None:
    """Make the vertical axis one row a task, the first on top, with a band under every other."""
    axes.set_yticks(range(len(titles)), [shortened(title) for title in titles])
    axes.set_ylim(len(titles) - 0.5, -0.5)
    axes.tick_params(axis="y", length=0)
    axes.grid(axis="x")
    for row in range(1, len(titles), 2):
        axes.axhspan(row - 0.5, row + 0.5, color=RULE, alpha=0.3, linewidth=0, zorder=0)


def plot_intervals(
    axes: "Axes",
    points: Sequence[tuple[float, Interval]],
    look: Look,
    label: str,
    *,
    tips: Sequence[str] = (),
    upright: bool = False,
) -> None:
    """Plot scores in percent with their intervals, each at its place on the other axis.

    An interval of percentiles need not hold its value, so it is a line of its own, no error bar.

    Args:
        axes: Where to.
        points: Place and score.
        look: Colour and marker.
        label: For the legend.
        tips: What each point says of itself.
        upright: Whether the scores stand on the vertical axis.
    """
    places = [place for place, _ in points]
    values = [100 * interval.value for _, interval in points]
    lows = [100 * interval.low for _, interval in points]
    highs = [100 * interval.high for _, interval in points]
    (axes.vlines if upright else axes.hlines)(places, lows, highs, look.colour, linewidth=1.4)
    x, y = (places, values) if upright else (values, places)
    axes.plot([], [], look.marker, color=look.colour, markersize=6.5, label=label)
    for index, point in enumerate(zip(x, y, strict=True)):
        (mark,) = axes.plot(*point, look.marker, color=look.colour, markersize=6.5)
        if tips:
            tip(mark, tips[index])


def shortened(title: str) -> str:
    """Break a title into two short lines at most."""
    return "\n".join(textwrap.wrap(one_line(title), 30, max_lines=2, placeholder=" ..."))


def offsets(n: int, span: float) -> list[float]:
    """Return `n` places spread evenly over `span` around 0."""
    return [0.0] if n == 1 else [span * (i / (n - 1) - 0.5) for i in range(n)]


def legend(figure: "Figure", axes: "Axes") -> None:
    """Put the legend of `axes` above the figure, in one line."""
    handles, labels = axes.get_legend_handles_labels()
    if handles:
        figure.legend(handles, labels, loc="outside upper left", ncols=4, handletextpad=0.4)
