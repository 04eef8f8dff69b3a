"""Processes with a log each, ended by their own pid."""

import ctypes
import functools
import os
import signal
import socket
import subprocess
import tempfile
import time
from pathlib import Path

from .ports import free_port  # noqa: F401


@functools.cache
def root_dir() -> Path:
    """Everything that this run writes is below it."""
    path = Path(tempfile.mkdtemp(prefix="oidc-e2e-"))
    path.chmod(0o755)
    return path


def make_dir(name: str) -> Path:
    """A directory that an unprivileged nginx worker may enter."""
    path = Path(tempfile.mkdtemp(prefix=f"{name}-", dir=root_dir()))
    path.chmod(0o755)
    return path


def wait_for(what: str, ready, timeout: float = 10.0, interval: float = 0.02):
    """Polls `ready` until it returns something true, and returns that."""
    end = time.monotonic() + timeout
    while True:
        result = ready()
        if result:
            return result
        if time.monotonic() > end:
            raise TimeoutError(f"{what}: not within {timeout:g} s")
        time.sleep(interval)


def listens(port: int, host: str = "127.0.0.1") -> bool:
    try:
        with socket.create_connection((host, port), timeout=1):
            return True
    except OSError:
        return False


def _end_with_parent() -> None:
    """PR_SET_PDEATHSIG: a bench that is killed leaves no processes behind."""
    ctypes.CDLL(None).prctl(1, signal.SIGTERM)


class Process:
    def __init__(self, name: str, argv: list, log: Path, env: dict | None = None, cwd=None):
        self.name = name
        self.log = log
        with open(log, "ab") as out:
            self._popen = subprocess.Popen(
                [str(a) for a in argv], stdin=subprocess.DEVNULL, stdout=out, stderr=out,
                env={**os.environ, **(env or {})}, cwd=cwd, start_new_session=True,
                preexec_fn=_end_with_parent)
        self.pid = self._popen.pid

    def alive(self) -> bool:
        return self._popen.poll() is None

    @property
    def returncode(self):
        return self._popen.poll()

    def require_alive(self) -> bool:
        if not self.alive():
            tail = self.log.read_text(errors="replace")[-3000:]
            raise RuntimeError(f"{self.name} ended with {self.returncode}:\n{tail}")
        return True

    def wait_port(self, port: int, timeout: float = 10.0) -> None:
        wait_for(f"{self.name} on port {port}",
                 lambda: self.require_alive() and listens(port), timeout)

    def send_signal(self, number: int) -> None:
        if self.alive():
            os.kill(self.pid, number)

    def wait(self, timeout: float) -> int:
        return self._popen.wait(timeout)

    def stop(self, number: int = signal.SIGTERM, timeout: float = 10.0) -> None:
        """Ends the process and what it started; it leads a session of its own."""
        if self.alive():
            self.send_signal(signal.SIGCONT)
            self.send_signal(number)
            try:
                self._popen.wait(timeout)
            except subprocess.TimeoutExpired:
                os.killpg(self.pid, signal.SIGKILL)
                self._popen.wait()
