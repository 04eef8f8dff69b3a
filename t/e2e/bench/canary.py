"""Secrets that the bench has seen or made. None of them may appear in a log."""

import re

_WORD = re.compile(rb"[A-Za-z0-9_.~-]{16,}")
_secrets: dict[bytes, str] = {}


def plant(kind: str, value: str | None) -> str | None:
    """Remembers `value`, and of a JWT also its payload and signature (its header is no secret)."""
    if value and len(value) >= 16:
        for word in _WORD.findall(value.encode()):
            _secrets.setdefault(word, kind)
            if word.startswith(b"eyJ"):
                for part in word.split(b".")[1:]:
                    if len(part) >= 16:
                        _secrets.setdefault(part, kind)
    return value


def find(data: bytes) -> list[str]:
    """The kinds of the secrets in `data`, each with the line that holds it."""
    found = []
    for line in data.splitlines():
        for word in _WORD.findall(line):
            pieces = [word, *word.split(b".")]
            kind = next((_secrets[p] for p in pieces if p in _secrets), None)
            if kind:
                found.append(f"{kind}: {line[:300].decode(errors='replace')}")
    return found


def known() -> int:
    return len(_secrets)
