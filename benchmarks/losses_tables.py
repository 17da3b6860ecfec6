"""The tables of the comparison of losses, in Markdown."""

from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from statistics import mean

import numpy as np
from losses_cells import Cell

from evaluation.uncertainty.scores import Interval, gap_interval

BASE, HONEST = "cross_entropy", "cross_entropy + real"
"""What every method is held against, and what the methods with real texts are held against."""

ROUNDING = 1e-9
"""An end of an interval nearer to 0 is the rounding of sums."""


def tables(cells: Sequence[Cell], methods: Sequence[str]) -> str:
    """Return a summary of each group of corpora, then each corpus, then what was dropped.

    Args:
        cells: The cells; a corpus without that of cross-entropy is left out.
        methods: In the order of the columns; those without cells are left out.
    """
    groups: dict[str, dict[str, dict[str, Cell]]] = {}
    for cell in cells:
        groups.setdefault(cell.group, {}).setdefault(cell.corpus, {})[cell.method] = cell
    lines: list[str] = []
    for group, corpora in groups.items():
        whole = {name: own for name, own in corpora.items() if BASE in own}
        if not whole:
            continue
        shown = [m for m in methods if any(m in own for own in whole.values())]
        lines += [f"### {group[0].upper()}{group[1:]}", "", *_summary(whole, shown), ""]
        lines += [*_each(whole, shown), ""]
    return "\n".join([*lines, *_dropped(cells)])


def _summary(corpora: Mapping[str, Mapping[str, Cell]], methods: Sequence[str]) -> Iterator[str]:
    yield (
        "| method | corpora | macro-F1 | against cross_entropy | better / worse "
        "| against cross_entropy + real | better / worse |"
    )
    yield "| --- | ---: | ---: | ---: | ---: | ---: | ---: |"
    for method in methods:
        own = [cells for cells in corpora.values() if method in cells]
        scores = mean(cells[method].macro_f1 for cells in own)
        row = [method, str(len(own)), f"{100 * scores:.1f}"]
        for base in (BASE, HONEST):
            pairs = [(c[method], c[base]) for c in own if base in c and base != method]
            row += _compared(pairs) if pairs else ["", ""]
        yield f"| {' | '.join(row)} |"


def _compared(pairs: Sequence[tuple[Cell, Cell]]) -> list[str]:
    gains = [gain(cell, base) for cell, base in pairs]
    better, worse = sum(g.low > ROUNDING for g in gains), sum(g.high < -ROUNDING for g in gains)
    values = np.array([100 * g.value for g in gains])
    said = _points(values.mean())
    tasks, of_task = np.unique([cell.task for cell, _ in pairs], return_inverse=True)
    if len(tasks) > 1:
        # Corpora of a task share its test texts, so tasks are drawn with all their corpora.
        sums, counts = np.bincount(of_task, values), np.bincount(of_task)
        drawn = np.random.default_rng(0).integers(len(tasks), size=(10_000, len(tasks)))
        means = sums[drawn].sum(axis=1) / counts[drawn].sum(axis=1)
        low, high = np.quantile(means, (0.025, 0.975))
        said += f" ({_points(low)} to {_points(high)})"
    return [said, f"{better} / {worse}"]


def _each(corpora: Mapping[str, Mapping[str, Cell]], methods: Sequence[str]) -> Iterator[str]:
    others = [method for method in methods if method != BASE]
    yield f"| corpus | task | texts | test texts | {BASE} | {' | '.join(others)} |"
    yield f"| --- | --- |{' ---: |' * (3 + len(others))}"
    for name, cells in corpora.items():
        base = cells[BASE]
        row = [name, base.task, f"{base.n_train:,}", f"{len(base.references):,}"]
        row += [f"{100 * base.macro_f1:.1f}"]
        row += [_gain_said(cells[m], base) if m in cells else "" for m in others]
        yield f"| {' | '.join(row)} |"


def _gain_said(cell: Cell, base: Cell) -> str:
    found = gain(cell, base)
    value, low, high = (_points(100 * each) for each in (found.value, found.low, found.high))
    said = f"{value} ({low} to {high})"
    left_out = f", {cell.left_out:.0f} left out" if cell.left_out else ""
    told_apart = found.low > ROUNDING or found.high < -ROUNDING
    return (f"**{said}**" if told_apart else said) + left_out


def _points(value: float) -> str:
    """Return points with their sign; what rounds to none has no minus."""
    return f"{round(value, 1) + 0.0:+.1f}"


def _dropped(cells: Sequence[Cell]) -> Iterator[str]:
    counts = {cell.corpus: cell.dropped for cell in cells if cell.dropped}
    yield "| corpus | rows not used |"
    yield "| --- | --- |"
    for name, dropped in counts.items():
        reasons = "; ".join(f"{n:,} {reason}" for reason, n in sorted(dropped.items()))
        yield f"| {name} | {reasons} |"


@cache
def gain(cell: Cell, base: Cell) -> Interval:
    """Return the macro-F1 of a cell minus that of another on the same test texts, paired."""
    return gap_interval(cell.references, cell.predictions, base.predictions, cell.n_labels)
