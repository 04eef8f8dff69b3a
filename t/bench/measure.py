"""One path under load: what it serves, and what it costs the gateway."""

import os
import re
import subprocess
from dataclasses import dataclass, field
from pathlib import Path as File
from statistics import median

from paths import Path


@dataclass
class Figures:
    """Of all rounds. Costs are CPU microseconds of the gateway's worker per request."""

    path: Path
    rates: list = field(default_factory=list)
    costs: list = field(default_factory=list)
    p50: list = field(default_factory=list)  # milliseconds
    p99: list = field(default_factory=list)

    def cost(self) -> float:
        return median(self.costs)


def cpu_seconds(pid: int) -> float:
    """Of all threads, by the scheduler's count of nanoseconds."""
    tasks = File(f"/proc/{pid}/task").glob("*/schedstat")
    return sum(int(task.read_text().split()[0]) for task in tasks) / 1e9


def milliseconds(text: str) -> float:
    value, unit = re.fullmatch(r"([\d.]+)(us|ms|s)", text).groups()
    return float(value) * {"us": 0.001, "ms": 1.0, "s": 1000.0}[unit]


def pinned(core: int) -> list[str]:
    """Load and gateway on a core each, where there are two."""
    return ["taskset", "-c", str(core)] if (os.cpu_count() or 1) > 1 else []


def pin(pid: int, core: int) -> None:
    if (os.cpu_count() or 1) > 1:
        for task in File(f"/proc/{pid}/task").iterdir():
            os.sched_setaffinity(int(task.name), {core})


def load(figures: Figures, bench, connections: int, seconds: int) -> None:
    path, worker = figures.path, bench.worker(figures.path)
    argv = [*pinned(1), "wrk", "-t1", f"-c{connections}", f"-d{seconds}s", "--latency"]
    if header := bench.header(path):
        argv += ["-H", header]
    before = cpu_seconds(worker)
    out = subprocess.run([*argv, bench.origin(path) + path.place], capture_output=True, text=True,
                         check=True).stdout
    used = cpu_seconds(worker) - before
    count = int(re.search(r"(\d+) requests in", out).group(1))
    if "Non-2xx" in out or count == 0:
        raise SystemExit(f"{path.name}: not every answer was 200\n{out}")
    figures.rates.append(float(re.search(r"Requests/sec:\s+([\d.]+)", out).group(1)))
    figures.costs.append(used / count * 1e6)
    figures.p50.append(milliseconds(re.search(r"^ +50% +(\S+)", out, re.M).group(1)))
    figures.p99.append(milliseconds(re.search(r"^ +99% +(\S+)", out, re.M).group(1)))


def at_rate(path: Path, bench, rate: float, seconds: int) -> list[float]:
    """Milliseconds of each request where so many a second come, by 32 connections; sorted."""
    connections, log = 32, File(os.environ.get("TMPDIR", "/tmp")) / f"h2load-{os.getpid()}.log"
    name, _, value = bench.header(path).partition(": ")
    argv = [*pinned(1), "h2load", "--h1", f"-c{connections}", "-t1", f"-D{seconds}",
            f"--rps={rate / connections:.1f}", f"--log-file={log}"]
    if value:
        argv += ["-H", f"{name}: {value}"]
    subprocess.run([*argv, bench.origin(path) + path.place], capture_output=True, text=True,
                   check=True)
    rows = [line.split("\t") for line in log.read_text().splitlines()]
    log.unlink()
    if any(status != "200" for _, status, *_ in rows):
        raise SystemExit(f"{path.name}: not every answer was 200")
    return sorted(int(row[2]) / 1000 for row in rows)
