"""The checks before a push: what they find, what they leave alone, what stops a push."""

import re
import sys

import pyarrow
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pyarrow import compute

from builders.composition import Order, compose
from builders.data import LabelledTexts
from builders.errors import UserError
from builders.llms.recording import Recording
from builders.real import RealData
from builders.tasks import load_task
from push_scripts.checks import CheckReport, check_corpus
from push_scripts.checks.personal_data import PersonalData, iban_holds, luhn_holds
from push_scripts.checks.secrets import Secrets

TRAINED = "The old lighthouse keeper polished his brass lamp until the evening ferry came in."
TESTED = "Nobody at the village fair had ever seen a pumpkin of that size and colour before."
VALIDATED = "My cousin repairs violins in a cellar that smells of varnish and cold coffee."
SHOWN = "Seven geese crossed the frozen pond while the postman waited for them to pass."
OTHER = "A quiet street, two cafes, and a bakery that closes at noon."


def labelled(*texts: str) -> LabelledTexts:
    """Return texts of one label."""
    names = tuple(map(str, range(len(texts))))
    return LabelledTexts(texts, (0,) * len(texts), ("only",), names)


REAL = RealData(labelled(TRAINED), labelled(TESTED), labelled(VALIDATED), "made up")


def check(*texts: str, allow: tuple[str, ...] = ()) -> CheckReport:
    """Check texts without anything to compare them with."""
    return check_corpus([texts], None, None, allow)


def found(text: str) -> list[str]:
    """Return what the checks find in a text: `CHECK: KIND`."""
    return [name for name, count in check(text).counts.items() if count]


# Leaks


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        (TESTED, "real test text"),
        (TRAINED.upper().replace(",", ""), "real training text"),
        (VALIDATED.replace("cold", "warm"), "real training text"),
        (SHOWN.replace("Seven", "Eight"), "seed example"),
        (f"He wrote: {TESTED} And that was all.", "real test text"),
    ],
)
def test_a_copy_of_a_real_text_is_a_leak(text: str, kind: str) -> None:
    """Verbatim, in other case, with a word changed or inside a longer text: its source is named."""
    report = check_corpus([[OTHER, text]], REAL, [SHOWN], ())

    assert {name for name, count in report.counts.items() if count} == {f"leak: {kind}"}
    assert report.counts[f"leak: {kind}"] == 1
    (problem,) = report.problems
    assert problem.startswith(f"leak: {kind} in 1 of 2 texts (first in row 1);")


def test_a_leak_is_reported_without_the_real_text() -> None:
    """The message says which row, and shows no word of the text."""
    (problem,) = check_corpus([[TESTED]], REAL, (), ()).problems

    assert not {"village", "fair", "seen", "pumpkin"} & set(problem.split())


def test_without_real_texts_leaks_are_not_checked() -> None:
    """What cannot be compared has no count: it is `not checked`, in the table too."""
    report = check_corpus([[TESTED]], None, None, ())

    assert report.not_checked == (
        "leak: real test text",
        "leak: real training text",
        "leak: seed example",
    )
    assert not any(name.startswith("leak") for name in report.counts)
    assert "| leak: real test text | not checked |" in report.as_markdown()


def test_no_examples_are_not_unknown_examples() -> None:
    """Where it is known that none was shown, there are 0 copies of one."""
    assert check_corpus([[SHOWN]], None, (), ()).counts["leak: seed example"] == 0


def test_without_training_texts_only_these_are_not_checked() -> None:
    """Real test texts alone are compared with; that there is no training text is said."""
    report = check_corpus([[TRAINED]], RealData(labelled(), labelled(TESTED), None, "x"), (), ())

    assert report.not_checked == ("leak: real training text",)
    assert report.counts["leak: real test text"] == 0


# Secrets; made of parts, so that no scanner takes this file for a leak

BODY = "aB3dE6gH9k" * 4
SECRETS = {
    "OpenAI key": "sk-" + "proj-" + BODY,
    "Anthropic key": "sk-" + "ant-api03-" + BODY,
    "Hugging Face token": "hf_" + BODY[:34],
    "AWS access key": "AKIA" + "IOSFODNN7EXAMPLE".replace("7", "Z"),
    "GitHub token": "ghp_" + BODY[:36],
    "Slack token": "xoxb-" + "1234567890-" + BODY[:24],
    "Google API key": "AIza" + BODY[:35],
    "Stripe key": "sk_live_" + BODY[:24],
    "private key": "-----BEGIN " + "RSA PRIVATE KEY-----",
    "JSON web token": "eyJ" + BODY[:20] + ".eyJ" + BODY[:30] + "." + BODY[:20],
}


@pytest.mark.parametrize("kind", SECRETS)
def test_a_secret_is_found(kind: str) -> None:
    """Each issuer's form is found within a sentence, as that issuer's and no other's."""
    assert found(f"Then he said: my key is {SECRETS[kind]}, keep it.") == [f"secrets: {kind}"]


@pytest.mark.parametrize("kind", SECRETS)
@pytest.mark.parametrize("before", ["密钥是", "ключ", "é", "_", "MY_KEY_"])
def test_a_secret_is_found_behind_what_is_no_part_of_it(kind: str, before: str) -> None:
    """Letters of other alphabets stand next to it without a space, and so does markup."""
    assert found(f"{before}{SECRETS[kind]}です") == [f"secrets: {kind}"]


def test_a_github_token_of_the_newer_form_is_found() -> None:
    """A fine-grained token has another prefix and underscores in it."""
    token = "github_pat_" + BODY[:22] + "_" + BODY + BODY[:19]

    assert found(token) == ["secrets: GitHub token"]


@pytest.mark.parametrize(
    "text",
    [
        "The sk-rock-and-roll-all-night-festival is back.",
        "hf_hub_download needs hf_token, as hf_writer knows.",
        "AKIA is four letters, AKIAPARTYOFSIXTEEN is too many small ones",
        "A risk-averse-and-thoroughly-prudent-investor.",
        "ghp_short, xoxb-none, eyJustAWord.",
        "Part no. 9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
    ],
)
def test_what_only_looks_like_a_secret_is_left_alone(text: str) -> None:
    """Words with hyphens, names of functions, short tokens and bare hashes are none."""
    assert found(text) == []


# Personal data


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("Write to jo.smith+news@mail-hub.co.uk today.", "e-mail address"),
        ("<Ana_99@uni.de>", "e-mail address"),
        ("tel. +358 9 7597 0711 .", "phone number"),
        ("Ring 0049 (30) 1234567 now", "phone number"),
        ("call (212) 456-7890", "phone number"),
        ("call 1-800-555-0199", "phone number"),
        ("Call 09061 555 018 from a landline", "phone number"),
        ("help:08700469649.", "phone number"),
        ("sms-08718727870", "phone number"),
        ("pay with 4539 1488 0343 6467", "payment card"),
        ("5555555555554444", "payment card"),
        ("amex 3782-822463-10005", "payment card"),
        ("to GB82 WEST 1234 5698 7654 32 please", "bank account"),
        ("DE89370400440532013000", "bank account"),
        ("邮箱是zhangsan@mail.org的", "e-mail address"),
        ("Schreib an müller@mail.de", "e-mail address"),
        ("_jo@mail.org_", "e-mail address"),
        ("请拨打+8613812345678联系", "phone number"),
        ("_+8613812345678_", "phone number"),
        ("电话010-12345678", "phone number"),
        ("le 06.12.34.56.78.", "phone number"),
        ("Номер(212) 456-7890", "phone number"),
        ("卡号4111111111111111。", "payment card"),
        ("账号DE89370400440532013000是", "bank account"),
    ],
)
def test_personal_data_is_found(text: str, kind: str) -> None:
    """Each kind in the forms that people write it in."""
    assert found(text) == [f"personal_data: {kind}"]


@pytest.mark.parametrize(
    "text",
    [
        "On 2011-12-10 and 10/12/2011, at 10:30:15, in 1999-2004.",
        "Sales rose from EUR 1,234,567.89 to 2 345 678 000 euros.",
        "Net profit 25.1 25.4 14 4.0, margin 0.123456789012, pi 3.14159265359.",
        "Reply STOP to 87077 or 60 199, code 123456.",
        "It finished 21-19, 19-21, 21-15 before 10 000 people.",
        "Write to jo@example.com or sales@shop.example.",
        "@friend thanks, see a@b",
        "pay with 4539 1488 0343 6468",  # the check digit is 7
        "to GB83 WEST 1234 5698 7654 32",  # the check digits are 82
        "order 0103035400730000",  # Luhn holds; no issuer begins with 0
        "IMG_0612345678 and scan_4111111111111111 and 4111111111111111_b",
        "versions 01.02.03.04.05.06, on 01.02.2003, for 1.06.12.34.56.78",
    ],
)
def test_figures_are_no_personal_data(text: str) -> None:
    """Dates, sums, scores, short codes, reserved domains and wrong check digits are none."""
    assert found(text) == []


def test_personal_data_is_never_printed_whole() -> None:
    """The message shows two characters and the form of what it found."""
    (phone,) = check("call 09061 555 018").problems
    (mail,) = check("Write to jo.smith@mail.org").problems

    assert "09*** *** ***" in phone
    assert "09061" not in phone
    assert "jo.*****@****.***" in mail


def test_the_check_digit_of_a_card() -> None:
    """4539148803436467 holds, and with its last two digits exchanged it does not.

    From the right, single: 7+4+3+3+8+4+9+5 = 43; doubled 12, 12, 8, 0, 16, 2, 6, 8, whose digits
    add to 3+3+8+0+7+2+6+8 = 37; 43 + 37 = 80.
    """
    assert luhn_holds("4539148803436467")
    assert not luhn_holds("4539148803436476")


@given(st.text("0123456789", min_size=13, max_size=19), st.data())
def test_one_wrong_digit_breaks_a_cards_check(digits: str, data: st.DataObject) -> None:
    """The Luhn check catches every single wrong digit."""
    place = data.draw(st.integers(0, len(digits) - 1))
    other = data.draw(st.sampled_from([d for d in "0123456789" if d != digits[place]]))
    changed = digits[:place] + other + digits[place + 1 :]

    assert not (luhn_holds(digits) and luhn_holds(changed))


@given(st.text("0123456789ABCXYZ", min_size=11, max_size=30), st.data())
def test_one_wrong_character_breaks_an_accounts_check(own: str, data: st.DataObject) -> None:
    """With right check digits an IBAN holds; with another digit in them it does not.

    The right ones are 98 minus the rest of the number with 00, modulo 97 (ISO 7064).
    """
    rest = int("".join(str(int(c, 36)) for c in f"{own}GB00")) % 97
    right = f"{98 - rest:02}"
    wrong = data.draw(st.integers(2, 98).filter(lambda n: n != 98 - rest))

    assert iban_holds(f"GB{right}{own}")
    assert not iban_holds(f"GB{wrong:02}{own}")


# What is searched before


def hinted(check: Secrets | PersonalData, *texts: str) -> list[bool]:
    """Return for each text whether it matches what every text with a finding matches."""
    found: list[bool] = compute.match_substring_regex(pyarrow.array(texts), check.hint).to_pylist()
    return found


SHORTEST = [
    *(f"{start}{BODY[:20]}" for start in ("sk-", "sk_live_", "rk_live_")),
    *(f"sk-ant-{BODY[:20]}", f"AIza{BODY[:35]}", f"github_pat_{BODY}{BODY[:10]}"),
    *(f"{start}{BODY[:30]}" for start in ("hf_", "api_org_")),
    *(f"{start}{'ABCD' * 4}" for start in ("AKIA", "ASIA", "ABIA", "ACCA")),
    *(f"gh{letter}_{BODY[:36]}" for letter in "pousr"),
    *(f"{start}-1{BODY[:10]}" for start in (*(f"xox{letter}" for letter in "abeoprs"), "xapp")),
    *("-----BEGIN " + f"{form}PRIVATE KEY-----" for form in ("", "EC ", "OPENSSH ")),
    f"eyJ{BODY[:10]}.eyJ{BODY[:10]}.{BODY[:10]}",
]


@pytest.mark.parametrize("text", SHORTEST)
def test_every_form_is_looked_at_at_its_shortest(text: str) -> None:
    """Each issuer's every prefix, with as few characters behind it as a key can have."""
    assert hinted(Secrets(), f"\u00fc {text}") == [True]
    assert len(found(f"\u00fc {text}")) == 1


@pytest.mark.parametrize("text", ["+49 (30) (123) 45", "x@mail.org", "0049\u00a0 30-12345"])
def test_personal_data_with_much_between_is_looked_at(text: str) -> None:
    """Three characters between two digits, and an address without any."""
    assert hinted(PersonalData(), text) == [True]


def test_digits_of_every_script_are_looked_at() -> None:
    """What is a digit to Python is one in the hint; a number of six is looked at in any script."""
    digits = [chr(code) for code in range(sys.maxunicode + 1) if re.match(r"\d", chr(code))]

    assert len(digits) > 600
    assert all(hinted(PersonalData(), *(6 * digit for digit in digits)))
    arabic = "".join(chr(0x0660 + int(digit)) for digit in "061555018")
    assert found(f"call 09{arabic} now") == ["personal_data: phone number"]


def test_rows_are_counted_over_all_parts() -> None:
    """A corpus is read part after part; the row of a finding is that of the whole."""
    parts = [pyarrow.array([OTHER, TESTED]), pyarrow.array([], pyarrow.string())]
    parts.append(pyarrow.array([OTHER, f"call 09061 555 018, {OTHER}"]))
    report = check_corpus(parts, REAL, (), ())

    assert report.n_texts == 4
    assert "real test text in 1 of 4 texts (first in row 1)" in report.problems[0]
    assert "phone number in 1 of 4 texts (first in row 3:" in report.problems[1]


def test_no_texts_have_no_findings() -> None:
    """An empty corpus is checked like any other."""
    assert sum(check().counts.values()) == 0


# Reports


def test_texts_are_counted_once_a_kind() -> None:
    """Three addresses in two texts are 2 texts that hold one."""
    report = check("a1@mail.org, b2@mail.org", "nothing", "c3@mail.org")

    assert report.counts["personal_data: e-mail address"] == 2
    assert report.problems[0].startswith("personal_data: e-mail address in 2 of 3 texts")


def test_what_is_allowed_does_not_stop_a_push() -> None:
    """It is counted all the same; what is not allowed still stops it."""
    texts = ("call 09061 555 018", SECRETS["Stripe key"])
    report = check(*texts, allow=("personal_data",))

    assert report.counts["personal_data: phone number"] == 1
    assert [problem.partition(":")[0] for problem in report.problems] == ["secrets"]
    assert [line.partition(":")[0] for line in report.allowed] == ["personal_data"]


def test_a_problem_says_how_to_go_on() -> None:
    """Personal data is one line, says that an LLM invents it, and names the option."""
    (problem,) = check("call 09061 555 018").problems

    assert "invents" in problem
    assert "--allow personal_data" in problem
    assert "\n" not in problem


def test_an_unknown_check_cannot_be_allowed() -> None:
    """A misspelled name is refused with the names that there are."""
    with pytest.raises(UserError, match=r"--allow leaks: .* leak, secrets, personal_data"):
        check(OTHER, allow=("leaks",))


def test_the_table_has_a_row_for_each_kind() -> None:
    """Counts and names stand in a Markdown table, underscores escaped."""
    table = check("call 09061 555 018").as_markdown().splitlines()

    assert table[:2] == ["| looked for | texts that hold one |", "| --- | ---: |"]
    assert r"| personal\_data: phone number | 1 |" in table
    assert "| secrets: private key | 0 |" in table


@pytest.mark.parametrize(
    ("task", "strategy", "phones"),
    [
        ("sms_spam", "few_shot", 87),
        ("financial_phrasebank", "zero_shot", 0),
        ("imdb", "few_shot", 0),
    ],
)
def test_the_recorded_corpora(task: str, strategy: str, phones: int) -> None:
    """Spam is full of invented phone numbers, news and reviews hold none; none holds a secret."""
    texts = compose(load_task(task), Order(strategy), Recording()).texts.texts
    counts = check(*texts).counts

    assert counts["personal_data: phone number"] == phones
    assert sum(counts.values()) == phones
