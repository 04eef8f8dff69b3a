"""Text of an nginx configuration."""

import re

_PLAIN = re.compile(r"[A-Za-z0-9_./:@%+=,*?&~^\[\]()|\-]+")


def quoted(word: str) -> str:
    """One argument as nginx reads it back. A `$` would begin a variable where values may hold them;
    nginx has no way to write it literally there."""
    if _PLAIN.fullmatch(word):
        return word
    return '"' + word.replace("\\", "\\\\").replace('"', '\\"') + '"'


def directive(name: str, *words: str) -> str:
    return " ".join([name, *map(quoted, words)]) + ";"


def comment(text: str) -> str:
    return "# " + " ".join(text.split())


def block(head: str, lines: list[str]) -> list[str]:
    return [head + " {", *("    " + line if line else "" for line in lines), "}"]
