"""A declarative configuration of Kong (services, routes, plugins) as servers and locations."""

from dataclasses import dataclass, field

from .nginx_text import block, comment, directive
from .parameters import DEFAULTS, PARAMETERS
from .values import Line, NoEqual, listed

PLUGIN = "openid-connect"


class Unreadable(Exception):
    """The file is no declarative configuration."""


@dataclass
class Translation:
    lines: list[str] = field(default_factory=list)
    unequal: list[str] = field(default_factory=list)  # what has no equal: "name: reason"


def translate(config: dict) -> Translation:
    """The directives of one plugin's `config`."""
    done = Translation()
    lines: list[Line] = []
    for name, value in config.items():
        parameter = PARAMETERS.get(name)
        if parameter is None:
            done.unequal.append(f"{name}: no parameter of Kong's that is known here")
        elif value is None:
            lines += parameter.null
        elif parameter.convert is None:
            if value not in (False, [], {}):
                done.unequal.append(f"{name}: {parameter.reason}")
        else:
            try:
                lines += parameter.convert(value, config)
            except NoEqual as unequal:
                done.unequal.append(f"{name}: {unequal}")
            except (TypeError, ValueError, KeyError, AttributeError):
                done.unequal.append(f"{name}: the value is not of the type that Kong documents")
    for line in lines:
        if not line.name:
            done.unequal.append(line.remark)
            continue
        if line.remark:
            done.lines.append(comment(line.remark))
        done.lines.append(directive(line.name, *line.words))
    done.lines += [comment(f"{name}: {what}") for name, what in DEFAULTS.items()
                   if name not in config]
    return done


def _plugins(owner: dict, where: str, notes: list[str]) -> dict | None:
    """The enabled plugin of this module; others are named."""
    found = None
    for plugin in owner.get("plugins") or []:
        if plugin.get("enabled") is False:
            continue
        if plugin.get("name") == PLUGIN:
            found = plugin.get("config") or {}
        else:
            notes.append(f"{where}: the plugin `{plugin.get('name')}` is not translated")
    return found


def _upstream(service: dict) -> str:
    if service.get("url"):
        return str(service["url"]).rstrip("/")
    port = service.get("port", 80)
    path = (service.get("path") or "").rstrip("/")
    return f"{service.get('protocol', 'http')}://{service['host']}:{port}{path}"


def _location(path: str, route: dict, service: dict, body: list[str]) -> list[str]:
    upstream = _upstream(service)
    if path.startswith("~"):
        # What a regular expression matched cannot be taken off by proxy_pass.
        head, target = f"location ~ ^{path[1:]}", upstream
    elif route.get("strip_path", True):
        head, target = f"location {path}", upstream + ("/" if path.endswith("/") else "")
    else:
        head, target = f"location {path}", upstream
    lines = [*body, directive("proxy_pass", target)]
    if route.get("preserve_host"):
        lines.append("proxy_set_header Host $http_host;")
    return block(head, lines)


def _paths(route: dict) -> list[str]:
    return [str(path) for path in route.get("paths") or ["/"]]


@dataclass
class _Route:
    name: str
    hosts: tuple[str, ...]
    locations: list[str]


def _route(route: dict, service: dict, inherited: dict | None, notes: list[str]) -> _Route:
    name = str(route.get("name") or service.get("name") or "route")
    config = _plugins(route, f"route {name}", notes)
    if config is None:
        config = inherited
    body = []
    if config is not None:
        translation = translate(config)
        body = ["oidc on;", *translation.lines]
        notes += [f"route {name}: {what}" for what in translation.unequal]
    for match in ("headers", "snis", "sources", "destinations"):
        if route.get(match):
            notes.append(f"route {name}: `{match}` is not translated")
    if route.get("methods"):
        notes.append(f"route {name}: `methods` is not translated: see limit_except")
    locations = []
    for path in _paths(route):
        locations += _location(path, route, service, body)
    return _Route(name, tuple(route.get("hosts") or ()), locations)


def _server(hosts: tuple[str, ...], locations: list[str], listen: str, name: str) -> list[str]:
    return block("server", [directive("listen", *listen.split()),
                            directive("server_name", *(hosts or (name,))), "", *locations])


def import_declarative(document, listen: str, server_name: str) -> str:
    """`listen`: the words of each server's listen; `server_name`: of routes without hosts."""
    if not isinstance(document, dict) or not isinstance(document.get("services"), list):
        raise Unreadable("no `services`: not a declarative configuration of Kong")
    notes: list[str] = []
    everywhere = _plugins(document, "global", notes)
    servers: dict[tuple[str, ...], list[str]] = {}
    for service in document["services"]:
        where = f"service {service.get('name')}"
        config = _plugins(service, where, notes)
        inherited = everywhere if config is None else config
        for route in service.get("routes") or []:
            one = _route(route, service, inherited, notes)
            servers.setdefault(one.hosts, []).extend(one.locations)
    for kind in ("consumers", "consumer_groups", "upstreams", "certificates", "acls"):
        if listed(document.get(kind) or []):
            notes.append(f"`{kind}` is not translated")
    lines = [comment("From a declarative configuration of Kong. Inside nginx's http block.")]
    if notes:
        lines += ["#", comment("Without an equal here:"), *(comment("- " + note) for note in notes)]
    for hosts, locations in servers.items():
        lines += ["", *_server(hosts, locations, listen, server_name)]
    return "\n".join(lines) + "\n"
