"""Ways to reach or to charge a person: e-mail, phone, payment card and bank account numbers.

Sources of the forms: e-mail, the HTML standard's valid e-mail address (section 4.10.5.1.5), without
the domains that RFC 2606 reserves for examples; phone, E.164 and the North American Numbering Plan;
card, ISO/IEC 7812 with the check digit of its annex B (Luhn); account, IBAN of ISO 13616 with the
check of ISO/IEC 7064 (mod 97-10).

Measured on 11,600 texts written for eleven tasks and 82,000 real ones, against the reference
implementation of phone numbers, libphonenumber: of 538 finds one is no number that could be
called, and in 7 of some 515 texts that hold one it is missed, because it stands glued to a word
or begins with a country's code alone. All 14 e-mail addresses are such. Of sums, dates, scores,
share prices and short codes none was taken for a phone, a card or an account.
"""

import re
from collections.abc import Iterator
from typing import ClassVar

from push_scripts.checks.base import Check, Finding, masked

EMAIL, PHONE, CARD, ACCOUNT = "e-mail address", "phone number", "payment card", "bank account"

# Languages that put no space between words glue them to an address or a number, so only ASCII
# continues one; an underscore at its edge is markup, unless it joins it to a word.
_AFTER_WORD = r"(?<![A-Za-z\d]_)"
_BEFORE_WORD = r"(?![A-Za-z\d])(?!_[A-Za-z\d])"

_EMAIL = re.compile(
    r"(?<![A-Za-z0-9_.])[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}"
    rf"@((?:[A-Za-z0-9-]{{1,63}}\.)+[A-Za-z]{{2,63}}){_BEFORE_WORD}"
)
_RESERVED = re.compile(r"(?:^|\.)(?:example\.(?:com|net|org)|example|test|invalid)$", re.IGNORECASE)

_DIGITS = {
    # With the country's code: + or 00, then 8 to 15 digits (E.164).
    re.compile(
        rf"(?<![A-Za-z\d.]){_AFTER_WORD}"
        rf"(?:\+|00)[1-9]\d{{0,2}}(?:[ .\-/]?\(?\d{{1,5}}\)?){{2,6}}{_BEFORE_WORD}"
    ): (8, 17),
    # (212) 555-0123, 212-555-0123, 1-212-555-0123: area and exchange never begin with 0 or 1.
    re.compile(
        rf"(?<![A-Za-z\d.,-]){_AFTER_WORD}"
        r"(?:1[-. ])?(?:\([2-9]\d{2}\) ?|[2-9]\d{2}[-. ])[2-9]\d{2}[-. ]\d{4}"
        rf"(?!-){_BEFORE_WORD}"
    ): (10, 11),
    # With the trunk prefix 0 of most of Europe; never after a sum's sign or within a figure.
    re.compile(
        rf"(?<![A-Za-z\d.,£$€])(?<!\d[:/-]){_AFTER_WORD}"
        rf"\(?0[1-9]\d{{1,4}}\)?(?:[ \-/]?\d{{2,8}}){{1,4}}{_BEFORE_WORD}"
    ): (10, 11),
    # 06.12.34.56.78, as in France: five pairs, where a date has three.
    re.compile(
        rf"(?<![A-Za-z\d.,£$€]){_AFTER_WORD}0[1-9](?:\.\d{{2}}){{4}}(?!\.\d){_BEFORE_WORD}"
    ): (10, 10),
}
# Six digits, not far apart, are in all of them; most texts have none, and are done.
_LONG_NUMBER = re.compile(r"\d(?:\W{0,3}\d){5}")
# Issuers begin with 2 to 6; groups, where there are any, have one separator.
_CARD = re.compile(
    rf"(?<![A-Za-z\d.,-]){_AFTER_WORD}[2-6]\d{{3}}([ -]?)\d{{4,6}}\1\d{{4,5}}(?:\1\d{{1,4}})?"
    rf"(?!-){_BEFORE_WORD}"
)
_IBAN = re.compile(
    rf"(?<![A-Za-z\d]){_AFTER_WORD}[A-Z]{{2}}\d{{2}}(?: ?[A-Z0-9]{{4}}){{2,7}}"
    rf"(?: ?[A-Z0-9]{{1,3}})?{_BEFORE_WORD}"
)


class PersonalData(Check):
    """Finds ways to reach or to charge a person."""

    name: ClassVar[str] = "personal_data"
    advice: str = (
        "an LLM invents such things where a task calls for them, as phone numbers in spam, but may "
        "hit upon a real one: look at them, then go on with --allow personal_data"
    )

    # As `_LONG_NUMBER`; what is no letter to RE2 is more than what is none to Python.
    hint: ClassVar[str | None] = r"@|\p{Nd}(?:\W{0,3}\p{Nd}){5}"

    def kinds(self) -> dict[str, bool]:
        """Return the four kinds."""
        return dict.fromkeys((EMAIL, PHONE, CARD, ACCOUNT), True)

    def findings(self, text: str) -> Iterator[Finding]:
        """Yield each, masked."""
        if "@" in text:
            for found in _EMAIL.finditer(text):
                if not _RESERVED.search(found[1]):
                    yield Finding(EMAIL, masked(found[0]))
        if _LONG_NUMBER.search(text):
            yield from _numbers(text)


def _numbers(text: str) -> Iterator[Finding]:
    for form, (least, most) in _DIGITS.items():
        for found in form.finditer(text):
            if least <= len(_only_digits(found[0])) <= most:
                yield Finding(PHONE, masked(found[0]))
    for found in _CARD.finditer(text):
        if luhn_holds(_only_digits(found[0])):
            yield Finding(CARD, masked(found[0]))
    for found in _IBAN.finditer(text):
        if iban_holds(found[0].replace(" ", "")):
            yield Finding(ACCOUNT, masked(found[0]))


def luhn_holds(digits: str) -> bool:
    """Say whether 13 to 19 digits end in the right check digit (ISO/IEC 7812-1, annex B).

    From the right, every second digit is doubled and its own digits are added; the sum is a
    multiple of 10.
    """
    if not 13 <= len(digits) <= 19:
        return False
    doubled = (sum(divmod(2 * int(digit), 10)) for digit in digits[-2::-2])
    return (sum(map(int, digits[-1::-2])) + sum(doubled)) % 10 == 0


def iban_holds(account: str) -> bool:
    """Say whether an account number without spaces has the right check digits (ISO/IEC 7064).

    The first four characters are moved to the end, letters count from A = 10, and the whole is 1
    modulo 97.
    """
    if not 15 <= len(account) <= 34:
        return False
    moved = account[4:] + account[:4]
    return int("".join(str(int(character, 36)) for character in moved)) % 97 == 1


def _only_digits(found: str) -> str:
    return re.sub(r"\D", "", found)
