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
    tasks,
    train,
)

COMMANDS = (demo, tasks, build, annotate, study, report, train, push, pull, ledger)
