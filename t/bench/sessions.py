"""Requests with a session beside plain proxying, in interleaved rounds on one worker."""

import argparse
import os
import re
import statistics
import subprocess
import tempfile
from dataclasses import dataclass, field
from pathlib import Path

from bench.nginx import Settings
from paths import PATHS, Bench

TICK = os.sysconf("SC_CLK_TCK")


@dataclass
class Measured:
    name: str
    path: str
    headers: list = field(default_factory=list)  # "Name: value"
    rates: list = field(default_factory=list)
    costs: list = field(default_factory=list)  # CPU microseconds per request
    p50: list = field(default_factory=list)  # milliseconds
    p99: list = field(default_factory=list)


def cpu_seconds(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / TICK


def milliseconds(text: str) -> float:
    value, unit = re.fullmatch(r"([\d.]+)(us|ms|s)", text).groups()
    return float(value) * {"us": 0.001, "ms": 1.0, "s": 1000.0}[unit]


def measure(path: Measured, origin: str, worker: int, options) -> None:
    argv = ["wrk", "-t1", f"-c{options.connections}", f"-d{options.seconds}s", "--latency"]
    for header in path.headers:
        argv += ["-H", header]
    before = cpu_seconds(worker)
    out = subprocess.run([*argv, origin + path.path], capture_output=True, text=True, check=True)
    used = cpu_seconds(worker) - before
    count = int(re.search(r"(\d+) requests in", out.stdout).group(1))
    if "Non-2xx" in out.stdout or count == 0:
        raise SystemExit(f"{path.name}: not every answer was 200\n{out.stdout}")
    path.rates.append(float(re.search(r"Requests/sec:\s+([\d.]+)", out.stdout).group(1)))
    path.costs.append(used / count * 1e6)
    path.p50.append(milliseconds(re.search(r"50%\s+(\S+)", out.stdout).group(1)))
    path.p99.append(milliseconds(re.search(r"99%\s+(\S+)", out.stdout).group(1)))


def report(paths: list[Measured]) -> None:
    limit = next(p for p in paths if p.path == "/header")
    print(f"\n{'path':34} {'req/s':>8} {'CPU us':>8} {'range':>13} {'ratio':>6} {'p50 ms':>7} {'p99 ms':>7}")
    for path in paths:
        ratios = [c / l for c, l in zip(path.costs, limit.costs)]
        print(f"{path.name:34} {statistics.median(path.rates):8.0f} "
              f"{statistics.median(path.costs):8.1f} "
              f"{min(path.costs):6.1f}-{max(path.costs):6.1f} {statistics.median(ratios):6.2f} "
              f"{statistics.median(path.p50):7.2f} {statistics.median(path.p99):7.2f}")


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--module", type=Path, required=True)
    parser.add_argument("--nginx", type=Path, default=Path("/usr/sbin/nginx"))
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=int, default=3)
    parser.add_argument("--connections", type=int, default=32)
    parser.add_argument("--sessions", type=int, default=0, help="that many others are in Redis")
    parser.add_argument("--cache", default="16m", help="oidc_session_cache: a size, or off")
    options = parser.parse_args()
    settings = Settings(options.module.resolve(), options.nginx)
    with Bench(settings, sessions=options.sessions, cache=options.cache) as bench:
        paths = [Measured(name, path, [bench.credential(path)] if has_credential else [])
                 for name, path, has_credential in PATHS]
        worker = bench.gateway.workers()[0]
        for n in range(options.rounds):
            print(f"round {n + 1} of {options.rounds}", flush=True)
            for path in paths:
                measure(path, bench.origin, worker, options)
        report(paths)


if __name__ == "__main__":
    os.environ.setdefault("TMPDIR", tempfile.gettempdir())
    main()
