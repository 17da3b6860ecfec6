"""Several processes that train together: how many there are, and what the first does for all."""

from __future__ import annotations

import atexit
import os
import sys
import threading
import time
from collections.abc import Callable
from typing import Any, NoReturn, TypeVar

from builders.errors import UserError

T = TypeVar("T")

_GRACE_S = 20.0  # in which the first process says what all have met, and the launcher ends them


def rank() -> int:
    """Return which process this is, from 0, as its launcher says; without loading torch."""
    return int(os.environ.get("RANK", "0"))


def wait_for_the_first() -> None:
    """Let the first process alone say what all have met, whatever the number of processes."""
    if rank():
        time.sleep(_GRACE_S)


def started() -> int:
    """Return how many processes a launcher started; 1 without one."""
    return int(os.environ.get("WORLD_SIZE", "1"))


def check_processes(asked: int | None) -> None:
    """Refuse to run as another number of processes than was asked for.

    `accelerate launch --cpu --num_processes 2` starts one, and says nothing.

    Raises:
        UserError: It does.
    """
    there = started()
    if asked is None or asked == there:
        return
    few = f"1 process, not the {asked}" if there == 1 else f"{there} processes, not the {asked}"
    raise UserError(
        f"processes {asked}: this runs as {few} asked for; launch it with torchrun "
        f"--nproc_per_node {asked} --standalone -m trainers.finetune RECIPE (accelerate launch "
        "--cpu starts one process whatever --num_processes says)"
    )


def in_first(do: Callable[[], T]) -> T:
    """Do something in the first process alone, and give all what it gave.

    Raises:
        UserError: The first process met one; all raise it.
        OSError: Likewise.
    """
    from accelerate import PartialState
    from accelerate.utils import broadcast_object_list

    given: list[Any] = [None, None]
    met: Exception | None = None
    if PartialState().is_main_process:
        try:
            given[0] = do()
        except UserError as error:
            met, given[1] = error, UserError(str(error))
        except OSError as error:
            met, given[1] = error, OSError(str(error))
            if error.errno is not None:
                given[1] = OSError(error.errno, error.strerror, error.filename)
    broadcast_object_list(given)
    if given[1] is not None:
        raise given[1] from met
    result: T = given[0]
    return result


def lost_another(error: RuntimeError) -> bool:
    """Tell whether a process was waited for in vain, as it ended: what gloo and NCCL say of it."""
    said = str(error)
    # "[.../gloo/transport/tcp/pair.cc:547] Connection closed by peer [127.0.0.1]:31337", and of
    # NCCL "remote process exited or there was a network error".
    by_gloo = "gloo" in said and any(f"{how} by peer" in said for how in ("closed", "reset"))
    return started() > 1 and (by_gloo or "remote process exited" in said)


def leave() -> None:
    """End the communication between processes: all have said what they had to say."""
    from accelerate import PartialState

    PartialState().destroy_process_group()


def end(code: int) -> NoReturn:
    """End this program; where it is one process of several, without taking Python down before.

    Spread weights and meshes keep the groups of processes alive past `leave`, with threads that may
    still hold a tensor. Such a thread asks for the interpreter that is gone, and aborts the process
    ("terminate called without an active exception", PyTorch issue 190489): a run that is whole
    would end as a failed one. All else that an end of Python does is done here.
    """
    if started() == 1:
        sys.exit(code)
    for thread in threading.enumerate():
        if not (thread.daemon or thread is threading.current_thread()):
            thread.join()
    atexit._run_exitfuncs()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)
