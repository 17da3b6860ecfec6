"""How fast texts are embedded, against the encoder's matrix products alone in the same run.

    python benchmarks/embedding.py

The limit: the floating-point operations of the encoder's layers on the tokens of the texts, padding
not counted, at the rate of a plain matrix product of the layer's shape, measured between the texts.
Texts of three lengths, from the tasks' own recorded answers.
"""

import os
import statistics
import tempfile
import time
from pathlib import Path

TASKS = {"short (humor)": "humor", "medium (ag_news)": "ag_news", "long (imdb)": "imdb"}
WIDTH, INNER, LAYERS = 384, 1536, 6


def matrix_rate() -> float:
    """Return the GFLOP/s of a (4096, 384) x (384, 1536) product in float32."""
    import torch

    left, right = torch.randn(4096, WIDTH), torch.randn(WIDTH, INNER)
    rates = []
    for _ in range(5):
        start = time.perf_counter()
        torch.mm(left, right)
        rates.append(2 * 4096 * WIDTH * INNER / (time.perf_counter() - start) / 1e9)
    return statistics.median(rates)


def gigaflops(lengths: list[int]) -> float:
    """Return the operations of the encoder's layers on texts of these token counts."""
    per_token = LAYERS * 2 * (4 * WIDTH * WIDTH + 2 * WIDTH * INNER)
    attention = sum(LAYERS * 4 * n * n * WIDTH for n in lengths)
    return (sum(lengths) * per_token + attention) / 1e9


def main() -> None:
    """Embed each set of texts into an empty cache and print the table."""
    os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")
    from transformers import AutoTokenizer

    from builders.composition import Order, compose
    from builders.llms.recording import Recording
    from builders.tasks import load_task
    from trainers.embeddings import Embeddings
    from trainers.encoders import EMBEDDED, load_encoder

    encoder = load_encoder(EMBEDDED)
    tokenizer = AutoTokenizer.from_pretrained(encoder.path)
    print("| texts | n | tokens | texts/s | GFLOP/s | matrix product GFLOP/s | ratio |")
    print("|---|---:|---:|---:|---:|---:|---:|")
    for name, task in TASKS.items():
        texts = compose(load_task(task), Order("zero_shot"), Recording()).texts.texts
        lengths = [
            len(ids) for ids in tokenizer(list(texts), truncation=True, max_length=256)["input_ids"]
        ]
        with tempfile.TemporaryDirectory() as cache:
            embeddings = Embeddings(encoder, folder=Path(cache))
            embeddings.of(texts[:64])  # loads the encoder
            before = matrix_rate()
            start = time.perf_counter()
            embeddings.of(texts[64:])
            took = time.perf_counter() - start
            rate = statistics.mean((before, matrix_rate()))
        done = gigaflops(lengths[64:]) / took
        print(
            f"| {name} | {len(texts) - 64} | {sum(lengths[64:])} | {(len(texts) - 64) / took:.0f} "
            f"| {done:.0f} | {rate:.0f} | {done / rate:.0%} |"
        )


if __name__ == "__main__":
    main()
