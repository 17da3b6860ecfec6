"""The commands, one a file: each has NAME, HELP, `add_arguments` and `run`."""

from understudy.commands import (
    annotate,
    build,
    demo,
    ledger,
    pull,
    push,
    report,
    study,
    subjectivity,
    tasks,
    train,
)

COMMANDS = (
    demo,
    tasks,
    build,
    annotate,
    study,
    report,
    subjectivity,
    train,
    push,
    pull,
    ledger,
)
