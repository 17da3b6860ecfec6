"""What is looked at before a corpus is published: leaks, secrets, personal data."""

from collections.abc import Collection, Iterable
from typing import Any

from builders.real import RealData
from push_scripts.checks.base import NOT_CHECKED, Check, CheckReport, run_checks
from push_scripts.checks.leak import Leak
from push_scripts.checks.personal_data import PersonalData
from push_scripts.checks.secrets import Secrets

__all__ = ["CHECKS", "NOT_CHECKED", "Check", "CheckReport", "check_column", "check_corpus"]

CHECKS = (Leak.name, Secrets.name, PersonalData.name)
"""What `--allow` may name."""


def check_corpus(
    parts: Iterable[Any],
    real: RealData | None,
    examples: Iterable[str] | None,
    allow: Collection[str],
    *,
    labelled: bool = False,
) -> CheckReport:
    """Look for what should not be published in the texts of one configuration.

    Args:
        parts: The texts, in the order of the rows, part after part: strings, or arrays of Arrow.
        real: The task's real texts; None where they are not at hand: leaks from them are then
            `not checked`, which is no count of 0.
        examples: The real texts that prompts showed: none for a strategy that shows none, None
            where that is not known.
        allow: Names of checks whose findings do not stop a push.
        labelled: Whether the texts are real ones that an LLM labelled, and did not write.

    Raises:
        UserError: `allow` names no check.
    """
    leak = Leak(real, examples, labelled=labelled)
    return run_checks((leak, Secrets(), PersonalData()), parts, allow, CHECKS)


def check_column(name: str, parts: Iterable[Any], allow: Collection[str]) -> CheckReport:
    """Look for secrets and personal data in a column beside the texts, such as their ids.

    Args:
        name: The column, for the lines of the report.
        parts: Its values, in the order of the rows, part after part: strings, or arrays of Arrow.
        allow: Names of checks whose findings do not stop a push.

    Raises:
        UserError: `allow` names no check.
    """
    return run_checks((Secrets(), PersonalData()), parts, allow, CHECKS, f"values of {name}")
