"""Every path beside the limit, in interleaved rounds, each with its goal; `--plot` draws it."""

import argparse
import os
from pathlib import Path as File
from statistics import median

import verify_time
from bench.nginx import Settings
from logins import login_cost
from measure import Figures, at_rate, load, pin
from paths import PATHS, Bench
from plot import bars

NAMES = {path.key: path.name for path in PATHS}
EXTRA_US = 0.7  # of 20 rules and 5 claim headers
LOGIN_MS, LOGIN_COMMANDS = 0.4, 3
ADDED_US, P99_MS = 75, 2.0
COOKIE, RECORD = 120, 3300


def verdict(good: bool) -> str:
    return "met" if good else "missed"


def report(figures: dict[str, Figures]) -> list[tuple[str, float, float]]:
    """Prints the table. Returns (name, CPU, goal in the same unit or 0) of each path."""
    print(f"\n{'path':44} {'req/s':>7} {'CPU us':>7} {'range':>13} {'p50 ms':>7} {'p99 ms':>7} "
          f"{'ratio':>6} {'goal':>6}")
    rows = []
    for path in PATHS:
        own, beside = figures[path.name], figures[NAMES[path.beside]]
        ratio = median(a / b for a, b in zip(own.costs, beside.costs))
        goal = f"{path.goal:6.2f} {verdict(ratio <= path.goal)}" if path.goal else ""
        print(f"{path.name:44} {median(own.rates):7.0f} {own.cost():7.2f} "
              f"{min(own.costs):6.2f}-{max(own.costs):6.2f} {median(own.p50):7.2f} "
              f"{median(own.p99):7.2f} {ratio:6.2f} {goal}")
        rows.append((path.name, own.cost(), path.goal * beside.cost()))
    return rows


def report_others(figures: dict[str, Figures], single: dict[str, Figures], bench, options) -> None:
    def cost(name):
        return figures[name].cost()

    def line(what, figure, unit, goal):
        print(f"{what:58} {figure:9.2f} {unit:8} goal {goal:g}: {verdict(figure <= goal)}")

    print()
    limit = cost(NAMES["limit"])
    line("20 rules and 5 claim headers on a cached session add",
         cost("session in shm, 20 rules, 5 claim headers") - cost("session in shm"), "us", EXTRA_US)
    for alg in ("RS256", "ES256", "EdDSA"):
        verify = verify_time.of(alg)
        line(f"JWT never seen, {alg}: over the limit (OpenSSL: {verify:.0f} us)",
             cost(f"bearer JWT never seen, {alg}") - limit, "us", 1.2 * verify)
    asked = next(path for path in PATHS if path.name == "session in Redis, asked each time")
    added = 1000 * (median(single[asked.name].p50) - median(single[NAMES["limit"]].p50))
    line("session in Redis adds at one connection, p50", added, "us", ADDED_US)
    rate = 0.8 * median(figures[asked.name].rates)
    before = bench.redis.calls().get("get", 0)
    times = at_rate(asked, bench, rate, options.seconds)
    gets = bench.redis.calls().get("get", 0) - before
    line(f"session in Redis at {rate:.0f} req/s (80 %), p99", times[int(len(times) * 0.99)], "ms",
         P99_MS)
    line("session in Redis: GETs per request", gets / len(times), "", 1.01)
    login, commands = login_cost(bench, options.logins)
    line("callback to redirect, CPU without the provider", login * 1000, "ms", LOGIN_MS)
    line("callback to redirect, Redis commands", commands, "", LOGIN_COMMANDS)
    name, _, value = bench.header(asked).removeprefix("Cookie: ").partition("=")
    line("session cookie with its name", len(name) + 1 + len(value), "bytes", COOKIE)
    sizes = [bench.redis.command("STRLEN", key) for key in bench.redis.records()]
    line("session in Redis, largest record", max(sizes), "bytes", RECORD)


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--module", type=File, required=True)
    parser.add_argument("--nginx", type=File, default=File("/usr/sbin/nginx"))
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=int, default=3)
    parser.add_argument("--connections", type=int, default=32)
    parser.add_argument("--sessions", type=int, default=0, help="that many others are in Redis")
    parser.add_argument("--logins", type=int, default=300)
    parser.add_argument("--plot", type=File, help="an SVG file to write")
    options = parser.parse_args()
    settings = Settings(options.module.resolve(), options.nginx)
    with Bench(settings, sessions=options.sessions) as bench:
        figures = {path.name: Figures(path) for path in PATHS}
        single = {path.name: Figures(path) for path in PATHS
                  if path.key == "limit" or path.name == "session in Redis, asked each time"}
        for path in PATHS:
            pin(bench.worker(path), 0)
            load(Figures(path), bench, options.connections, 1)  # warm
        for n in range(options.rounds):
            print(f"round {n + 1} of {options.rounds}, load {os.getloadavg()[0]:.1f}", flush=True)
            for measured in figures.values():
                load(measured, bench, options.connections, options.seconds)
            for measured in single.values():
                load(measured, bench, 1, options.seconds)
        rows = report(figures)
        report_others(figures, single, bench, options)
    if options.plot:
        options.plot.write_text(bars("CPU microseconds of the gateway per request", rows))
        print(f"plot: {options.plot}")


if __name__ == "__main__":
    main()
