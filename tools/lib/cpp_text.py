"""C++ source as text for the lints: files, and code without comments and literals."""

import pathlib
import re

ROOT = pathlib.Path(__file__).resolve().parents[2]
CORE_LAYERS = ("base", "crypto", "jose", "proto", "session", "flow", "conf")

_TOKEN = re.compile(
    r"""
    (?P<raw>(?:u8|[uUL])?R"(?P<tag>[^()\\\s]{0,16})\(.*?\)(?P=tag)")
  | (?P<string>"(?:\\.|[^"\\\n])*")
  | (?P<char>(?<![0-9a-zA-Z_])'(?:\\.|[^'\\\n])+')
  | (?P<line>//[^\n]*)
  | (?P<block>/\*.*?\*/)
    """,
    re.VERBOSE | re.DOTALL,
)


def files(*directories):
    """C++ files below the directories, which are relative to the repository."""
    for directory in directories:
        base = ROOT / directory
        for path in sorted(base.rglob("*")):
            if path.suffix in (".h", ".cpp", ".c") and path.is_file():
                yield path


def code_of(text):
    """The text with comments and the insides of literals blanked; positions stay as they are."""

    def blank(match):
        found = match.group(0)
        empty = re.sub(r"[^\n]", " ", found)
        if match.group("line") or match.group("block"):
            return empty
        return found[0] + empty[1:-1] + found[-1]

    return _TOKEN.sub(blank, text)


def line_of(text, position):
    return text.count("\n", 0, position) + 1


def complain(path, line, message):
    print(f"{path.relative_to(ROOT)}:{line}: {message}")
