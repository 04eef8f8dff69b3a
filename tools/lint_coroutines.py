#!/usr/bin/env python3
"""Finds co_await operands that g++ 12 compiles into wrong code without a word.

Destroyed twice or too early are: braced aggregate temporaries and capturing lambdas within the
operand, and any temporary of a statement in which co_await meets ?: (also GCC bugs 98401, 99576 and
their kin). So an operand is one plain call whose arguments are names or plain calls.
"""

import re
import sys

from lib import cpp_text

_AWAIT = re.compile(r"(?<!operator )\bco_await\b")
_LAMBDA = re.compile(r"(?<![\w\])])\[[^\[\]]*\]\s*(?:\(|\{|<|mutable|noexcept|->)")
_OPEN, _CLOSE = "([{", ")]}"


def operand_end(code, start):
    """Position after the operand that starts at `start`."""
    depth = 0
    for position in range(start, len(code)):
        char = code[position]
        if char in _OPEN:
            depth += 1
        elif char in _CLOSE:
            if depth == 0:
                return position
            depth -= 1
        elif depth == 0 and char in ";,":
            return position
    return len(code)


def statement_start(code, position):
    """Position after the ; { or } that precedes the statement around `position`."""
    depth = 0
    while position > 0:
        char = code[position - 1]
        if char in ")]":
            depth += 1
        elif char in "([":
            depth -= 1
        elif char in "{}" or (char == ";" and depth <= 0):
            return position
        position -= 1
    return 0


def findings(code):
    """(position, reason) of each bad operand in code without comments."""
    for match in _AWAIT.finditer(code):
        start = match.end()
        operand = code[start : operand_end(code, start)]
        before = code[statement_start(code, match.start()) : match.start()]
        if _LAMBDA.search(operand):
            yield match.start(), "a lambda in the operand"
        elif "{" in operand:
            yield match.start(), "a braced temporary in the operand"
        elif "?" in operand or "?" in before:
            yield match.start(), "co_await and ?: in one statement"


def self_test():
    good = (
        "co_await io.http(request);",
        "auto a = co_await f(std::move(x), g(y)); auto b = c ? d : e;",
        "if (c ? d : e) { co_await f(x); }",
        "auto operator co_await() { return Awaiter{handle_}; }",
        "(co_await f(x[1])).value();",
        "for (int i = 0; i < 3; ++i) co_await f(i);",
    )
    bad = (
        "co_await f(Request{1, 2});",
        "co_await f({});",
        "co_await f([x] { return x; });",
        "co_await f([&](int y) { return y; });",
        "co_await (c ? f(x) : g(x));",
        "auto a = c ? co_await f(x) : y;",
    )
    for text in good:
        assert not list(findings(text)), text
    for text in bad:
        assert len(list(findings(text))) == 1, text


def main():
    self_test()
    failed = seen = 0
    for path in cpp_text.files("include", "src", "t/unit"):
        text = path.read_text(encoding="utf-8")
        code = cpp_text.code_of(text)
        seen += len(_AWAIT.findall(code))
        for position, reason in findings(code):
            cpp_text.complain(path, cpp_text.line_of(text, position), reason)
            failed += 1
    print(f"{seen} co_await, {failed} bad")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
