"""What every test starts from: no network, empty caches, the same examples in every run."""

import atexit
import ipaddress
import os
import shutil
import socket
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

# Libraries read these when they are imported, so they are set before any test module is.
_CACHES = Path(tempfile.mkdtemp(prefix="understudy-tests-"))
atexit.register(shutil.rmtree, _CACHES, ignore_errors=True)
os.environ.update(
    HF_HOME=str(_CACHES / "huggingface"),
    HF_HUB_DISABLE_TELEMETRY="1",
    HF_HUB_OFFLINE="1",
    OMP_NUM_THREADS="2",
    TOKENIZERS_PARALLELISM="false",
    UNDERSTUDY_CACHE=str(_CACHES / "understudy"),
    XDG_CACHE_HOME=str(_CACHES / "xdg"),
)
# These would point past the empty caches.
for _name in ("HF_DATASETS_CACHE", "HF_HUB_CACHE", "HF_TOKEN", "OPENAI_API_KEY", "OPENAI_BASE_URL"):
    os.environ.pop(_name, None)
if os.environ.get("UNDERSTUDY_DATA"):
    os.environ["UNDERSTUDY_DATA"] = str(Path(os.environ["UNDERSTUDY_DATA"]).resolve())

settings.register_profile(
    "understudy", derandomize=True, deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
settings.load_profile("understudy")

_refused: list[str] = []


def _is_local(host: object) -> bool:
    if host in (None, "", b"", "localhost", socket.gethostname()):
        return True
    name = host.decode() if isinstance(host, bytes) else str(host)
    try:
        address = ipaddress.ip_address(name.partition("%")[0])
    except ValueError:
        return False
    return address.is_loopback or address.is_unspecified


def _refuse_network(event: str, arguments: tuple[object, ...]) -> None:
    """Refuse every connection and look-up that leaves this machine, whatever asks for it."""
    if event in ("socket.connect", "socket.sendto"):
        address = arguments[1]
        host = address[0] if isinstance(address, tuple) else None
    elif event in ("socket.getaddrinfo", "socket.gethostbyname"):
        host = arguments[0]
    else:
        return
    if not _is_local(host):
        _refused.append(f"{event} {host!r}")
        raise RuntimeError(f"tests are offline: {event} {host!r} was refused")


sys.addaudithook(_refuse_network)


@pytest.fixture(autouse=True)
def refused_connections() -> Iterator[list[str]]:
    """Fail a test that reached for the network, even where the code under test hid the refusal."""
    _refused.clear()
    yield _refused
    if _refused:
        attempts = ", ".join(_refused)
        _refused.clear()
        pytest.fail(f"reached for the network: {attempts}")


@pytest.fixture
def data_dir() -> Path:
    """Return the folder of other people's data, `UNDERSTUDY_DATA`; skip where it is not set."""
    folder = os.environ.get("UNDERSTUDY_DATA")
    if not folder:
        pytest.skip("needs UNDERSTUDY_DATA, the folder of real data")
    if not Path(folder).is_dir():
        pytest.fail(f"UNDERSTUDY_DATA={folder} is not a folder")
    return Path(folder)
