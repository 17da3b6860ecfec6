"""A task with two labels, one with a slash and one with a space, for asking an LLM."""

from builders.tasks import Prompt, Task

PLANTS = Task(
    name="plants",
    title="Plants",
    description="Where does this plant grow?",
    labels={"in/door": "inside a house", "out door": "in the open"},
    prompt=Prompt("You are a gardener.", "Write {count} notes on {label} ({meaning})."),
    length_words=(4, 20),
)
