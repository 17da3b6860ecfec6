"""Votes of annotators: descriptions, files, agreement, majority."""

import gzip
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from builders.data import LabelledTexts
from builders.errors import NotAtHand, UserError
from builders.real import load_real
from builders.tasks import load_task
from evaluation.subjectivity.vote_reading import read_votes, votes_file
from evaluation.subjectivity.vote_source import load_vote_source, shipped_sources
from evaluation.subjectivity.votes import RatedTexts, Votes, rate, summarise
from evaluation.undefined import Undefined

TASK = load_task("sms_spam")  # its labels: ham, spam


def _described(folder: Path, text: str, rows: str | list[dict[str, Any]]) -> Path:
    """Write a description and its file of votes; return the description's path."""
    if isinstance(rows, str):
        name = "votes.csv"
        (folder / name).write_text(rows)
    else:
        name = "votes.jsonl"
        (folder / name).write_text("".join(json.dumps(row) + "\n" for row in rows))
    path = folder / "own.yaml"
    path.write_text(f"task: sms_spam\nfile: {name}\n{text}")
    return path


def _read(path: Path, min_votes: int = 2) -> Votes | RatedTexts:
    source = load_vote_source(str(path))
    return read_votes(source, TASK, votes_file(source), min_votes)


def _votes(path: Path, min_votes: int = 2) -> Votes:
    found = _read(path, min_votes)
    assert isinstance(found, Votes)
    return found


LONG = """\
votes: {annotator: who, label: vote}
labels: {h: ham, s: spam}
only_votes: [unsure]
"""
LONG_ROWS = """\
id,text,who,vote
1,see you soon,ann,h
1,see you soon,bob,h
1,see you soon,cay,unsure
2,win a prize,ann,s
2,win a prize,bob,s
3,call me,ann,h
4,cheap loans,ann,h
4,cheap loans,bob,s
"""


def test_long_votes_are_gathered_by_text(tmp_path: Path) -> None:
    """A row a vote; a text with one vote is left out and counted."""
    votes = _votes(_described(tmp_path, LONG, LONG_ROWS))

    assert (votes.ids, votes.values) == (("1", "2", "4"), ("ham", "spam", "unsure"))
    assert votes.counts.tolist() == [[2, 0, 1], [0, 2, 0], [1, 1, 0]]
    # Of three votes two for ham; both; one of two.
    assert votes.agreement.tolist() == [2 / 3, 1, 1 / 2]
    assert votes.left_out == {"texts with fewer than 2 votes": 1}


def test_wide_votes_may_have_gaps(tmp_path: Path) -> None:
    """A column an annotator; an empty cell is no vote."""
    text = "votes: {columns: [ann, bob, cay]}"
    rows = "id,text,ann,bob,cay\n1,see you soon,ham,,ham\n2,win a prize,spam,spam,ham\n"
    votes = _votes(_described(tmp_path, text, rows))

    assert votes.counts.tolist() == [[2, 0], [1, 2]]


def test_listed_votes_may_have_gaps(tmp_path: Path) -> None:
    """A list a text, null for no vote; True and 1 are the same value."""
    text = "votes: {list: marks}\nlabels: {0: ham, 1: spam}"
    rows: list[dict[str, Any]] = [
        {"text": "see  you\nsoon", "marks": [0, None, "0"]},
        {"text": "win a prize", "marks": [1, True, 1.0]},
    ]
    votes = _votes(_described(tmp_path, text, rows))

    assert votes.texts == ("see you soon", "win a prize")
    assert votes.counts.tolist() == [[2, 0], [0, 3]]


def test_rows_are_kept_by_a_column_and_others_counted(tmp_path: Path) -> None:
    """`keep` names a column and its values; a row without text is counted too."""
    text = "votes: {list: v}\nkeep: {origin: [people, 2]}"
    rows: list[dict[str, Any]] = [
        {"text": "see you", "v": ["ham", "ham"], "origin": "people"},
        {"text": "win", "v": ["spam", "spam"], "origin": 2},
        {"text": "hello", "v": ["ham", "ham"], "origin": "machine"},
        {"text": " ", "v": ["ham", "ham"], "origin": "people"},
    ]
    votes = _votes(_described(tmp_path, text, rows))

    assert votes.texts == ("see you", "win")
    assert votes.left_out == {
        "rows that the description does not keep": 1,
        "rows without a text": 1,
    }


def test_without_gold_labels_the_majority_is_the_label(tmp_path: Path) -> None:
    """A tie, and a majority that is no label, are left out and counted."""
    text = "votes: {list: v}\nonly_votes: [unsure]"
    rows: list[dict[str, Any]] = [
        {"text": "a", "v": ["ham", "ham", "spam"]},
        {"text": "b", "v": ["ham", "spam"]},
        {"text": "c", "v": ["unsure", "unsure", "spam"]},
        {"text": "d", "v": ["spam", "unsure", "spam", "ham"]},
        {"text": "e", "v": ["ham", "ham", "unsure", "unsure"]},
    ]
    rated = rate(_votes(_described(tmp_path, text, rows)))

    assert (rated.texts.texts, rated.texts.labels) == (("a", "d"), (0, 1))
    assert rated.agreement.tolist() == [2 / 3, 1 / 2]
    assert rated.left_out == {
        "texts without a majority (a tie)": 2,
        "texts whose majority is no label of the task": 1,
    }


def test_gold_labels_settle_ties(tmp_path: Path) -> None:
    """With a gold column every text that has a gold label stays, whatever its votes."""
    text = "votes: {list: v}\ngold: true_label\nonly_votes: [unsure]"
    rows: list[dict[str, Any]] = [
        {"text": "a", "v": ["ham", "spam"], "true_label": "spam"},
        {"text": "b", "v": ["ham", "ham"], "true_label": "spam"},
        {"text": "c", "v": ["ham", "ham"], "true_label": None},
    ]
    rated = rate(_votes(_described(tmp_path, text, rows)))

    assert rated.texts.labels == (1, 1)
    assert rated.agreement.tolist() == [1 / 2, 1]
    assert rated.left_out == {"texts without a gold label": 1}


def test_bins_of_agreement_are_read_without_votes(tmp_path: Path) -> None:
    """A bin stands for its least share of agreeing annotators."""
    text = "votes: {bins: level, shares: {50: 0.5, all: 1}}\ngold: label"
    rows = "text,level,label\nsee you,50,ham\nwin,all,spam\nhello,,ham\n"
    rated = _read(_described(tmp_path, text, rows))

    assert isinstance(rated, RatedTexts)
    assert (rated.texts.labels, rated.agreement.tolist()) == ((0, 1), [0.5, 1])
    assert rated.left_out == {"texts without a gold label or a bin": 1}


def test_texts_of_a_training_set_are_left_out_and_counted(tmp_path: Path) -> None:
    """Case and punctuation are ignored, as between training and test texts."""
    rated = rate(_votes(_described(tmp_path, LONG, LONG_ROWS)))
    train = LabelledTexts(("See you soon!", "other"), (0, 1), TASK.label_names, ("x", "y"))

    left = rated.without(train)

    assert left.texts.texts == ("win a prize",)
    assert left.left_out["texts of the training set"] == 1
    assert "texts of the training set" not in rated.left_out


def test_a_summary_by_hand(tmp_path: Path) -> None:
    """Mean agreement and votes over all texts, those without a majority included."""
    found = summarise(_votes(_described(tmp_path, LONG, LONG_ROWS)))

    assert (found.n, found.fewest, found.most, found.unanimous) == (3, 2, 3, 1)
    assert found.votes == pytest.approx(7 / 3)
    assert found.agreement == pytest.approx((2 / 3 + 1 + 1 / 2) / 3)
    # n = 7: ham 3, spam 3, unsure 1. Observed ((9 - 5) / 2 + 0 + (4 - 2) / 1) / 7 = 4/7; expected
    # (49 - 19) / 42 = 5/7. Alpha = 1 - 4/5.
    assert found.alpha == pytest.approx(1 / 5)


def test_unanimous_votes_for_one_label_have_no_alpha(tmp_path: Path) -> None:
    """All votes the same: agreement is 1, and alpha and kappa are undefined."""
    rows = [{"text": "a", "v": ["ham", "ham"]}, {"text": "b", "v": ["ham", "ham", "ham"]}]
    found = summarise(_votes(_described(tmp_path, "votes: {list: v}", rows)))

    assert found.agreement == 1
    assert isinstance(found.alpha, Undefined) and isinstance(found.kappa, Undefined)


def test_one_annotator_leaves_no_text(tmp_path: Path) -> None:
    """Agreement of one is none: the file is refused, with the count."""
    rows = [{"text": "a", "v": ["ham"]}, {"text": "b", "v": ["spam"]}]
    path = _described(tmp_path, "votes: {list: v}", rows)

    with pytest.raises(UserError, match=r"no text is left \(texts with fewer than 2 votes: 2\)"):
        _read(path)


@pytest.mark.parametrize(
    ("text", "rows", "message"),
    [
        ("votes: {list: v}", [{"text": "a", "v": ["ham", "x", "x"]}], "does not know: 'x' .2."),
        ("votes: {list: v}", [{"text": "a", "v": "ham"}], "row 1: 'v' is no list"),
        ("votes: {list: w}", [{"text": "a", "v": ["ham"]}], "row 1: no column 'w'"),
        ("votes: {list: v}\ngold: g", [{"text": "a", "v": [], "g": "x"}], "know: 'x' .1."),
        ("votes: {columns: [v]}", "id,text,v\n1,a,ham\n1,b,ham\n", "the id '1' stands twice"),
        (LONG, "id,text,who,vote\n1,a,x,h\n1,b,y,h\n", "id '1' has another text"),
        (LONG, "id,text,who,vote\n1,a,x,h\n1,a,x,s\n", "'x' votes on '1' a second time"),
        (LONG, "id,text,who,vote\n,a,x,h\n", "the id or the annotator is empty"),
    ],
)
def test_a_file_that_does_not_fit_its_description_is_refused(
    tmp_path: Path, text: str, rows: Any, message: str
) -> None:
    """Each mistake names the place and what would be right."""
    with pytest.raises(UserError, match=message):
        _read(_described(tmp_path, text, rows))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "votes: does not say where the votes stand; give"),
        ("votes: {list: v, columns: [w]}", "line 3: votes: does not say"),
        ("votes: {list: v}\nlable: {a: ham}", "line 4: lable: is not a key .* 'labels'"),
        ("votes: {list: v}\nlabels: [ham]", "line 4: labels: is no mapping"),
        ("votes: {list: v}\nlabels: {a: eggs}", "labels names 'eggs'"),
        ("votes: {list: v}\nonly_votes: unsure", "line 4: only_votes: is no list of values"),
        ("votes: {list: v}\nlabels: {a: ham}\nignored: [a]", "labels: has 'a', and so has"),
        ("votes: {list: v}\ntext: 7", "line 4: text: is not text"),
        ("votes: {bins: b, shares: {1: 50}}\ngold: g", "votes.shares.1: is 50; give a share"),
        ("votes: {bins: b, shares: {1: 0.5}}", "gold: is missing"),
        ("votes: {list: v", "does not parse"),
    ],
)
def test_a_description_that_is_not_right_is_refused(
    tmp_path: Path, text: str, message: str
) -> None:
    """Each mistake names its line and key."""
    with pytest.raises(UserError, match=message):
        _read(_described(tmp_path, text, [{"text": "a", "v": ["ham"]}]))


def test_a_description_without_keys_is_told_its_keys(tmp_path: Path) -> None:
    """A list is no description; the remedy names the keys of one."""
    (tmp_path / "own.yaml").write_text("[1]")
    with pytest.raises(UserError, match="holds a list, not keys; give the keys task, file, votes"):
        load_vote_source(str(tmp_path / "own.yaml"))


def test_what_is_not_there_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No description, no file beside it; and of one that ships, no data at hand."""
    with pytest.raises(UserError, match="no such description of votes"):
        load_vote_source("none.yaml")
    path = _described(tmp_path, "votes: {list: v}", [])
    (tmp_path / "votes.jsonl").unlink()
    with pytest.raises(UserError, match="is no file; give --votes FILE"):
        votes_file(load_vote_source(str(path)))
    monkeypatch.delenv("UNDERSTUDY_DATA", raising=False)
    with pytest.raises(NotAtHand, match="its votes do not ship"):
        votes_file(load_vote_source("fpb_agreement"))


def test_the_shipped_descriptions_read_their_data(data_dir: Path) -> None:
    """Counts as the data's own provenance states them, and as the filters leave them."""
    found = {}
    for name in shipped_sources():
        source = load_vote_source(name)
        task = load_task(source.task)
        votes = read_votes(source, task, votes_file(source))
        rated = rate(votes) if isinstance(votes, Votes) else votes
        found[name] = (
            len(votes.texts),
            rated.without(load_real(task, str(data_dir / "real")).train),
        )

    assert {name: n for name, (n, _) in found.items()} == {
        "fpb_agreement": 4846,
        "horvitz_headline_humaneval": 300,  # 100 real, 100 satirical, 100 edited by people
        "multipico_en_irony": 1079,
    }
    assert found["multipico_en_irony"][1].texts.counts() == {"non_irony": 768, "irony": 229}
    assert found["multipico_en_irony"][1].left_out == {"texts without a majority (a tie)": 82}
    assert found["horvitz_headline_humaneval"][1].left_out == {
        "rows that the description does not keep": 700,
        "texts without a majority (a tie)": 12,
        "texts whose majority is no label of the task": 26,
        "texts of the training set": 6,
    }
    # The task's test texts are what is left of all texts without the training texts.
    assert len(found["fpb_agreement"][1].texts) == 968


def test_agreement_is_that_of_a_plain_count(data_dir: Path) -> None:
    """The equation, text by text, on the votes of MultiPICo."""
    source = load_vote_source("multipico_en_irony")
    votes = read_votes(source, load_task(source.task), votes_file(source))
    assert isinstance(votes, Votes)
    with gzip.open(data_dir / source.file, "rt") as lines:
        rows = [json.loads(line)["annotations"] for line in lines]

    plain = [max(row.count("irony"), row.count("non_irony")) / len(row) for row in rows]

    assert np.array_equal(votes.agreement, plain)
