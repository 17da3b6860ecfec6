"""Names at the points of a figure, placed so that none covers a point or another name."""

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

from evaluation.report.style import MUTED
from evaluation.report.wording import one_line

if TYPE_CHECKING:
    from matplotlib.artist import Artist
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from matplotlib.transforms import Bbox

_STEP = 6


class NamedPoints(NamedTuple):
    """A task's place: where its points stand and how far they reach."""

    x: float
    name: str
    low: float
    high: float


def _broken(name: str, width: int = 12) -> list[str]:
    """Break a task's name after underscores, into lines of about `width` characters."""
    lines = [""]
    for part in re.split(r"(?<=_)", one_line(name)):
        if lines[-1] and len(lines[-1] + part) > width:
            lines.append("")
        lines[-1] += part
    return lines


def name_points(figure: "Figure", axes: "Axes", columns: Sequence[NamedPoints]) -> None:
    """Write each task's name above or below its points, where it covers nothing.

    Where the names find no room the vertical axis is stretched and all are placed anew.
    """
    low = min(0.0, *(column.low for column in columns))
    high = max(0.0, *(column.high for column in columns))
    for margin in (0.15, 0.3, 0.6, 1.2, 2.4):
        room = margin * (high - low or 1.0)
        axes.set_ylim(low - room, high + room)
        figure.draw_without_rendering()
        if _all_placed(axes, columns):
            return


def _all_placed(axes: "Axes", columns: Sequence[NamedPoints]) -> bool:
    """Write the names; where one finds no room take all away again and return False."""
    taken = [_reach(axes, column) for column in columns]
    written: list[Artist] = []
    for index, column in enumerate(columns):
        artists, box = _place(axes, column, [*taken[:index], *taken[index + 1 :]])
        written += artists
        if box is None:
            for artist in written:
                artist.remove()
            return False
        taken.append(box)
    return True


def _reach(axes: "Axes", column: NamedPoints) -> "Bbox":
    """Return the box, in pixels, around a task's points and their intervals."""
    from matplotlib.transforms import Bbox

    ends = axes.transData.transform([(column.x, column.low), (column.x, column.high)])
    return Bbox([[ends[0][0] - 12, ends[0][1] - 4], [ends[1][0] + 12, ends[1][1] + 4]])


def _place(
    axes: "Axes", column: NamedPoints, others: Sequence["Bbox"]
) -> "tuple[list[Artist], Bbox | None]":
    """Write one name next to its points, or as near as it covers none of `others`.

    Names are tried step by step further away; a thin line leads to one that had to move.
    """
    text = axes.annotate(
        "\n".join(_broken(column.name)),
        (column.x, column.high),
        textcoords="offset points",
        xytext=(0, _STEP),
        ha="center",
        fontsize=9,
        linespacing=1.05,
    )
    # The layout was settled before: a name must not move the axes under the names placed so far.
    text.set_in_layout(False)
    frame = axes.get_window_extent()
    for distance in range(_STEP, 400, _STEP):
        for above in (True, False):
            end = column.high if above else column.low
            text.xy = (column.x, end)
            text.set_position((0, distance if above else -distance))
            text.set_verticalalignment("bottom" if above else "top")
            box = text.get_window_extent().padded(2)
            inside = frame.y0 < box.y0 and box.y1 < frame.y1
            if inside and not any(box.overlaps(other) for other in others):
                if distance <= 2 * _STEP:
                    return [text], box
                edge = axes.transData.inverted().transform((0, box.y0 if above else box.y1))[1]
                line = axes.plot([column.x] * 2, [end, edge], color=MUTED, linewidth=0.6)
                return [text, *line], box
    return [text], None
