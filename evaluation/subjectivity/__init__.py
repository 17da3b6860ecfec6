"""How subjective a task is, by judgements of people or LLMs, and an instance, by its votes."""
