"""Generated text made harmless in Markdown: it shows as it is and never acts as markup."""

import re

from evaluation.report.wording import one_line

_ENTITIES = {"&": "&amp;", "<": "&lt;", ">": "&gt;"}
# An underscore inside a word is no markup and stays readable; every other mark gets a backslash.
_MARKS = re.compile(r"[\\`*\[\]|#~$!{}]|(?<![^\W_])_|_(?![^\W_])")


def escape_markdown(value: object) -> str:
    """Return `value` as one line of Markdown text that shows it literally, in tables too."""
    text = "".join(_ENTITIES.get(c, c) for c in one_line(str(value)))
    return _MARKS.sub(lambda found: "\\" + found.group(), text)
