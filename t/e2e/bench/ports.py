"""Free ports of loopback, also for the tests of the stores."""

import fcntl
import functools
import os
import random
import socket
import tempfile
from pathlib import Path

_mine: set[int] = set()


def free_port(preferred: int = 0) -> int:
    """A port below the ephemeral range, so that no outgoing connection takes it meanwhile."""
    candidates = [preferred] if preferred else []
    candidates += random.sample(range(20000, 32000), 200)
    for port in candidates:
        if port not in _mine and _reserve(port) and _bindable(port):
            _mine.add(port)
            return port
    raise RuntimeError("no free port")


@functools.cache
def _reservations() -> int:
    path = Path(tempfile.gettempdir()) / f"oidc-test-ports-{os.getuid()}"
    return os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)


def _reserve(port: int) -> bool:
    """The byte PORT of a file, until this process ends: a server may take half a minute until it
    binds its port, and other test runs of this machine choose ports meanwhile."""
    try:
        fcntl.lockf(_reservations(), fcntl.LOCK_EX | fcntl.LOCK_NB, 1, port)
    except OSError:
        return False
    return True


def _bindable(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True
