"""Table 1 as LaTeX, for a paper: `booktabs`, one row a task."""

from collections.abc import Sequence

from evaluation.report.results import StudyResults, TaskResult
from evaluation.report.score_tables import arms_present
from evaluation.report.wording import hundredths, one_line
from evaluation.uncertainty.scores import Interval

_SPECIAL = {
    "\\": r"\textbackslash{}",
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
    **{mark: f"\\{mark}" for mark in "&%$#_{}"},
}


def latex_table(results: StudyResults) -> str:
    """Return Table 1: macro-F1 of each arm, and the gap of each synthetic one, with intervals."""
    tasks = results.with_main_arms
    arms = arms_present(tasks, results.arms)
    gapped = {each.arm for task in tasks for each in task.synthetic}
    heads, groups, start = ["Task"], [], 2
    for arm in arms:
        own = ["F1", "gap"] if arm in gapped else ["F1"]
        heads += own
        groups.append((escape_latex(arm), start, len(own)))
        start += len(own)
    spans = " & ".join(rf"\multicolumn{{{n}}}{{c}}{{{arm}}}" for arm, _, n in groups)
    rules = "".join(rf"\cmidrule(lr){{{first}-{first + n - 1}}}" for _, first, n in groups)
    lines = [
        r"% Needs \usepackage{booktabs}.",
        r"\begin{tabular}{l" + "r" * (len(heads) - 1) + "}",
        r"\toprule",
        rf" & {spans} \\",
        rules,
        " & ".join(heads) + r" \\",
        r"\midrule",
        *(_row(task, arms, gapped) for task in tasks),
        r"\bottomrule",
        r"\end{tabular}",
    ]
    return "\n".join(lines) + "\n"


def escape_latex(text: str) -> str:
    """Return `text` as one line that LaTeX prints as it is."""
    return "".join(_SPECIAL.get(character, character) for character in one_line(text))


def _row(task: TaskResult, arms: Sequence[str], gapped: set[str]) -> str:
    cells = [escape_latex(task.facts.title)]
    for arm in arms:
        found = task.arm(arm)
        cells.append(_cell(found.macro_f1 if found else None))
        if arm in gapped:
            cells.append(_cell(found.gap if found else None))
    return " & ".join(cells) + r" \\"


def _cell(interval: Interval | None) -> str:
    if interval is None:
        return "--"
    low, high = hundredths(interval.low), hundredths(interval.high)
    return (
        rf"{_signed(hundredths(interval.value))} {{\scriptsize[{_signed(low)}, {_signed(high)}]}}"
    )


def _signed(number: str) -> str:
    """Set a minus as mathematics does."""
    return f"${number}$" if number.startswith("-") else number
