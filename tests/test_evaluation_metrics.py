"""The metrics as `evaluate` modules."""

import doctest
from dataclasses import asdict
from pathlib import Path
from typing import Any

import evaluate
import numpy as np
import pytest

from evaluation.embedding_space.coverage import coverage
from evaluation.embedding_space.diversity import chamfer, remote_clique
from evaluation.embedding_space.frontier import divergence_frontier
from evaluation.embedding_space.similarity import mean_top5_cosine
from evaluation.embedding_space.vendi import vendi_score
from evaluation.metrics.accuracy import Accuracy
from evaluation.metrics.chamfer import Chamfer
from evaluation.metrics.coverage import Coverage
from evaluation.metrics.distinct_n import DistinctN
from evaluation.metrics.divergence_frontier import DivergenceFrontier
from evaluation.metrics.length_distance import LengthDistance
from evaluation.metrics.macro_f1 import MacroF1
from evaluation.metrics.remote_clique import RemoteClique
from evaluation.metrics.self_bleu import SelfBleu
from evaluation.metrics.top5_cosine import Top5Cosine
from evaluation.metrics.vendi_score import VendiScore
from evaluation.metrics.vocabulary_distance import VocabularyDistance
from evaluation.texts.distinct_n import distinct_n
from evaluation.texts.lengths import length_distance
from evaluation.texts.self_bleu import self_bleu
from evaluation.texts.vocabulary import vocabulary_distance

MODULES = [
    MacroF1,
    Accuracy,
    RemoteClique,
    Chamfer,
    Top5Cosine,
    VendiScore,
    Coverage,
    DivergenceFrontier,
    SelfBleu,
    DistinctN,
    VocabularyDistance,
    LengthDistance,
]
LABEL_METRICS = [MacroF1(labels=range(4)), Accuracy()]
VECTORS = np.random.default_rng(0).standard_normal((20, 8)).astype(np.float32)
TEXTS = ["tea in a cup", "a cup of tea", "a walk", "no tea on a walk"]
REAL_TEXTS = ["a pot of tea", "the long walk", "tea"]


def test_macro_f1_averages_the_labels_alike() -> None:
    """Macro-F1 is the plain mean over labels of 2 TP / (predicted + true)."""
    # Label 0: 2 * 1 / (1 + 2); label 1: 2 * 2 / (3 + 2). (2/3 + 4/5) / 2 = 11/15
    result = MacroF1(labels=[0, 1]).compute(predictions=[0, 1, 1, 1], references=[0, 0, 1, 1])
    assert result == {"macro_f1": pytest.approx(11 / 15)}


def test_labels_that_do_not_occur_pull_macro_f1_down() -> None:
    """A label never predicted, and one neither predicted nor true, count 0 without a warning."""
    # Label 0: 2 * 1 / (2 + 1) = 2/3; label 1, never predicted: 0; label 2, not there: 0.
    result = MacroF1(labels=range(3)).compute(predictions=[0, 0], references=[0, 1])
    assert result == {"macro_f1": pytest.approx(2 / 9)}


def test_labels_may_be_given_to_compute() -> None:
    """`compute` takes the labels that the constructor was not given."""
    result = MacroF1().compute(predictions=[0, 1], references=[0, 1], labels=[0, 1, 2, 3])
    assert result == {"macro_f1": pytest.approx(0.5)}


def test_macro_f1_without_labels_is_refused() -> None:
    """The labels are not guessed from the texts at hand."""
    with pytest.raises(ValueError, match="needs the task's label indices"):
        MacroF1().compute(predictions=[0, 1], references=[0, 1])


def test_a_label_outside_the_task_is_refused() -> None:
    """A stray index would otherwise drop out of the average unseen."""
    with pytest.raises(ValueError, match=r"label indices \[-100, 2\] are not among the labels"):
        MacroF1(labels=range(2)).compute(predictions=[0, 2], references=[0, -100])


def test_accuracy_is_the_share_predicted_right() -> None:
    """Three of four."""
    result = Accuracy().compute(predictions=[0, 1, 1, 2], references=[0, 1, 0, 2])
    assert result == {"accuracy": 0.75}


@pytest.mark.parametrize("metric", LABEL_METRICS)
@pytest.mark.parametrize(
    ("predictions", "message"),
    [
        ([0.7, 1.0], "predictions are float64"),
        ([[0, 1], [1, 0]], r"int64 of shape \(2, 2\)"),
        (["0", "1"], "not label indices"),
        ([True, False], "predictions are bool"),
        ([None, 1], "predictions are object"),
        ([0], "1 predictions for 2 references"),
    ],
)
def test_what_evaluate_would_take_in_silence_is_refused(
    metric: evaluate.Metric, predictions: list[Any], message: str
) -> None:
    """Probabilities are not cut to 0, strings not read as numbers, missing values not kept."""
    with pytest.raises(ValueError, match=message):
        metric.compute(predictions=predictions, references=[0, 1])


@pytest.mark.parametrize("metric", LABEL_METRICS)
def test_a_refused_batch_leaves_nothing_behind(metric: evaluate.Metric) -> None:
    """After a refusal the next score is that of its own texts alone."""
    with pytest.raises(ValueError, match="not label indices"):
        metric.compute(predictions=[0.5], references=[0])
    (score,) = metric.compute(predictions=[0, 1, 2, 3], references=[0, 1, 2, 3]).values()
    assert score == 1.0


@pytest.mark.parametrize("metric", LABEL_METRICS)
@pytest.mark.parametrize("given", [{}, {"predictions": [], "references": []}])
def test_nothing_to_score_is_refused(metric: evaluate.Metric, given: dict[str, Any]) -> None:
    """No texts have no score."""
    with pytest.raises(ValueError, match="no predictions to score"):
        metric.compute(**given)


@pytest.mark.parametrize("metric", LABEL_METRICS)
def test_batches_add_up(metric: evaluate.Metric) -> None:
    """Added texts and those given to `compute` are scored together, then forgotten."""
    predictions, references = [0, 1, 2, 3, 3], [0, 1, 2, 2, 3]
    whole = metric.compute(predictions=predictions, references=references)
    metric.add(prediction=0, reference=0)
    metric.add_batch(predictions=np.array([1, 2]), references=np.array([1, 2]))
    assert metric.compute(predictions=[3, 3], references=[2, 3]) == whole
    (score,) = metric.compute(predictions=range(4), references=range(4)).values()
    assert score == 1.0


def test_measurements_are_the_plain_functions() -> None:
    """A measurement gives what its function gives."""
    real = VECTORS[:7] + 0.5
    assert RemoteClique().compute(embeddings=VECTORS) == {"remote_clique": remote_clique(VECTORS)}
    assert Chamfer().compute(embeddings=VECTORS) == {"chamfer": chamfer(VECTORS)}
    assert Top5Cosine().compute(embeddings=VECTORS, real=real) == {
        "top5_cosine": mean_top5_cosine(real, VECTORS)
    }
    assert VendiScore().compute(embeddings=VECTORS) == {"vendi_score": vendi_score(VECTORS)}
    # The synthetic texts are what is measured, the real ones what they are held against.
    assert Coverage().compute(embeddings=VECTORS, real=real, k=2) == asdict(
        coverage(real, VECTORS, 2)
    )
    more = np.concatenate([VECTORS, VECTORS + 1])
    assert DivergenceFrontier().compute(embeddings=VECTORS, real=more, seed=3) == {
        "frontier_area": divergence_frontier(more, VECTORS, seed=3).area
    }


def test_text_measurements_are_the_plain_functions() -> None:
    """Texts are measured as their functions measure them, options included."""
    assert SelfBleu().compute(texts=TEXTS, sample=2, seed=1) == {
        "self_bleu": self_bleu(TEXTS, sample=2, seed=1).value,
        "standard_error": self_bleu(TEXTS, sample=2, seed=1).standard_error,
    }
    assert DistinctN().compute(texts=TEXTS, at=5) == {
        f"distinct_{n}": distinct_n(TEXTS, n, at=5).value for n in (1, 2, 3)
    }
    distance = vocabulary_distance(REAL_TEXTS, TEXTS)
    assert VocabularyDistance().compute(texts=TEXTS, real=REAL_TEXTS) == {
        "vocabulary_distance": distance.value,
        "same_source": distance.same_source,
    }
    assert LengthDistance().compute(texts=TEXTS, real=REAL_TEXTS) == {
        "length_distance": length_distance(REAL_TEXTS, TEXTS)
    }


def test_texts_may_come_in_batches() -> None:
    """Texts added batch by batch are measured together."""
    measurement = SelfBleu()
    measurement.add_batch(texts=TEXTS[:1])
    measurement.add(texts=TEXTS[1])
    assert measurement.compute(texts=TEXTS[2:])["self_bleu"] == self_bleu(TEXTS).value


@pytest.mark.parametrize("texts", ["one text", [1, 2], ["one", None]])
def test_what_are_no_texts_is_refused(texts: Any) -> None:
    """A single string is not read as a list of letters, nor a number as its digits."""
    with pytest.raises(ValueError, match="texts are not a sequence of strings"):
        SelfBleu().compute(texts=texts)


@pytest.mark.parametrize("given", [{}, {"texts": []}])
def test_no_texts_are_refused(given: dict[str, Any]) -> None:
    """No texts have no diversity."""
    with pytest.raises(ValueError, match="no texts to measure"):
        DistinctN().compute(**given)


def test_embeddings_may_come_in_batches() -> None:
    """Embeddings added batch by batch are measured together."""
    measurement = Chamfer()
    measurement.add_batch(embeddings=VECTORS[:12])
    assert measurement.compute(embeddings=VECTORS[12:]) == {
        "chamfer": pytest.approx(chamfer(VECTORS))
    }


@pytest.mark.parametrize("given", [{}, {"embeddings": []}])
def test_nothing_to_measure_is_refused(given: dict[str, Any]) -> None:
    """No embeddings have no diversity."""
    with pytest.raises(ValueError, match="no embeddings to measure"):
        Chamfer().compute(**given)


@pytest.mark.parametrize("module", MODULES)
def test_the_example_in_the_description_runs(module: type[evaluate.EvaluationModule]) -> None:
    """What a module's own description shows is what it does."""
    shown = doctest.DocTestParser().get_doctest(
        module().inputs_description, {module.__name__: module}, module.__name__, None, None
    )
    results = doctest.DocTestRunner().run(shown)
    assert (results.failed, results.attempted) == (0, 1)


@pytest.mark.parametrize("module", MODULES)
def test_a_module_says_what_it_is(module: type[evaluate.EvaluationModule]) -> None:
    """Description and citation are filled in, and metrics are told from measurements."""
    info = module().info
    assert info.description.strip()
    assert info.citation.strip().startswith("@")
    assert info.module_type == ("metric" if module in (MacroF1, Accuracy) else "measurement")


@pytest.mark.parametrize("module", MODULES)
def test_a_module_is_true_in_a_condition(module: type[evaluate.EvaluationModule]) -> None:
    """`if metric:` asks whether there is one, not whether it stores anything."""
    assert module()


def test_nothing_is_written_to_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Storing and scoring leave no file and no folder, in the cache or where one stands."""
    monkeypatch.chdir(tmp_path)
    metric = MacroF1(labels=range(2), cache_dir=str(tmp_path / "cache"))
    metric.add_batch(predictions=[0], references=[0])
    assert list(tmp_path.iterdir()) == []
    metric.compute(predictions=[1], references=[1])
    assert list(tmp_path.iterdir()) == []
    assert not Path(evaluate.config.HF_METRICS_CACHE).exists()


def test_two_metrics_do_not_wait_for_each_other() -> None:
    """Two of a kind store apart from each other."""
    first, second = Accuracy(), Accuracy()
    first.add_batch(predictions=[0, 0], references=[0, 1])
    second.add_batch(predictions=[0, 0], references=[0, 0])
    assert (first.compute(), second.compute()) == ({"accuracy": 0.5}, {"accuracy": 1.0})
