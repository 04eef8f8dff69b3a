#!/usr/bin/env python3
"""Compares the directives that the code knows with those that docs/directives.md describes.

usage: check_directives.py OIDC_DIRECTIVES [PAGE]

OIDC_DIRECTIVES is the program that prints one name per line; the page has one heading
"### `oidc_name`" for each.
"""

import collections
import pathlib
import re
import subprocess
import sys

HEADING = re.compile(r"^###\s+`(oidc(?:_[a-z0-9]+)*)`\s*$", re.MULTILINE)


def main(program, page):
    known = subprocess.run([program], check=True, capture_output=True, text=True).stdout.split()
    described = HEADING.findall(pathlib.Path(page).read_text(encoding="utf-8"))
    faults = [f"{name}: not described" for name in known if name not in described]
    faults += [f"{name}: described, but unknown to the module"
               for name in described if name not in known]
    for kind, names in (("known", known), ("described", described)):
        counts = collections.Counter(names)
        faults += [f"{name}: {kind} {n} times" for name, n in counts.items() if n > 1]
    # A check that finds nothing to check must not report success.
    if not known:
        faults.append(f"{program} printed no directive")
    for fault in faults:
        print(fault)
    print(f"{len(known)} directives, {len(described)} described, {len(faults)} faults")
    return 1 if faults else 0


if __name__ == "__main__":
    if len(sys.argv) not in (2, 3):
        sys.exit(__doc__)
    default = pathlib.Path(__file__).resolve().parents[1] / "docs" / "directives.md"
    sys.exit(main(sys.argv[1], sys.argv[2] if len(sys.argv) == 3 else default))
