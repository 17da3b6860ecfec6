"""How the report's figures are drawn."""

import subprocess
import sys

import pytest

from evaluation.report.placement import NamedPoints, name_points
from evaluation.report.style import looks, offsets


def test_arm_looks_the_same_in_every_study() -> None:
    """Colour and marker of an arm do not depend on the other arms."""
    few = looks(["few_shot", "real"])
    many = looks(["real", "mixed", "zero_shot", "few_shot", "llm_labelled"])
    assert few["few_shot"] == many["few_shot"]
    assert few["real"] == many["real"]


def test_arms_differ_in_colour_and_in_marker() -> None:
    """Eight arms are told apart by colour alone, and by marker alone."""
    made = looks(["real", "real_full", "zero_shot", "few_shot", "a", "b", "c", "d"]).values()
    assert len({look.colour for look in made}) == 8
    assert len({look.marker for look in made}) == 8


def test_offsets_spread_evenly_around_zero() -> None:
    """One stands in the middle, three at the ends and the middle of the span."""
    assert offsets(1, 0.6) == [0.0]
    assert offsets(3, 0.6) == pytest.approx([-0.3, 0.0, 0.3])


@pytest.mark.parametrize("spacing", [1.0, 0.25])
def test_names_cover_neither_points_nor_one_another(spacing: float) -> None:
    """Ten tasks with the same gap, even four to a rank, are all named, and no two names touch."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure
    from matplotlib.text import Annotation

    figure = Figure(figsize=(7.2, 4.8))
    FigureCanvasAgg(figure)
    axes = figure.add_subplot()
    axes.set_xlim(0, 11)
    points = [NamedPoints(1 + spacing * i, f"a_task_of_length_{i}", 2.0, 8.0) for i in range(10)]
    name_points(figure, axes, points)
    names = [child for child in axes.get_children() if isinstance(child, Annotation)]
    boxes = [name.get_window_extent() for name in names]
    assert len(names) == 10
    assert not any(a.overlaps(b) for i, a in enumerate(boxes) for b in boxes[:i])
    for point in points:
        ends = axes.transData.transform([(point.x, point.low), (point.x, point.high)])
        for box in boxes:
            inside = box.x0 < ends[0][0] < box.x1
            assert not (inside and box.y0 < ends[1][1] and box.y1 > ends[0][1])


def test_report_is_imported_without_its_libraries() -> None:
    """The package costs no import of the drawing and template libraries until it is used."""
    code = (
        "import sys, evaluation.report\n"
        "print(sorted({'matplotlib', 'jinja2', 'scipy', 'sklearn', 'pandas'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_drawing_leaves_the_settings_of_the_process_alone() -> None:
    """After a figure the user's own settings hold, and pyplot was never loaded."""
    code = (
        "import sys, matplotlib\n"
        "matplotlib.rcParams['font.size'] = 33\n"
        "from evaluation.report.style import draw\n"
        "made = draw('x', 'y', (2, 2), lambda figure: figure.add_subplot().set_title('a $b$'))\n"
        "print(matplotlib.rcParams['font.size'], 'matplotlib.pyplot' in sys.modules)\n"
        "print('>a $b$<' in made.svg, made.png[1:4])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split("\n")[:2] == ["33.0 False", "True b'PNG'"]
