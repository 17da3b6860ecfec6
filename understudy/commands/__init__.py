"""The commands, one a file: each has NAME, HELP, `add_arguments` and `run`."""

from understudy.commands import build, demo, ledger, report, study, tasks

COMMANDS = (demo, tasks, build, study, report, ledger)
