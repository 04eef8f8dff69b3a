"""The application behind the gateway: a page that shows what it received. Python's library alone.

usage: upstream.py ADDRESS PORT
"""

import base64
import html
import json
import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import unquote


def claims(token: str) -> str:
    """The payload of a JWT, for reading only: the gateway has verified the ID token."""
    parts = token.split(".")
    if len(parts) != 3:
        return "(opaque)"
    try:
        payload = base64.urlsafe_b64decode(parts[1] + "=" * (-len(parts[1]) % 4))
        return json.dumps(json.loads(payload), indent=2, ensure_ascii=False)
    except ValueError:
        return "(opaque)"


def page(method: str, target: str, headers: list[tuple[str, str]]) -> str:
    known = {name.lower(): value for name, value in headers}
    name = html.escape(unquote(known.get("x-name", "nobody")))
    rows = "".join(f"<tr><td>{html.escape(n)}<td>{html.escape(v)}" for n, v in headers)
    tokens = (("Access token", known.get("authorization", "").removeprefix("Bearer ")),
              ("ID token", known.get("x-id-token", "")))
    blocks = "".join(f"<h2>{title}</h2><pre>{html.escape(claims(token))}</pre>"
                     for title, token in tokens if token)
    return (f"<!doctype html><meta charset='utf-8'><title>Hello {name}</title>"
            "<style>body{font:16px/1.5 sans-serif;margin:2rem auto;max-width:60rem}"
            "td{border-top:1px solid #ccc;overflow-wrap:anywhere}pre{overflow:auto}</style>"
            f"<h1>Hello {name}</h1><p>The application received "
            f"<code>{html.escape(method)} {html.escape(target)}</code>.</p>"
            "<form method='post' action='/logout'><button>Log out</button></form>"
            f"<h2>Headers</h2><table>{rows}</table>{blocks}\n")


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        body = page(self.command, self.path, list(self.headers.items())).encode()
        self.send_response(200)
        self.send_header("Content-Type", "text/html; charset=utf-8")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass  # a request line may hold what no log should


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    ThreadingHTTPServer((sys.argv[1], int(sys.argv[2])), Handler).serve_forever()
