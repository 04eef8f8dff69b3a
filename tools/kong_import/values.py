"""How one value of Kong becomes the words of one nginx directive."""

import re
import secrets
from collections.abc import Callable
from dataclasses import dataclass, field


class NoEqual(Exception):
    """The value has no equal here; the text says why, or what to do."""


@dataclass
class Line:
    """One directive, with a remark for the reader of the result."""

    name: str
    words: list[str]
    remark: str = ""


@dataclass(frozen=True)
class Parameter:
    """What becomes of one of Kong's parameters. Without `convert` it has no equal, for `reason`."""

    convert: Callable[[object, dict], list[Line]] | None = None
    directives: tuple[str, ...] = ()
    reason: str = ""
    null: list[Line] = field(default_factory=list)  # what an explicit null means


def listed(value) -> list:
    return list(value) if isinstance(value, (list, tuple)) else [value]


def word(value) -> str:
    if isinstance(value, bool):
        return "on" if value else "off"
    return str(value)


def secret(value) -> str:
    """{vault://env/NAME} is nginx's env:NAME; other vaults are not asked."""
    reference = re.fullmatch(r"\{vault://([^/]+)/(.+)\}", str(value))
    if not reference:
        return str(value)
    vault, name = reference.groups()
    if vault != "env":
        raise NoEqual(f"a secret of the vault `{vault}`: write it as file:PATH or env:NAME")
    return "env:" + re.sub(r"[^A-Z0-9]", "_", name.upper())


def _one(name: str, of: Callable[[object], list[str]], null: str = "") -> Parameter:
    return Parameter(lambda value, _: [Line(name, of(value))], (name,),
                     null=[Line(name, [null])] if null else [])


def flag(name: str, null: str = "") -> Parameter:
    return _one(name, lambda value: [word(bool(value))], null)


def text(name: str, null: str = "off") -> Parameter:
    return _one(name, lambda value: [secret(value)], null)


def number(name: str) -> Parameter:
    return _one(name, lambda value: [str(int(value))])


def words(name: str, null: str = "off") -> Parameter:
    def convert(value):
        if not listed(value):
            return ["off"]
        return [word(item) for item in listed(value)]
    return _one(name, convert, null)


def seconds(name: str, null: str = "") -> Parameter:
    def convert(value):
        number_of = float(value)
        return [f"{int(number_of)}s" if number_of.is_integer() else f"{int(number_of * 1000)}ms"]
    return _one(name, convert, null)


def milliseconds(name: str) -> Parameter:
    return _one(name, lambda value: [f"{int(value)}ms"])


def first(name: str, null: str = "off", of: Callable[[object], str] = secret) -> Parameter:
    """Kong's lists of clients: one location has one client here."""
    def convert(value, _):
        items = listed(value)
        if not items:
            return []
        remark = "the first of several: others need locations of their own" if len(items) > 1 else ""
        return [Line(name, [of(items[0])], remark)]
    return Parameter(convert, (name,), null=[Line(name, [null])] if null else [])


def choice(name: str, **allowed: str) -> Parameter:
    """`value=word`; what is not listed has no equal."""
    def convert(value, _):
        if str(value) not in allowed:
            raise NoEqual(f"`{value}`; there is: {', '.join(allowed)}")
        return [Line(name, [allowed[str(value)]])]
    return Parameter(convert, (name,))


def chosen(name: str, allowed: set[str], null: str = "off") -> Parameter:
    """A list of which only some words exist here."""
    def convert(value, _):
        known = [item for item in listed(value) if item in allowed]
        left = [item for item in listed(value) if item not in allowed]
        remark = f"without {', '.join(left)}: not here" if left else ""
        if not known and left:
            raise NoEqual(", ".join(left))
        return [Line(name, known or ["off"], remark)]
    return Parameter(convert, (name,), null=[Line(name, [null])])


def switch(name: str, null: str = "auto") -> Parameter:
    """Kong's true, false and null: on, off, and what discovery says."""
    return Parameter(lambda value, _: [Line(name, [word(bool(value))])], (name,),
                     null=[Line(name, [null])])


def pairs(name: str, values: str) -> Parameter:
    """`..._names` with the parallel list `values` of the same configuration."""
    def convert(value, config):
        return [Line(name, [str(a), str(b)])
                for a, b in zip(listed(value), listed(config.get(values) or []), strict=False)]
    return Parameter(convert, (name,))


def beside(other: str) -> Parameter:
    """Translated together with `other`."""
    return Parameter(lambda value, _: [], (), f"goes with `{other}`")


def path_of(names) -> str:
    """A path into nested claims; a dot inside a name is written with a backslash."""
    return ".".join(str(name).replace("\\", "\\\\").replace(".", "\\.") for name in listed(names))


def path(name: str) -> Parameter:
    return _one(name, lambda value: [path_of(value)])


def header_list(name: str) -> Parameter:
    def convert(value, _):
        return [Line(name, [item["header"], path_of(item["path"])]) for item in listed(value)]
    return Parameter(convert, (name,))


def header_pairs(name: str, names: str) -> Parameter:
    """`..._claims` with the parallel list `names`: top-level claims alone."""
    def convert(value, config):
        return [Line(name, [str(header), path_of([claim])]) for claim, header in
                zip(listed(value), listed(config.get(names) or []), strict=False)]
    return Parameter(convert, (name,))


def session_secret(value, _) -> list[Line]:
    if len(secret(value)) >= 32 or secret(value).startswith("env:"):
        return [Line("oidc_session_secret", [secret(value)])]
    return [Line("oidc_session_secret", [secrets.token_urlsafe(48)],
                 "a new one: Kong's is shorter than 32 bytes, and its sessions end in any case")]


def no(reason: str) -> Parameter:
    return Parameter(reason=reason)
