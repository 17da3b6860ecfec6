"""`understudy tasks`: the tasks that ship, and the check of a user's own file."""

import argparse
from pathlib import Path

NAME = "tasks"
HELP = "list the tasks, or check a task file of your own"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add this command's arguments."""
    actions = parser.add_subparsers(dest="action", metavar="ACTION")
    check = actions.add_parser("check", help="report every mistake in a task file")
    check.add_argument("file", type=Path, metavar="FILE", help="a task file (YAML)")


def run(args: argparse.Namespace) -> int:
    """List the tasks, or check one file: exit 0 if it is right, 2 if not."""
    if args.action == "check":
        return _check(args.file)
    from builders.tasks import list_tasks

    tasks = list_tasks()
    width = max(len(task.name) for task in tasks)
    for task in tasks:
        print(f"{task.name:<{width}}  {task.title}: {', '.join(task.label_names)}")
    print(
        f"\n{len(tasks)} tasks, the more objective ones first, as remembered from the paper. Your "
        "own: a file like\nbuilders/tasks/sms_spam.yaml; its path works wherever a name does."
    )
    return 0


def _check(file: Path) -> int:
    from builders.tasks import check_task_file, load_task

    mistakes = check_task_file(file)
    for mistake in mistakes:
        print(f"{file}: {mistake}")
    if mistakes:
        print(f"{len(mistakes)} mistake{'s' if len(mistakes) > 1 else ''}")
        return 2
    task = load_task(str(file))
    print(f"{file}: right; task {task.name} with the labels {', '.join(task.label_names)}")
    return 0
