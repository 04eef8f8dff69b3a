#!/usr/bin/env python3
"""Compares what tools/kong_import knows of Kong's parameters with the code, the tests and the page.

usage: check_kong.py OIDC_DIRECTIVES [--write]

OIDC_DIRECTIVES is the program that prints the module's directives, one name per line. All 234
parameters must be there, each directive named must exist and be used by a test, and the table at
the end of docs/kong.md must say the same; --write writes that table.
"""

import pathlib
import re
import subprocess
import sys

TOOLS = pathlib.Path(__file__).resolve().parent
ROOT = TOOLS.parent
sys.path.insert(0, str(TOOLS))
from kong_import.parameters import PARAMETERS  # noqa: E402

PARAMETER_COUNT = 234  # of Kong 3.15
PAGE = ROOT / "docs" / "kong.md"
HEADING = "## All parameters\n"
INTRODUCTION = """
Kong 3.15 has 234. Each with the directive that it becomes and a file of tests that uses it, or the
reason why there is none. `tools/kong-import` translates by this table.

| Kong | here | tests |
|---|---|---|
"""


def tests_of(directive: str, files: dict[str, str]) -> str | None:
    """The file that uses the directive most, by its name or as an argument without `oidc_`; one that
    only reads configurations where no other does."""
    short = directive.removeprefix("oidc_")
    use = re.compile(rf"\b{directive}\b|\b{short}=|[\"']{short}[\"']\s*:")
    uses = {name: len(use.findall(text)) for name, text in files.items()}
    behaviour = {name: count for name, count in uses.items() if count and "conf" not in name}
    best = max(behaviour or uses, key=uses.get)
    return best if uses[best] else None


def table(known: list[str]) -> tuple[str, list[str]]:
    files = {str(path.relative_to(ROOT)): path.read_text(encoding="utf-8")
             for pattern in ("e2e/test_*.py", "unit/*_test.cpp")
             for path in sorted((ROOT / "t").glob(pattern))}
    rows, faults = [], []
    if len(PARAMETERS) != PARAMETER_COUNT:
        faults.append(f"{len(PARAMETERS)} parameters in place of {PARAMETER_COUNT}")
    for name in sorted(PARAMETERS):
        parameter = PARAMETERS[name]
        if not parameter.directives:
            rows.append(f"| `{name}` | {parameter.reason} | |")
            continue
        tested = []
        for directive in parameter.directives:
            if directive not in known:
                faults.append(f"{name}: {directive} is unknown to the module")
            where = tests_of(directive, files)
            if where is None:
                faults.append(f"{name}: no test uses {directive}")
            elif where not in tested:
                tested.append(where)
        here = "`oidc_redis_*`" if name == "redis" else f"`{parameter.directives[0]}`"
        rows.append(f"| `{name}` | {here} | {', '.join(tested)} |")
    return "\n".join(rows) + "\n", faults


def main(program: str, write: bool) -> int:
    known = subprocess.run([program], check=True, capture_output=True, text=True).stdout.split()
    rows, faults = table(known)
    page = PAGE.read_text(encoding="utf-8")
    before = page.partition(HEADING)[0].rstrip() + "\n\n"
    right = before + HEADING + INTRODUCTION + rows
    if write:
        PAGE.write_text(right, encoding="utf-8")
    elif page != right:
        faults.append("docs/kong.md: the table of all parameters is out of date; see --write")
    for fault in faults:
        print(fault)
    equal = sum(1 for parameter in PARAMETERS.values() if parameter.convert)
    print(f"{len(PARAMETERS)} parameters, {equal} with an equal, {len(faults)} faults")
    return 1 if faults else 0


if __name__ == "__main__":
    if len(sys.argv) not in (2, 3) or sys.argv[2:] not in ([], ["--write"]):
        sys.exit(__doc__)
    sys.exit(main(sys.argv[1], len(sys.argv) == 3))
