"""The demo's application: a page that shows what it received from the gateway."""

import html
import json
import sys
from pathlib import Path
from urllib.parse import unquote

sys.path.insert(0, str(Path(__file__).parents[2] / "t" / "e2e"))

from bench.http_server import Answer, HttpServer, Request
from bench.jose import claims_of

STYLE = """
body { font: 16px/1.5 system-ui, sans-serif; margin: 2rem auto; max-width: 60rem; padding: 0 1rem }
table { border-collapse: collapse; width: 100% } td { border-top: 1px solid #ccc; padding: .3rem }
td:last-child { overflow-wrap: anywhere; font-family: monospace } pre { background: #f4f4f4;
padding: 1rem; overflow: auto } button { font: inherit; padding: .4rem 1.2rem }
"""


def _escaped(text: str) -> str:
    return html.escape(text)


def _claims(title: str, token: str | None) -> str:
    if not token:
        return ""
    try:
        claims = json.dumps(claims_of(token), indent=2, ensure_ascii=False)
    except (ValueError, IndexError):
        claims = "(opaque)"
    return f"<h2>{title}</h2><pre>{_escaped(claims)}</pre>"


class DemoPage(HttpServer):
    def respond(self, request: Request) -> Answer:
        if request.path == "/favicon.ico":
            return Answer(204, content_type=None)
        name = unquote(request.header("X-Name") or "nobody")
        access = (request.header("Authorization") or "").removeprefix("Bearer ")
        rows = "".join(f"<tr><td>{_escaped(n)}</td><td>{_escaped(v)}</td></tr>"
                       for n, v in request.headers)
        page = f"""<!doctype html><meta charset="utf-8"><title>Hello {_escaped(name)}</title>
<style>{STYLE}</style>
<h1>Hello <span id="name">{_escaped(name)}</span></h1>
<p>The application received <code>{_escaped(request.method)} {_escaped(request.target)}</code>.</p>
<form method="post" action="/logout"><button id="logout">Log out</button></form>
<h2>Headers</h2><table>{rows}</table>
{_claims("Access token", access)}{_claims("ID token", request.header("X-Id-Token"))}
"""
        return Answer(body=page.encode(), content_type="text/html; charset=utf-8")
