"""Just enough JOSE to sign what a provider signs, and what none should."""

import base64
import functools
import hashlib
import hmac
import json

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
)

_HASHES = {"256": hashes.SHA256, "384": hashes.SHA384, "512": hashes.SHA512}
_CURVES = {"ES256": (ec.SECP256R1, "P-256", 32), "ES384": (ec.SECP384R1, "P-384", 48),
           "ES512": (ec.SECP521R1, "P-521", 66)}


def b64u(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def unb64u(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def _int(value: int, size: int | None = None) -> str:
    return b64u(value.to_bytes(size or (value.bit_length() + 7) // 8, "big"))


def claims_of(token: str) -> dict:
    return json.loads(unb64u(token.split(".")[1]))


def half_hash(alg: str, value: str) -> str:
    """at_hash and c_hash (OpenID Connect Core 3.1.3.6)."""
    name = "sha512" if alg == "EdDSA" else f"sha{alg[2:]}"
    digest = hashlib.new(name, value.encode()).digest()
    return b64u(digest[: len(digest) // 2])


@functools.cache
def _private(family: str, number: int):
    if family == "RSA":
        return rsa.generate_private_key(public_exponent=65537, key_size=2048)
    if family == "EdDSA":
        return ed25519.Ed25519PrivateKey.generate()
    return ec.generate_private_key(_CURVES[family][0]())


class SigningKey:
    """A key pair. Equal (alg, number) means the same key: making RSA keys is slow."""

    def __init__(self, alg: str = "RS256", kid: str | None = "key-0", number: int = 0):
        self.alg, self.kid = alg, kid
        family = "RSA" if alg[:2] in ("RS", "PS") else alg
        self.private = _private(family, number)

    def jwk(self, **changes) -> dict:
        public = self.private.public_key()
        if self.alg[:2] in ("RS", "PS"):
            numbers = public.public_numbers()
            key = {"kty": "RSA", "n": _int(numbers.n), "e": _int(numbers.e)}
        elif self.alg == "EdDSA":
            key = {"kty": "OKP", "crv": "Ed25519",
                   "x": b64u(public.public_bytes(Encoding.Raw, PublicFormat.Raw))}
        else:
            _, name, size = _CURVES[self.alg]
            numbers = public.public_numbers()
            key = {"kty": "EC", "crv": name, "x": _int(numbers.x, size),
                   "y": _int(numbers.y, size)}
        key |= {"use": "sig", "alg": self.alg, "kid": self.kid} | changes
        return {name: value for name, value in key.items() if value is not None}

    def private_jwk(self) -> dict:
        """Without `use`: the public members, and the private ones (RFC 7518 section 6)."""
        if self.alg[:2] in ("RS", "PS"):
            n = self.private.private_numbers()
            more = {"d": n.d, "p": n.p, "q": n.q, "dp": n.dmp1, "dq": n.dmq1, "qi": n.iqmp}
            secret = {name: _int(value) for name, value in more.items()}
        elif self.alg == "EdDSA":
            secret = {"d": b64u(self.private.private_bytes_raw())}
        else:
            size = _CURVES[self.alg][2]
            secret = {"d": _int(self.private.private_numbers().private_value, size)}
        return self.jwk(use=None) | secret

    def private_pem(self) -> bytes:
        return self.private.private_bytes(
            Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())

    def public_pem(self) -> bytes:
        return self.private.public_key().public_bytes(
            Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)

    def sign(self, data: bytes, alg: str | None = None) -> bytes:
        alg = alg or self.alg
        if alg == "EdDSA":
            return self.private.sign(data)
        digest = _HASHES[alg[2:]]()
        if alg.startswith("RS"):
            return self.private.sign(data, padding.PKCS1v15(), digest)
        if alg.startswith("PS"):
            return self.private.sign(
                data, padding.PSS(padding.MGF1(digest), digest.digest_size), digest)
        r, s = decode_dss_signature(self.private.sign(data, ec.ECDSA(digest)))
        size = _CURVES[self.alg][2]
        return r.to_bytes(size, "big") + s.to_bytes(size, "big")


def compact(header: dict | bytes, payload: dict | bytes, sign) -> str:
    """A compact JWS; `sign` makes the signature of the signing input."""
    head = header if isinstance(header, bytes) else json.dumps(header).encode()
    body = payload if isinstance(payload, bytes) else json.dumps(payload).encode()
    data = f"{b64u(head)}.{b64u(body)}".encode()
    return f"{data.decode()}.{b64u(sign(data))}"


def hmac_signer(alg: str, secret: bytes):
    return lambda data: hmac.new(secret, data, f"sha{alg[2:]}").digest()
