"""Studies without real texts, and on texts in a language that the encoder does not know."""

import json
from pathlib import Path

import pytest

from understudy.cli import main

GERMAN = {
    "lob": ("wunderbar", "großartig", "gelungen", "köstlich"),
    "tadel": ("furchtbar", "langweilig", "misslungen", "geschmacklos"),
}
SUBJECTS = ("Der Kuchen", "Die Vorstellung", "Das Frühstück", "Der Ausflug", "Die Ausstellung")
TASK = """
name: meinungen
title: Meinungen
description: Lobt der Satz?
labels: {lob: it praises, tadel: it blames}
prompt:
  context: You write German sentences.
  generate: Write {count} sentences of "{label}" ({meaning}), {min_words} to {max_words} words.
length_words: [3, 20]
"""


def study(*options: str, out: Path) -> int:
    """Run `understudy study`."""
    return main(["study", *options, "--seeds", "1", "--out", str(out)])


@pytest.mark.slow
def test_without_real_texts_corpora_are_scored_on_each_other_and_a_loss_is_forecast(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """`--real none` says what it is not, and gives a forecast with its error."""
    assert study("--tasks", "sms_spam", "--real", "none", "--per-label", "20", out=tmp_path) == 0

    told = capsys.readouterr().out
    report = (tmp_path / "report" / "report.md").read_text(encoding="utf-8")
    assert "This is no test on real data" in told
    assert "skipped" not in told
    assert "Forecast loss against as many real texts" in report
    assert "| SMS spam (sms_spam) | few_shot |" in report
    assert "Verdict" not in report


def test_one_corpus_alone_is_scored_on_nothing(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """There is no other to be scored on: one line says so, and nothing is written."""
    out = tmp_path / "out"
    options = ("--tasks", "sms_spam", "--arms", "few_shot", "--real", "none")

    assert study(*options, "--per-label", "20", out=out) == 2

    assert "a corpus could be scored on another, and there are not two" in capsys.readouterr().err
    assert not out.exists()


@pytest.mark.slow
def test_texts_of_a_language_that_the_encoder_does_not_know_are_warned_of(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """German with the English encoder: at the head of the report, in the terminal, in the facts."""
    (tmp_path / "meinungen.yaml").write_text(TASK, encoding="utf-8")
    rows = [
        f"{subject} am {day} war wirklich {word}.,{label}"
        for label, words in GERMAN.items()
        for word in words
        for subject in SUBJECTS
        for day in ("Montag", "Donnerstag", "Sonntag")
    ]
    texts = tmp_path / "texte.csv"
    texts.write_text("\n".join(["text,label", *rows]) + "\n", encoding="utf-8")
    out = tmp_path / "out"

    tasks = ("--tasks", str(tmp_path / "meinungen.yaml"), "--real", str(texts), "--arms", "real")
    assert study(*tasks, out=out) == 0

    warning = "The encoder minilm may not know the language of Meinungen: real texts ("
    assert warning in " ".join(capsys.readouterr().out.split())
    assert warning in (out / "report" / "report.md").read_text(encoding="utf-8")
    assert warning in (out / "report" / "report.html").read_text(encoding="utf-8")
    (finding,) = map(json.loads, (out / "findings.jsonl").read_text().splitlines())
    assert finding["kind"] == "word_pieces"
    assert finding["values"]["pieces"] > 1.6
    assert (finding["values"]["cut"], finding["values"]["limit"]) == (0, 256)
