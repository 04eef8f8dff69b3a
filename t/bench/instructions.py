"""Instructions of the gateway per request, in user space, as callgrind counts them.

Repeatable where times are not: the same binary gives the same figure within a percent, however busy
the machine is.
"""

import argparse
import http.client
import re
import subprocess
from pathlib import Path

from bench.nginx import Settings
from bench.proc import root_dir, wait_for
from paths import LIMIT, PATHS, Bench

WARM_UP = 50


def requests(connection: http.client.HTTPConnection, path: str, header: str, count: int) -> None:
    name, _, value = header.partition(": ")
    headers = {name: value} if header else {}
    for _ in range(count):
        connection.request("GET", path, headers=headers)
        answer = connection.getresponse()
        answer.read()
        assert answer.status == 200, (path, answer.status)


def control(pid: int, *arguments: str) -> None:
    subprocess.run(["callgrind_control", *arguments, str(pid)], check=True, timeout=60,
                   capture_output=True)


class Counter:
    """callgrind around one gateway: counts between two moments."""

    def __init__(self, directory: Path):
        self.directory = directory
        self._dumps = 0

    def wrapper(self) -> list[str]:
        return ["valgrind", "--tool=callgrind", "--instr-atstart=no", "--compress-strings=no",
                f"--callgrind-out-file={self.directory}/out", "--quiet"]

    def count(self, pid: int, run) -> tuple[int, Path]:
        control(pid, "-i", "on")
        run()
        control(pid, "-i", "off")
        control(pid, "-d")
        self._dumps += 1
        dump = self.directory / f"out.{self._dumps}"
        total = wait_for("the dump", lambda: self._total(dump), 30)
        return total, dump

    @staticmethod
    def _total(dump: Path) -> int | None:
        found = re.search(r"^totals: (\d+)", dump.read_text() if dump.exists() else "",
                          re.MULTILINE)
        return int(found.group(1)) if found else None


def functions(dump: Path, count: int, at_most: int) -> list[str]:
    out = subprocess.run(["callgrind_annotate", "--threshold=95", dump], capture_output=True,
                         text=True, check=True).stdout
    rows = re.findall(r"^\s*([\d,]+) \([\s\d.]+%\)\s+(.*?)\s*$", out, re.MULTILINE)
    lines = []
    for figure, name in rows[1:at_most + 1]:
        name = re.sub(r"^\S*:(?=\D)| \[.*\]$", "", name)
        lines.append(f"{int(figure.replace(',', '')) / count:9.0f}  {name[:100]}")
    return lines


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--module", type=Path, required=True)
    parser.add_argument("--nginx", type=Path, default=Path("/usr/sbin/nginx"))
    parser.add_argument("--requests", type=int, default=300)
    parser.add_argument("--functions", type=int, default=0, help="show that many of each path")
    parser.add_argument("--cache", default="16m", help="oidc_session_cache: a size, or off")
    options = parser.parse_args()
    counter = Counter(root_dir())
    settings = Settings(options.module.resolve(), options.nginx)
    results = []
    with Bench(settings, counter.wrapper(), "master_process off;",
               cache=options.cache) as bench:
        for name, path, has_credential in PATHS:
            header = bench.credential(path) if has_credential else ""
            connection = http.client.HTTPConnection(bench.origin.removeprefix("http://"))
            requests(connection, path, header, WARM_UP)
            total, dump = counter.count(
                bench.gateway.process.pid,
                lambda: requests(connection, path, header, options.requests))
            connection.close()
            results.append((name, path, total / options.requests, dump))
    limit = next(figure for _, path, figure, _ in results if path == LIMIT)
    print(f"{'path':34} {'instructions':>12} {'over limit':>11} {'ratio':>6}")
    for name, _, figure, _ in results:
        print(f"{name:34} {figure:12.0f} {figure - limit:11.0f} {figure / limit:6.2f}")
    for name, _, _, dump in results if options.functions else []:
        print(f"\n{name}: instructions per request by function")
        print("\n".join(functions(dump, options.requests, options.functions)))


if __name__ == "__main__":
    main()
