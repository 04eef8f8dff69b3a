"""The hot requests' instructions beside their budget (budget.json): `tools/test` fails when one
grows. No timed test: callgrind gives the same binary the same figure within a percent.

What counts is the ratio to plain nginx in the same run, which hardly depends on the machine."""

import argparse
import json
import sys
from pathlib import Path

from bench.nginx import Settings
from instructions import count_all
from paths import PATHS

TOLERANCE = 1.03
HOT = ["session in shm", "session in Redis", "session in shm, 20 rules, 5 claim headers",
       "bearer JWT seen before", "module loaded, oidc off", "session in shm, no worker cache",
       "session in Redis, asked each time", "session in cookies"]
FILE = Path(__file__).with_name("budget.json")


def ratios(settings: Settings, count: int) -> dict[str, float]:
    named, keyed = ({getattr(path, by): path for path in PATHS} for by in ("name", "key"))
    limit = keyed["limit"]
    counted = count_all(settings, [limit, *(named[name] for name in HOT)], count)
    return {name: counted[name][0] / counted[limit.name][0] for name in HOT}


def main() -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("--module", type=Path, required=True)
    parser.add_argument("--nginx", type=Path, default=Path("/usr/sbin/nginx"))
    parser.add_argument("--requests", type=int, default=200)
    parser.add_argument("--write", action="store_true", help="what is measured is the budget")
    options = parser.parse_args()
    found = ratios(Settings(options.module.resolve(), options.nginx), options.requests)
    if options.write:
        FILE.write_text(json.dumps({name: round(ratio, 2) for name, ratio in found.items()},
                                   indent=2) + "\n")
    budget = json.loads(FILE.read_text())
    failed = 0
    print(f"{'path':44} {'ratio':>6} {'budget':>6}")
    for name, ratio in found.items():
        over = ratio > budget[name] * TOLERANCE
        failed += over
        print(f"{name:44} {ratio:6.2f} {budget[name]:6.2f}{'  over it' if over else ''}")
    if failed:
        print("Instructions per request beside plain nginx that adds a header. If the growth is worth "
              "it: t/bench/run --budget --write, and say why.")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
