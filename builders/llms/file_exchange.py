"""An exchange of files: requests are written in the Batch format, whoever answers puts answers by.

`vllm run-batch`, a batch uploaded by hand, or any program that reads and writes JSON lines.
"""

import json
import os
import re
from collections import Counter
from collections.abc import AsyncGenerator, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from builders.errors import UserError
from builders.llms.base import Exhausted, RequestFailed, Sampling, TryAgain, WaveLLM
from builders.llms.batch_files import Bound, Wave, input_line, lines_of, portions
from builders.llms.dialect import Dialect
from builders.requests import Completion, Request

_LOCK = ".lock"
_WRITING = ".writing"
_WAIT_S = 60.0  # for another process's writing, which takes seconds
_NAMED = 3  # files in a message


class FileExchange(WaveLLM):
    """Writes `FOLDER/NNNN.requests.jsonl` and reads `FOLDER/*.responses.jsonl[.gz]`.

    A request is written once; it is written again only after an answer said that it was not
    processed (an expired batch, an unknown model), or when its request file is gone.

    Args:
        folder: The folder; it is made where it does not exist.
        sampling: How the model is to write.
        model: The model's name, in the requests and in the ledger.
        bound: Of a request file.

    Raises:
        UserError: The folder is none.
    """

    def __init__(
        self,
        folder: Path,
        sampling: Sampling | None = None,
        model: str = "any",
        bound: Bound | None = None,
    ) -> None:
        if folder.exists() and not folder.is_dir():
            raise UserError(f"--llm file:{folder}: is no folder; name one, or a new one")
        self.folder = folder
        self.model = model
        self.endpoint = "file"  # the same requests have the same answers, whichever folder it is
        self.description = "an LLM asked by files" if model == "any" else f"{model}, asked by files"
        self.sampling = sampling or Sampling()
        self._bound = bound or Bound()
        self._dialect = Dialect(schema=self.sampling.schema)

    def phrased(self, request: Request) -> Request:
        """Ask for JSON in words where no schema is wanted."""
        return self._dialect.phrased(request)

    async def complete_all(
        self, requests: Sequence[Request]
    ) -> AsyncGenerator[tuple[Request, Completion | RequestFailed], None]:
        """Yield what is answered in the folder; see that the rest is in a request file."""
        wave = Wave(requests, self.endpoint, self.model)
        failed: dict[str, RequestFailed] = {}
        refused: Counter[str] = Counter()
        said = ""
        for path in self._files("responses"):
            for line in lines_of(path, wave.ignored):
                reply = wave.read(line)
                if reply is None:
                    continue
                name, outcome = reply
                if isinstance(outcome, Completion):
                    yield wave.waiting.pop(name), outcome
                elif isinstance(outcome, TryAgain | UserError):
                    refused[name] += 1
                    said = said or str(outcome)
                else:
                    failed.setdefault(name, outcome)
        for name, failure in failed.items():
            if name in wave.waiting:  # no other line answers it
                yield wave.waiting.pop(name), failure
        if wave.waiting:
            asked = self._ask(wave, refused)
            raise Exhausted(self._how_to_go_on(wave, asked, refused, said))

    def _ask(self, wave: Wave, refused: Counter[str]) -> Counter[str]:
        """Write the requests that wait and are in no file; return file -> requests open in it."""
        with self._writing():
            times: Counter[str] = Counter()
            last: dict[str, str] = {}
            for path in self._files("requests"):
                for name in _names(path):
                    wave.foreign.pop(name, None)  # an answer to an earlier wave is no surprise
                    if name in wave.waiting:
                        times[name] += 1
                        last[name] = path.name
            new = [name for name in wave.waiting if times[name] <= refused[name]]
            for part in portions(new, lambda name: len(self._line(wave, name)), self._bound):
                last.update(dict.fromkeys(part, self._write(wave, part)))
        return Counter(last[name] for name in wave.waiting)

    def _write(self, wave: Wave, part: Sequence[str]) -> str:
        numbers = [
            int(found[0])
            for kind in ("requests", "responses")
            for path in self._files(kind)
            if (found := re.match(r"\d+(?=\.)", path.name))
        ]
        target = self.folder / f"{1 + max(numbers, default=0):04}.requests.jsonl"
        temporary = self.folder / _WRITING
        with temporary.open("wb") as file:
            file.writelines(self._line(wave, name) for name in part)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(target)
        return target.name

    def _line(self, wave: Wave, name: str) -> bytes:
        return input_line(name, self._dialect.body(self.model, wave.waiting[name]))

    def _files(self, kind: str) -> list[Path]:
        found = [*self.folder.glob(f"*.{kind}.jsonl"), *self.folder.glob(f"*.{kind}.jsonl.gz")]
        return sorted(found)

    @contextmanager
    def _writing(self) -> Iterator[None]:
        """Keep other processes from writing the same requests."""
        from filelock import FileLock, Timeout

        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            with FileLock(self.folder / _LOCK, timeout=_WAIT_S):
                yield
        except Timeout:
            raise UserError(
                f"{self.folder}: another process is writing there; wait for it, or name another "
                "folder"
            ) from None
        except OSError as error:
            raise UserError(
                f"{self.folder}: cannot be written ({error.strerror or error}): free some space, "
                "or name another folder"
            ) from None

    def _how_to_go_on(
        self, wave: Wave, asked: Counter[str], refused: Counter[str], said: str
    ) -> str:
        files = [f"{self.folder / name} ({n})" for name, n in sorted(asked.items())]
        more = f" and {len(files) - _NAMED} more" if len(files) > _NAMED else ""
        lines = [f"{len(wave.waiting)} requests are open in {', '.join(files[:_NAMED])}{more}"]
        if again := sum(name in wave.waiting for name in refused):
            lines.append(f"{again} of them were refused before ({said})")
        ignored = {**wave.ignored, "of unknown requests": wave.foreign.total()}
        if counts := [f"{n} {why}" for why, n in ignored.items() if n]:
            lines.append(f"ignored answers: {', '.join(counts)}")
        lines.append(
            f"answer them, put the answers into {self.folder} as *.responses.jsonl and run the "
            "same command again"
        )
        return "; ".join(lines)


def _names(path: Path) -> Iterator[str]:
    """Yield the ids in a request file; a line that holds none asks nothing."""
    for line in lines_of(path, Counter()):
        try:
            yield str(json.loads(line)["custom_id"])
        except (ValueError, TypeError, LookupError, RecursionError):
            continue
