"""Faults on demand, and the trace of what the tests' Hub was asked."""

import os
import re
import signal
from dataclasses import dataclass, field
from typing import Any


@dataclass
class Fault:
    """What goes wrong, and at which request.

    Attributes:
        number: The request's number in the trace, from 1; None for any.
        method: The request's method; `*` for any.
        pattern: A regular expression found in the request's path and query.
        do: `status` answers `status`; `drop` closes the connection; `kill` ends the process `pid`
            and closes the connection.
        when: `before` the request is carried out, or `after`: it is, but the reply is lost.
        times: How many requests it befalls.
        skip: How many it spares first.
        status: The status.
        code: The `X-Error-Code`.
        message: The `X-Error-Message`.
        headers: Headers beside.
        pid: The process.
    """

    number: int | None = None
    method: str = "*"
    pattern: str = ""
    do: str = "status"
    when: str = "before"
    times: int = 1
    skip: int = 0
    status: int = 503
    code: str = ""
    message: str = "a fault, as asked for"
    headers: dict[str, str] = field(default_factory=dict)
    pid: int = 0

    def befalls(self, number: int, method: str, path: str) -> bool:
        """Tell whether it befalls this request, and count it."""
        meant = self.number in (None, number) and self.method in ("*", method)
        if not meant or self.times < 1 or not re.search(self.pattern, path):
            return False
        if self.skip > 0:
            self.skip -= 1
            return False
        self.times -= 1
        return True

    def kill(self) -> None:
        """End the process, as a power cut would."""
        os.kill(self.pid, signal.SIGKILL)


@dataclass
class Faults:
    """The faults that are set, and the requests that came.

    Attributes:
        faults: Those that were asked for.
        trace: The requests, numbered from 1 in the order of their arrival.
    """

    faults: list[Fault] = field(default_factory=list)
    trace: list[dict[str, Any]] = field(default_factory=list)

    def arrived(self, method: str, path: str, host: str, *, token: bool) -> dict[str, Any]:
        """Write a request into the trace; return its line."""
        number = len(self.trace) + 1
        line = {"number": number, "method": method, "path": path, "host": host, "token": token}
        self.trace.append(line)
        return line

    def fault(self, line: dict[str, Any]) -> Fault | None:
        """Return the fault that befalls a request."""
        for fault in self.faults:
            if fault.befalls(line["number"], line["method"], line["path"]):
                return fault
        return None
