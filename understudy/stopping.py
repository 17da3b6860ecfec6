"""A signal asked for the end."""

import signal


class Stopped(KeyboardInterrupt):
    """SIGINT or SIGTERM came: what was begun is given up, what is finished is kept.

    Attributes:
        code: The exit code, as shells give it: 128 and the signal's number.
    """

    def __init__(self, number: int = signal.SIGTERM) -> None:
        super().__init__()
        self.code = 128 + number
