"""One hostile case: a provider with one fault, a location of its own, the expected end."""

from collections.abc import Callable
from dataclasses import dataclass, field

from . import canary
from .client import Client, Response
from .login import at_provider, begin, hand_over
from .nginx import Nginx, directives, location, server
from .proc import free_port
from .reasons import STATUS
from .scripted_op import CLIENT_ID, CLIENT_SECRET, Provider, ScriptedOp


@dataclass
class Case:
    name: str
    reason: str | tuple  # the reason codes that are right
    arrange: Callable[[Provider], None]
    config: dict = field(default_factory=dict)  # directives of this case's location

    @property
    def reasons(self) -> tuple:
        return (self.reason,) if isinstance(self.reason, str) else self.reason


def names(cases) -> list[str]:
    found = [case.name for case in cases]
    assert len(set(found)) == len(found), "two cases of one name"
    return found


class Gateway:
    """One nginx for a whole table: case NAME lives at /NAME/, its callback at /callback/NAME."""

    def __init__(self, make_nginx, upstream, op: ScriptedOp, cases, ca=None, trusted=True):
        self.port = free_port()
        self.origin = f"http://127.0.0.1:{self.port}"
        self.upstream, self.op = upstream, op
        blocks = [self._location(op.provider(case.name), case, ca) for case in cases]
        self.nginx: Nginx = make_nginx(server(self.port, "\n".join(blocks)), self.port)

    def _location(self, provider: Provider, case: Case, ca) -> str:
        settings = {
            "issuer": provider.issuer, "client_id": CLIENT_ID,
            "client_secret": CLIENT_SECRET, "redirect_uri": f"/callback/{case.name}",
            "timeout": "2s", **case.config}
        if ca:
            settings["ssl_trusted_certificate"] = ca.path
        return location(f"/{case.name}/", "oidc on;\n" + directives(**settings)
                        + f"proxy_pass {self.upstream.origin};")

    def url(self, case: Case, rest: str = "page?x=1") -> str:
        return f"{self.origin}/{case.name}/{rest}"

    def login(self, case: Case, client: Client, context=None) -> Response:
        """To the gateway's answer to the callback."""
        authorize = begin(client, self.url(case))
        delivery = at_provider(authorize, self.origin, context)
        return hand_over(client, delivery)

    def refused(self, case: Case, response: Response, log, client: Client | None = None) -> None:
        """`response` and the log are what the case expects, and the upstream saw nothing."""
        reason = log.wait_reason(case.reasons)
        assert reason, f"expected {case.reasons}, logged {log.reasons()}\n{response}\n{log.text()}"
        assert response.status == STATUS[reason], response
        assert response.header("Location") is None, response
        assert "no-store" in (response.header("Cache-Control") or ""), response
        if response.status == 503:
            assert int(response.header("Retry-After")) > 0, response
        assert canary.find(response.body) == [], response
        assert self.upstream.seen(f"/{case.name}/") == []
        if client:  # and it left no session behind: the next page wants a login again
            again = client.navigate(self.url(case))
            assert again.status in (302, 303, 502, 503, 504), again
            assert self.upstream.seen(f"/{case.name}/") == []
