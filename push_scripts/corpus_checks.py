"""What is found in a corpus folder that is to be published: in every column that holds words."""

from collections.abc import Collection
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING

from builders.annotation import CONFIGURATION
from builders.corpus import read_texts
from builders.errors import UserError
from builders.strategies import create_strategy
from push_scripts.corpus_release import Configuration, Contents

if TYPE_CHECKING:
    from builders.real import RealData
    from push_scripts.checks import CheckReport

_TEXT = "text"


def check_folder(
    folder: Path,
    contents: Contents,
    real: "RealData | None",
    examples: Collection[str] | None,
    allow: Collection[str],
) -> str:
    """Check what would be published; return what the card says of it, in Markdown.

    Args:
        folder: The corpus folder.
        contents: What it would release.
        real: Real texts that none of the corpus may copy, None where there are none at hand.
        examples: Real texts that were shown to the LLM, None where they are not known.
        allow: Names of the checks whose findings are accepted.

    Raises:
        UserError: Something was found that is not allowed, or `allow` names no check.
    """
    from push_scripts.checks import check_column, check_corpus

    problems, tables = [], []
    for name, configuration in contents.configurations.items():
        labelled = name == CONFIGURATION
        shown = () if labelled or not create_strategy(name).shows_examples else examples
        # Arrow reads and searches outside of Python, so that the columns beside the texts cost a
        # second core and no time.
        with ThreadPoolExecutor(1) as pool:
            begun = {
                column: pool.submit(check_column, column, read_texts(folder, name, column), allow)
                for column in _columns_of_words(configuration)
            }
            texts = read_texts(folder, name)
            report = check_corpus(texts, real, shown, allow, labelled=labelled)
            others = {column: each.result() for column, each in begun.items()}
        for each in (report, *others.values()):
            problems += [f"{name}: {problem}" for problem in each.problems]
        tables.append(f"### Of `{name}`\n\n{report.as_markdown()}\n\n{_said(others)}")
    if problems:
        raise UserError(
            f"{folder}: is not pushed: {'; '.join(problems)}; what is meant to be there, --allow "
            "CHECK lets pass"
        )
    return "\n\n".join(tables)


def _columns_of_words(configuration: Configuration) -> list[str]:
    """Return the columns of strings beside the texts."""
    return [
        column
        for column, feature in configuration.features.items()
        if column != _TEXT and "string" in str(feature.get("dtype"))
    ]


def _said(others: "dict[str, CheckReport]") -> str:
    """Say what was found in columns beside the texts."""
    found = [
        f"{kind} in {count} values of `{column}`"
        for column, report in others.items()
        for kind, count in report.counts.items()
        if count
    ]
    columns = ", ".join(f"`{column}`" for column in others)
    return f"Secrets and personal data in {columns}: {'; '.join(found) or 'none'}."
