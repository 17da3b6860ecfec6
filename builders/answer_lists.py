"""Takes texts out of lists with a number, a bullet or a heading before each item."""

import re
from collections.abc import Iterable
from typing import NamedTuple

from builders.filters.refusal import is_refusal

FENCE = re.compile(r"^[ \t]*```[\w+-]*[ \t]*$", re.MULTILINE)


class Found(NamedTuple):
    """The items of an answer in one of the forms that it may have."""

    items: list[str]
    truncated: bool


_NUMBERED = re.compile(
    r"[ \t]*(?:\*\*)?\(?\d{1,3}[.)](?:\*\*)?(?:\s+|$|(?=[\"\u201c*]))(?P<item>.*)"
)
_DASH = re.compile(r"[-\u2013]")
_BULLETED = re.compile(r"[ \t]*[-*\u2022\u2013](?:[ \t]+|$)(?P<item>.*)")
# `Review 1: ...`, `1: ...`, and as in Chinese: told from a text by numbers that go up by one.
_HEADED = re.compile(
    r"[ \t]*(?:\*\*|#{1,4} )?(?:[^\W\d_]+ )?(?P<number>\d{1,3})(?:\*\*)?"
    r"(?:\u3001|\uff1a|:(?=\*\*|\s|$))(?:\*\*)?\s*(?P<item>.*)"
)
_NUMBER = re.compile(r"\s*(?P<number>\d{1,3})[.)]\s+(?=\S)")
_FIRST = re.compile(r"\s*1[.)]")
_WRAPS = (("**", "**"), *((pair[0], pair[1]) for pair in ('""', "\u201c\u201d", "\xab\xbb", "``")))
_WRAPS += (("'", "'"), ("\u2018", "\u2019"))


def from_list(answer: str, n_texts: int | None, cut: bool) -> Found | None:
    """Collect the items of a numbered list or, if there is none, of a bulleted one."""
    lines = answer.splitlines()
    preface, items, open_end = _list_items(lines, _NUMBERED)
    if not items:  # bullets below a number are its details
        preface, items, open_end = _list_items(lines, _BULLETED)
        if n_texts == 1 and len(items) > 1 and not preface and _DASH.match(answer):
            return None  # what two people say
    if len(items) < 2 and n_texts != 1 and _go_up(map(_HEADED.fullmatch, lines)):
        preface, items, open_end = _list_items(lines, _HEADED)
    alone = n_texts == 1 and len(items) == 1 and (not preface or preface.endswith(":"))
    if (len(items) < 2 and not alone) or declines(preface):
        return None
    half = cut and open_end
    whole = [unquoted(item) for item in (items[:-1] if half else items)]
    return Found([item for item in whole if item], half)


def _go_up(found: Iterable[re.Match[str] | None]) -> bool:
    """Say whether at least two matches hold numbers, each one more than that before."""
    numbers = [int(each["number"]) for each in found if each]
    return len(numbers) > 1 and numbers == list(range(numbers[0], numbers[0] + len(numbers)))


def without_numbers(found: Found, n_texts: int | None) -> Found:
    """Take the numbers of a list off the items of JSON, and divide a list that is one item.

    Only where several texts were asked for; and a list begins with 1, as days of a month may not.
    """
    items = found.items
    if n_texts in (None, 1):
        return found
    if len(items) == 1:
        preface, listed, _ = _list_items(items[0].splitlines(), _NUMBERED)
        several = len(listed) > 1 and not preface
        return Found([unquoted(item) for item in listed], found.truncated) if several else found
    matches = [_NUMBER.match(item) for item in items]
    if not (all(matches) and _go_up(matches) and _FIRST.match(items[0])):
        return found
    return Found([_NUMBER.sub("", item, count=1) for item in items], found.truncated)


def _list_items(lines: list[str], marker: re.Pattern[str]) -> tuple[str, list[str], bool]:
    """Return what stands before the list, its items, and whether the last runs to the end.

    A line right below an item belongs to it, and so does an indented one after a blank line, as in
    Markdown. A further paragraph does if another item follows; after the last item it is talk,
    unless the items before had such paragraphs too.
    """
    preface: list[str] = []
    items: list[str] = []
    asides: list[str] = []  # lines of which it is still open whether they belong to the last item
    indent = 0
    blank = long_items = talk = False
    for line in lines:
        found = marker.fullmatch(line)
        depth = len(line) - len(line.lstrip())
        if found and (not items or depth <= indent + 1):
            if not items:
                indent = depth
            elif asides:
                items[-1], long_items = " ".join((items[-1], *asides)), True
            items.append(found["item"])
            asides, talk = [], False
        elif not items:
            preface.append(line)
        elif line.strip() and not talk:
            aside = bool(asides) or (blank and depth <= indent and items[-1] != "")
            talk = _is_talk(line, aside)
            if aside and not talk:
                asides.append(line)
            elif not talk:
                items[-1] += f" {line}"
        blank = not line.strip()
    if long_items:
        items[-1] = " ".join((items[-1], *asides))
    ended = talk or (bool(asides) and not long_items)
    return " ".join(preface).strip(), items, not ended


def _is_talk(line: str, aside: bool) -> bool:
    """Say whether what starts below an item is no part of it: a fence, a remark, a heading."""
    plain = line.strip(" \t*_-=")
    heading = not plain or plain.endswith(":") or plain.startswith("#")
    return (aside and heading) or FENCE.fullmatch(line) is not None or is_refusal(plain)


def unquoted(text: str) -> str:
    """Strip one pair of quotation marks, or of Markdown's stars, that wraps the whole text."""
    text = text.strip()
    for left, right in _WRAPS:
        inner = text[len(left) : -len(right)]
        if text == f"{left}{inner}{right}" and inner and left not in inner and right not in inner:
            return inner
    return text


_DECLINING = re.compile(
    r"(?:(?:i'm |i am )?(?:sorry|afraid)\b|unfortunately\b|i apologi[sz]e\b)?[\s,.]*(?:but )?"
    r"(?:i(?:'m| am)? (?:can't|cannot|can not|won't|will not|unable to|not able to)"
    r"|as an ai\b|please (?:provide|share|give|tell))\b",
    re.IGNORECASE,
)


def declines(answer: str) -> bool:
    """Say whether an answer that holds no texts, or what stands before a list, is a refusal."""
    return _DECLINING.match(answer.replace("\N{RIGHT SINGLE QUOTATION MARK}", "'")) is not None
