"""Figures with a panel a task, two side by side."""

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from evaluation.report.style import Drawing, draw, legend, shortened

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_COLUMNS = 2


def draw_panels(
    name: str,
    caption: str,
    titles: Sequence[str],
    axis: tuple[str, str],
    paint: Callable[["Axes", int], None],
) -> Drawing:
    """Draw a panel for each title, with the legend of the first above all.

    Args:
        name: The figure's file name without ending.
        caption: What it shows and how to read it.
        titles: Those of the panels.
        axis: What the horizontal and the vertical axis of all panels show.
        paint: Fills the panel of a title, which it is given by its place.
    """
    n_rows = -(-len(titles) // _COLUMNS)

    def paint_all(figure: "Figure") -> None:
        panels = figure.subplots(n_rows, min(_COLUMNS, len(titles)), squeeze=False).ravel()
        for place, (axes, title) in enumerate(zip(panels, titles, strict=False)):
            axes.set_title(shortened(title), fontsize=10.5, loc="left")
            axes.grid(axis="y")
            paint(axes, place)
        for axes in panels[len(titles) :]:
            axes.set_visible(False)
        figure.supxlabel(axis[0], fontsize=10.5)
        figure.supylabel(axis[1], fontsize=10.5)
        legend(figure, panels[0])

    return draw(name, caption, (7.2, 0.9 + 2.2 * n_rows), paint_all)
