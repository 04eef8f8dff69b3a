"""Credentials that the token endpoint exchanges: the scripted provider's users and clients, and
requests that carry a password or a client's secret."""

import base64
import secrets

from . import canary
from .http_server import Answer, Request
from .scripted_op import Provider, json_answer

WRONG = json_answer({"error": "invalid_grant", "error_description": "Invalid user credentials"}, 401)


def basic(name: str, secret: str) -> tuple:
    header = unwatched_basic(name, secret)
    canary.plant("Basic credentials", header[1].partition(" ")[2].rstrip("="))
    return header


def unwatched_basic(name: str, secret: str) -> tuple:
    """One that may be in a log: nginx itself writes the headers that it refuses."""
    return ("Authorization", f"Basic {base64.b64encode(f'{name}:{secret}'.encode()).decode()}")


def new_password() -> str:
    return canary.plant("password", f"pw-{secrets.token_urlsafe(18)}")


class Grants:
    """What the token endpoint says to passwords and to clients; all else as usual. `before` is
    called with each request, and may answer it."""

    def __init__(self, provider: Provider):
        self.provider = provider
        self.passwords: dict[str, str] = {}
        self.clients: dict[str, str] = {}
        self.before = None
        provider.override["token"] = self._respond

    def user(self, name: str = "") -> tuple[str, str]:
        name = name or f"user-{secrets.token_hex(4)}"
        self.passwords[name] = new_password()
        return name, self.passwords[name]

    def client(self) -> tuple[str, str]:
        name = f"client-{secrets.token_hex(4)}"
        self.clients[name] = new_password()
        return name, self.clients[name]

    def asked(self, name: str) -> int:
        """How often the token endpoint was asked about this user or client."""
        return len(self.requests(name))

    def requests(self, name: str) -> list[Request]:
        return [r for r in self.provider.requests if r.path.endswith("/token")
                and (("username", name) in r.form or self._caller(r)[0] == name)]

    def _respond(self, request: Request) -> Answer | None:
        if self.before and (answer := self.before(request)):
            return answer
        form = dict(request.form)
        if form.get("grant_type") == "password":
            return self._password(request, form)
        if form.get("grant_type") == "client_credentials":
            return self._client_credentials(request)
        return None

    def _password(self, request: Request, form: dict) -> Answer:
        if self._caller(request) != (self.provider.client_id, self.provider.client_secret):
            return json_answer({"error": "invalid_client"}, 401)
        name = form.get("username", "")
        if name not in self.passwords or self.passwords[name] != form.get("password"):
            return WRONG
        self.provider.claims = {"sub": name}
        return json_answer(self.provider.edit_token_answer(self.provider.issue({})))

    def _client_credentials(self, request: Request) -> Answer:
        name, secret = self._caller(request)
        if name not in self.clients or self.clients[name] != secret:
            return json_answer({"error": "invalid_client"}, 401)
        self.provider.claims = {"sub": f"service-{name}"}
        answer = self.provider.issue({})
        del answer["id_token"], answer["refresh_token"]
        return json_answer(self.provider.edit_token_answer(answer))

    @staticmethod
    def _caller(request: Request) -> tuple[str, str]:
        value = request.header("Authorization") or ""
        if not value.startswith("Basic "):
            form = dict(request.form)
            return form.get("client_id", ""), form.get("client_secret", "")
        name, _, secret = base64.b64decode(value[6:]).decode().partition(":")
        return name, secret
