#!/usr/bin/env python3
"""Compares the table of reason codes in docs/operations.md with include/oidc/errc.h.

usage: check_reasons.py [HEADER [PAGE]]

A row of the page is "| `code` | status | level | meaning | what to do |". Code, status, level and
meaning must be the header's, in its order; what to do must not be empty.
"""

import pathlib
import re
import sys

ROOT = pathlib.Path(__file__).resolve().parents[1]
ENTRY = re.compile(r'^\s*X\((\w+), (\d+), (\w+), "([^"]*)"\)', re.MULTILINE)
ROW = re.compile(r"^\| `(\w+)` \| (\S+) \| (\w+) \| (.*?) \| (.*?) *\|$", re.MULTILINE)


def main(header: pathlib.Path, page: pathlib.Path) -> int:
    known = {code: ("-" if status == "0" else status, level, sentence) for
             code, status, level, sentence in ENTRY.findall(header.read_text(encoding="utf-8"))}
    rows = ROW.findall(page.read_text(encoding="utf-8"))
    described = {row[0]: row[1:4] for row in rows}
    faults = [f"{code}: not described" for code in known if code not in described]
    faults += [f"{code}: described, but unknown to the module"
               for code in described if code not in known]
    for code in known.keys() & described.keys():
        faults += [f"{code}: {name} is \"{is_}\", the page says \"{says}\""
                   for name, is_, says in zip(("status", "level", "meaning"), known[code],
                                              described[code]) if is_ != says]
    faults += [f"{row[0]}: nothing to do?" for row in rows if not row[4]]
    if len(rows) != len(described):
        faults.append("a code is described twice")
    elif not faults and list(known) != list(described):
        faults.append("the page has another order than the header")
    # A check that finds nothing to check must not report success.
    if not known:
        faults.append(f"{header} has no reason code")
    for fault in faults:
        print(fault)
    print(f"{len(known)} reason codes, {len(described)} described, {len(faults)} faults")
    return 1 if faults else 0


if __name__ == "__main__":
    if len(sys.argv) > 3:
        sys.exit(__doc__)
    paths = [pathlib.Path(argument) for argument in sys.argv[1:]]
    defaults = [ROOT / "include" / "oidc" / "errc.h", ROOT / "docs" / "operations.md"]
    sys.exit(main(*paths, *defaults[len(paths):]))
