"""The usual gateway of a test: one nginx, one upstream, one scripted provider."""

from .client import Client, Response
from .login import login
from .nginx import Nginx, directives, location, server
from .proc import free_port
from .scripted_op import CLIENT_ID, CLIENT_SECRET, Provider
from .upstream import Echo, Upstream

SESSION_SECRET = "e2e-session-secret-of-more-than-32-random-bytes-0123456789abcdef"


def protect(provider: Provider, **settings) -> str:
    """The directives that protect a scope by this provider."""
    return "oidc on;\n" + directives(**{
        "issuer": provider.issuer, "client_id": CLIENT_ID, "client_secret": CLIENT_SECRET,
        **settings})


class Site:
    """`body` is the server block's; without it, everything is protected and proxied."""

    def __init__(self, make_nginx, upstream: Upstream, provider: Provider, body: str = "",
                 http: str = "", host: str = "127.0.0.1", port: int = 0, certificate=None,
                 http2: bool = False, names: str = "127.0.0.1 localhost service.test",
                 options: dict | None = None, **settings):
        self.port = port or free_port()
        self.origin = f"{'https' if certificate else 'http'}://{host}:{self.port}"
        self.upstream, self.provider = upstream, provider
        if not body:
            body = location("/", protect(provider, **settings) + f"proxy_pass {upstream.origin};")
        self.http = http + server(self.port, body, names, certificate, http2)
        self.nginx: Nginx = make_nginx(self.http, self.port, **(options or {}))

    def url(self, path: str = "/") -> str:
        return self.origin + path

    def login(self, client: Client, path: str = "/", context=None) -> Response:
        """A whole login that must succeed; returns the answer to the callback."""
        response = login(client, self.url(path), context)
        assert response.status in (302, 303), response
        return response

    def echo(self, client: Client, path: str = "/", **options) -> Echo:
        """Opens a page with the session that the client has."""
        response = client.navigate(self.url(path), **options)
        assert response.status == 200, response
        return Echo(response.body)

    def asks_for_login(self, client: Client, path: str = "/") -> bool:
        response = client.navigate(self.url(path))
        return (response.status in (302, 303)
                and response.location.startswith(f"{self.provider.issuer}/authorize"))
