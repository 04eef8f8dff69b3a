"""Access tokens of the scripted provider, and requests that carry one."""

import secrets
import time

from . import canary
from .client import XHR, Client, Response
from .jose import compact
from .scripted_op import Provider

AUDIENCE = "api"


def access_claims(provider: Provider, **changes) -> dict:
    """Right claims, with some changed; None takes one out."""
    now = int(time.time())
    claims = {"iss": provider.issuer, "aud": AUDIENCE, "sub": "alice", "client_id": "caller",
              "iat": now, "exp": now + 300, "jti": secrets.token_hex(8), "scope": "read write",
              **changes}
    return {name: value for name, value in claims.items() if value is not None}


def access_header(provider: Provider, **changes) -> dict:
    head = {"alg": provider.signer.alg, "typ": "at+jwt", "kid": provider.signer.kid, **changes}
    return {name: value for name, value in head.items() if value is not None}


def access_token(provider: Provider, header: dict | None = None, sign=None, **changes) -> str:
    return canary.plant("access token", unwatched_token(provider, header, sign, **changes))


def unwatched_token(provider: Provider, header: dict | None = None, sign=None, **changes) -> str:
    """One that may be in a log: nginx itself writes what it does not know to be a token."""
    head = access_header(provider, **(header or {}))
    return compact(head, access_claims(provider, **changes), sign or provider.signer.sign)


def bearer(token: str) -> tuple:
    return ("Authorization", f"Bearer {token}")


def call(url: str, *headers: tuple, method: str = "GET", body: bytes | None = None,
         client: Client | None = None) -> Response:
    """A request of an API's client, with these headers and no others of its own."""
    return (client or Client()).request(method, url, [*XHR, *headers], body)


def refused(response: Response, status: int, error: str | None) -> None:
    """RFC 6750 section 3: the status, and the challenge that says why."""
    assert response.status == status, response
    challenge = response.header("WWW-Authenticate")
    assert challenge and challenge.startswith("Bearer"), response
    if error:
        assert f'error="{error}"' in challenge, challenge
    else:
        assert "error" not in challenge, challenge
    assert response.header("Location") is None, response
    assert "no-store" in (response.header("Cache-Control") or ""), response
    assert response.all("Set-Cookie") == [], response
