"""The second, independent provider: npm oidc-provider over https with the test CA."""

import json
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric import ed25519, rsa

from . import canary
from .jose import b64u
from .proc import Process, free_port, make_dir

CLIENT_ID = "gateway+second provider"  # its form-encoding shows in client_secret_basic
CLIENT_SECRET = canary.plant("client secret", "p%20t+s/e=c:r&e_t-second-provider-long-enough")


def node_binary() -> Path:
    """The node that Playwright brings: one version everywhere."""
    import playwright
    return Path(playwright.__file__).parent / "driver" / "node"


def _rsa_jwk() -> dict:
    numbers = rsa.generate_private_key(public_exponent=65537, key_size=2048).private_numbers()

    def encode(value: int) -> str:
        return b64u(value.to_bytes((value.bit_length() + 7) // 8, "big"))
    return {"kty": "RSA", "kid": "rsa", "use": "sig", "n": encode(numbers.public_numbers.n),
            "e": encode(numbers.public_numbers.e), "d": encode(numbers.d), "p": encode(numbers.p),
            "q": encode(numbers.q), "dp": encode(numbers.dmp1), "dq": encode(numbers.dmq1),
            "qi": encode(numbers.iqmp)}


def _ed25519_jwk() -> dict:
    key = ed25519.Ed25519PrivateKey.generate()
    return {"kty": "OKP", "crv": "Ed25519", "kid": "ed", "use": "sig",
            "d": b64u(key.private_bytes_raw()), "x": b64u(key.public_key().public_bytes_raw())}


class OidcProvider:
    def __init__(self, certificate, gateway: str, port: int = 0, auth: str = "client_secret_basic",
                 alg: str = "RS256", access_token_life: int = 300,
                 refreshed_token_life: int = 0, backchannel: str = "", trust=None,
                 registration: dict | None = None):
        """`backchannel` is a path of the gateway's, whose certificate `trust` vouches for; it vouches
        for those of clients too. `registration`: further metadata of the client."""
        self.port = port or free_port()
        self.issuer = f"https://localhost:{self.port}"
        self.dir = make_dir("oidc-provider")
        setup = {
            "issuer": self.issuer, "port": self.port, "cert": str(certificate.cert),
            "key": str(certificate.key), "ca": str(trust.path if trust else certificate.cert),
            "accessTokenLife": access_token_life,
            "refreshedTokenLife": refreshed_token_life or access_token_life,
            "account": {"sub": "zoe", "name": "Zoë Müller", "email": "zoe@example.test",
                        "groups": ["staff", "admins"]},
            "jwks": {"keys": [_rsa_jwk(), _ed25519_jwk()]},
            "client": {
                "client_id": CLIENT_ID, "client_secret": CLIENT_SECRET,
                "redirect_uris": [f"{gateway}/oidc/callback"],
                "post_logout_redirect_uris": [f"{gateway}/bye", f"{gateway}/"],
                "grant_types": ["authorization_code", "refresh_token"],
                "response_types": ["code"], "scope": "openid profile email offline_access",
                "token_endpoint_auth_method": auth, "id_token_signed_response_alg": alg,
                **(registration or {}),
            },
        }
        setup["client"] = {n: v for n, v in setup["client"].items() if v is not None}
        if backchannel:
            setup["client"] |= {"backchannel_logout_uri": gateway + backchannel,
                                "backchannel_logout_session_required": True}
        environment = {"E2E_OP": json.dumps(setup)}
        if trust:
            environment["NODE_EXTRA_CA_CERTS"] = str(trust.path)
        self.process = Process(
            "oidc-provider", [node_binary(), Path(__file__).with_suffix(".mjs")],
            self.dir / "provider.log", environment)
        self.process.wait_port(self.port, 60)

    def log(self) -> str:
        return self.process.log.read_text(errors="replace")

    def stop(self) -> None:
        self.process.stop()
