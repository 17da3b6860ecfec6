"""What the parts of a training step take: MiniLM, 32 texts of mixed lengths, one thread.

    python benchmarks/training_step.py

The figures from which the cost of a pass comes that `trainers.finetuning.batches` reckons with.
With dropout, as a model is trained: attention that drops out is computed in other ways than one
that does not.
"""

from __future__ import annotations

import os
import time
from typing import Any

from training_problem import SETS, problem


def _length(row: dict[str, Any]) -> int:
    return len(row["input_ids"])


def main(batches: int = 3) -> None:
    """Measure the parts of a step, on `batches` batches of 32 texts, and print the table."""
    os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")
    import torch
    from transformers import AutoModelForSequenceClassification, DataCollatorWithPadding

    from trainers.encoders import EMBEDDED, load_encoder, loading
    from trainers.finetuning.batches import passes
    from trainers.finetuning.tokens import load_tokenizer, tokenise

    torch.set_num_threads(1)
    train, _ = problem(*SETS["mixed"])
    encoder = load_encoder(EMBEDDED)
    tokenizer = load_tokenizer(encoder)
    with loading(encoder):
        model = AutoModelForSequenceClassification.from_pretrained(encoder.path)
    model.train()
    optimiser = torch.optim.AdamW(model.parameters(), lr=1e-4, fused=True)
    rows = tokenise(tokenizer, train.texts, 256).rows
    drawn = [sorted(rows[i * 32 : i * 32 + 32], key=_length, reverse=True) for i in range(batches)]
    collate = DataCollatorWithPadding(tokenizer)
    parts = [
        [batch[cut] for cut in passes([_length(row) for row in batch], 64, "cpu")]
        for batch in drawn
    ]

    def passed(groups: list[list[dict[str, Any]]], *, bf16: bool = False) -> None:
        for group in groups:
            given: Any = collate(group)
            with torch.autocast("cpu", dtype=torch.bfloat16, enabled=bf16):
                logits = model(**given).logits
            logits.float().logsumexp(-1).sum().backward()

    cut = [part for batch in parts for part in batch]
    shortest = [[min(rows, key=_length)]]
    passed(shortest)
    for what, groups in (("one pass", drawn), (f"{len(cut) / batches:.1f} passes", cut)):
        padded = sum(len(group) * _length(group[0]) for group in groups) / batches
        own = sum(_length(row) for group in groups for row in group) / batches
        print(f"{own:,.0f} tokens a batch, in {what} {padded:,.0f} with padding")
    print("\n| of a step of 32 mixed texts | processor ms |")
    print("|---|---:|")
    for what, do, n in (
        ("tokenising", lambda: tokenise(tokenizer, train.texts[:320], 256), 10),
        ("padding, one pass", lambda: [collate(batch) for batch in drawn], batches),
        ("forward and backward, one pass", lambda: passed(drawn), batches),
        (f"the same in {len(cut) / batches:.1f} passes by length", lambda: passed(cut), batches),
        ("the same in bf16", lambda: passed(cut, bf16=True), batches),
        ("forward and backward of one short text", lambda: passed(shortest), 1),
        ("clipping", lambda: torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0), 1),
        ("AdamW, fused", optimiser.step, 1),
    ):
        start = time.process_time()
        do()
        print(f"| {what} | {1000 * (time.process_time() - start) / n:.1f} |", flush=True)


if __name__ == "__main__":
    main()
