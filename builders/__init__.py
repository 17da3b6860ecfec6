"""From a task to a corpus: tasks, strategies, LLMs, ledger, filters, real data, corpus builder."""
