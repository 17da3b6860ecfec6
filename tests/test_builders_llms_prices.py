"""The table of prices, and what a user gives instead of it."""

from pathlib import Path

import pytest

from builders.errors import UserError
from builders.llms.prices import given_price, listed_price

TABLE = """\
date: 2031-02-03
batch_factor: 0.5
models:
  quill-2: {prompt: 0.20, answer: 0.80}
  quill-2-mini: {prompt: 0.02, answer: 0.08}
  quill-2-2031-01-01: {prompt: 0.30, answer: 0.90}
"""


@pytest.fixture
def table(tmp_path: Path) -> Path:
    """Write a table of prices."""
    path = tmp_path / "prices.yaml"
    path.write_text(TABLE, encoding="utf-8")
    return path


def test_a_listed_model_has_its_price_and_the_tables_date(table: Path) -> None:
    """A million tokens of prompts at 0.20 and half a million of answers at 0.80: 0.60 USD."""
    price = listed_price("quill-2", table)

    assert price is not None
    assert price.usd(1_000_000, 500_000) == pytest.approx(0.60)
    assert price.source == "2031-02-03"


def test_a_dated_snapshot_costs_what_its_model_costs(table: Path) -> None:
    """Unless it is listed by itself."""
    assert listed_price("quill-2-mini-2030-12-31", table) == listed_price("quill-2-mini", table)
    own = listed_price("quill-2-2031-01-01", table)
    assert own is not None
    assert own.prompt == 0.30


@pytest.mark.parametrize("model", ["quill", "quill-2-maxi", "quill-2-2030", "", "org/quill-2"])
def test_another_model_has_no_price(model: str, table: Path) -> None:
    """No price is guessed from a name that is alike."""
    assert listed_price(model, table) is None


def test_the_batch_api_costs_half(table: Path) -> None:
    """0.20 and 0.80 become 0.10 and 0.40."""
    price = listed_price("quill-2", table, batch=True)

    assert price is not None
    assert (price.prompt, price.answer) == (0.10, 0.40)


def test_a_table_without_a_batch_factor_has_no_rebate(table: Path) -> None:
    """What is not said is not assumed."""
    table.write_text(TABLE.replace("batch_factor: 0.5\n", ""), encoding="utf-8")

    assert listed_price("quill-2", table, batch=True) == listed_price("quill-2", table)


def test_the_table_that_ships_is_whole() -> None:
    """Known by its figures: 0.15 and 0.60 for gpt-4o-mini, dated, and half of it in a batch."""
    price = listed_price("gpt-4o-mini-2024-07-18")
    batch = listed_price("gpt-4o-mini", batch=True)

    assert price is not None
    assert batch is not None
    assert (price.prompt, price.answer) == (0.15, 0.60)
    assert price.source.startswith("20")
    assert (batch.prompt, batch.answer) == (0.075, 0.30)


@pytest.mark.parametrize(
    "content",
    [
        "",
        "- a list",
        "models: {quill-2: {prompt: 1, answer: 2}}",
        "date: 2031-02-03",
        "date: 2031-02-03\nmodels: [quill-2]",
        "date: 2031-02-03\nmodels: {quill-2: {prompt: 1}}",
        "date: 2031-02-03\nmodels: {quill-2: 1}",
        "date: 2031-02-03\nmodels: {quill-2: {prompt: cheap, answer: 2}}",
        "date: 2031-02-03\nmodels: {quill-2: {prompt: -1, answer: 2}}",
        "date: 2031-02-03\nmodels: {quill-2: {prompt: .inf, answer: 2}}",
        "date: 2031-02-03\nmodels: {quill-2: {prompt: 1, answer: .nan}}",
        "date: 2031-02-03\nbatch_factor: half\nmodels: {quill-2: {prompt: 1, answer: 2}}",
        "date: 2031-02-03\nbatch_factor: -1\nmodels: {quill-2: {prompt: 1, answer: 2}}",
        "date: [2031\nmodels: {",
        b"\xff\xfe\x00broken",
    ],
)
def test_a_broken_table_is_named_with_the_remedy(content: str | bytes, table: Path) -> None:
    """One line: the file, what is wrong, what has to be there."""
    table.write_bytes(content if isinstance(content, bytes) else content.encode())

    with pytest.raises(UserError) as error:
        listed_price("quill-2", table, batch=True)

    message = str(error.value)
    assert message.startswith(f"{table}: ")
    assert "NAME: {prompt: USD, answer: USD}" in message
    assert "\n" not in message


def test_a_missing_table_is_named(tmp_path: Path) -> None:
    """A path that is not there is the user's mistake."""
    with pytest.raises(UserError, match=r"nowhere\.yaml: .*NAME: \{prompt"):
        listed_price("quill-2", tmp_path / "nowhere.yaml")


@pytest.mark.parametrize("option", ["0.15,0.60", " 0.15 , 0.6 "])
def test_a_given_price_is_two_amounts(option: str) -> None:
    """Prompts first, then answers."""
    price = given_price(option)

    assert (price.prompt, price.answer) == (0.15, 0.60)


@pytest.mark.parametrize("option", ["", "1", "1,2,3", "1;2", "a,b", "1,", "-1,2", "nan,1", "1,inf"])
def test_any_other_given_price_is_refused(option: str) -> None:
    """The message repeats what was given and says what to give."""
    with pytest.raises(UserError) as error:
        given_price(option)

    assert str(error.value).startswith(f"--price {option}: give IN,OUT")
