"""Asks a live LLM for labels: portion by portion, and what an answer spoils again, one at a time.

An answer with a wrong number of labels, or none that can be read, says nothing of any of its texts:
they are asked about once more, each in a request of its own. So a text that makes an LLM fail, by
chance or because somebody meant it to, costs its neighbours nothing but that.
"""

from collections.abc import Sequence

from builders.annotation.answers import LabelNames
from builders.annotation.labelling import NOT_ASKED, Found, Outcome, outcomes_of
from builders.annotation.order import TEXTS_PER_REQUEST, LabelOrder
from builders.annotation.questions import (
    MOST_WORDS,
    SINGLY,
    LabelQuestions,
    labels_bound,
    labels_schema,
)
from builders.composition import Halt, Live
from builders.data import Texts
from builders.errors import UserError
from builders.generation import Asking, Generation, Interrupted, Stretch
from builders.llms.base import Exhausted, LiveLLM
from builders.strategies.base import Plan
from builders.tasks.base import Task
from builders.token_use import TokenUse


def labels_asking(
    task: Task, texts: Texts, llm: LiveLLM, order: LabelOrder
) -> tuple[Asking, list[Stretch]]:
    """Return how `llm` is asked for the labels of texts, and the first round of requests.

    Args:
        task: The task.
        texts: The texts, as `drawn_texts` returns them.
        llm: What answers.
        order: Portions, seed, and what is shown of a text.

    Raises:
        UserError: There is no text.
    """
    if not len(texts):
        raise UserError(f"there is no {order.split} text of {task.name} to label: give others")
    size = order.texts_per_request or TEXTS_PER_REQUEST
    groups = {order.split: size, f"{order.split}/{SINGLY}": 1}
    questions = LabelQuestions(texts, groups, order.most_words or MOST_WORDS)
    most = llm.sampling.max_tokens or labels_bound(task, size)
    sampling = {**llm.sampling.parameters, "max_tokens": most}
    # Where no schema is wanted, or none is known, the LLM's own dialect says it in words.
    plan = Plan(size, order.seed, sampling, labels_schema(task))
    first = [Stretch(order.split, i, 1, 1) for i in range(-(-len(texts) // size))]
    return Asking(task, questions, plan, llm), first


def ask_labels(asking: Asking, first: Sequence[Stretch], live: Live) -> Found:
    """Ask for the labels of texts.

    Args:
        asking: How they are asked for, as `labels_asking` returns it.
        first: The first round.
        live: Ledger, budget and who watches.

    Raises:
        UserError: Nothing can be answered.
    """
    questions, plan = asking.strategy, asking.plan
    assert isinstance(questions, LabelQuestions)
    generation = Generation(asking, live.ledger, live.budget, live.watch)
    found = Found(
        outcomes=[Outcome(None, NOT_ASKED)] * len(questions.texts),
        texts_per_request=plan.texts_per_request,
        most_words=questions.most_words,
        sampling=dict(plan.sampling),
    )
    names = LabelNames(asking.task.label_names)
    spoiled = _round(generation, first, questions, names, found)
    if found.halt is None and spoiled and plan.texts_per_request > 1:
        found.asked_again = len(spoiled)
        group = f"{first[0].label}/{SINGLY}"
        again = [Stretch(group, place, 1, 1) for places in spoiled for place in places]
        _round(generation, again, questions, names, found)
    return found


def _round(
    generation: Generation,
    stretches: Sequence[Stretch],
    questions: LabelQuestions,
    names: LabelNames,
    found: Found,
) -> list[range]:
    """Get and read a round of answers; return the places of texts whose answer said nothing."""
    try:
        generation.fill(stretches)
    except Exhausted as stopped:
        signal = stopped.signal if isinstance(stopped, Interrupted) else None
        found.halt = Halt(str(stopped), signal)
    spoiled: list[range] = []
    for answer in generation.read(stretches):
        request, completion = answer.request, answer.completion
        if completion is not None:
            found.use += TokenUse.of(request, completion)
        places = questions.places(request.id.label, request.id.conversation)
        outcomes = outcomes_of(names, request.custom_id, len(places), completion)
        found.outcomes[places.start : places.stop] = outcomes
        if outcomes[0].spoiled:
            found.failed.append(answer.failure or outcomes[0].reason)
            spoiled.append(places)
    return spoiled
