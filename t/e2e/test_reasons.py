"""The bench's table of reason codes equals the module's."""

import re
from pathlib import Path

from bench.reasons import STATUS

HEADER = Path(__file__).parents[2] / "include" / "oidc" / "errc.h"
INTERNAL = {"none", "internal", "invalid_configuration", "malformed", "too_large"}


def test_same_codes_and_statuses():
    rows = re.findall(r"X\((\w+), (\d+),", HEADER.read_text())
    table = {name: int(status) for name, status in rows if name not in INTERNAL}
    assert len(table) > 50
    assert table == STATUS
