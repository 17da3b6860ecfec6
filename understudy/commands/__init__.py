"""The commands, one a file: each has NAME, HELP, `add_arguments` and `run`."""

from understudy.commands import (
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

COMMANDS = (demo, tasks, build, study, report, subjectivity, train, push, pull, ledger)
