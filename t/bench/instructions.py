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
from paths import PATHS, Bench

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
    """callgrind around gateways: counts between two moments."""

    def __init__(self, directory: Path):
        self.directory = directory
        self._dumps: dict[int, int] = {}

    def wrapper(self) -> list[str]:
        return ["valgrind", "--tool=callgrind", "--instr-atstart=no", "--compress-strings=no",
                f"--callgrind-out-file={self.directory}/out.%p", "--quiet"]

    def count(self, pid: int, run) -> tuple[int, Path]:
        control(pid, "-i", "on")
        run()
        control(pid, "-i", "off")
        control(pid, "-d")
        self._dumps[pid] = self._dumps.get(pid, 0) + 1
        dump = self.directory / f"out.{pid}.{self._dumps[pid]}"
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


def count_all(settings: Settings, paths, count: int) -> dict[str, tuple[float, Path]]:
    """By the path's name: instructions per request, and the dump."""
    counter = Counter(root_dir())
    results = {}
    with Bench(settings, counter.wrapper(), "master_process off;") as bench:
        for path in paths:
            header = bench.header(path)
            origin = bench.origin(path).removeprefix("http://")
            connection = http.client.HTTPConnection(origin)
            requests(connection, path.place, header, WARM_UP)
            total, dump = counter.count(
                bench.gateway(path).process.pid,
                lambda: requests(connection, path.place, header, count))
            connection.close()
            results[path.name] = (total / count, dump)
    return results


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--module", type=Path, required=True)
    parser.add_argument("--nginx", type=Path, default=Path("/usr/sbin/nginx"))
    parser.add_argument("--requests", type=int, default=300)
    parser.add_argument("--functions", type=int, default=0, help="show that many of each path")
    options = parser.parse_args()
    results = count_all(Settings(options.module.resolve(), options.nginx), PATHS, options.requests)
    names = {path.key: path.name for path in PATHS}
    print(f"{'path':44} {'instructions':>12} {'more':>9} {'ratio':>6}  than")
    for path in PATHS:
        figure, _ = results[path.name]
        beside = names[path.beside]
        than, _ = results[beside]
        print(f"{path.name:44} {figure:12.0f} {figure - than:9.0f} {figure / than:6.2f}  {beside}")
    for path in PATHS if options.functions else []:
        print(f"\n{path.name}: instructions per request by function")
        print("\n".join(functions(results[path.name][1], options.requests, options.functions)))


if __name__ == "__main__":
    main()
