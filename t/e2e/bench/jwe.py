"""Encryption to the client, by an unrelated library: a pair of keys, and tokens within tokens."""

import json

from jwcrypto import jwe, jwk

from .proc import make_dir

ENCS = ["A128GCM", "A192GCM", "A256GCM", "A128CBC-HS256", "A192CBC-HS384", "A256CBC-HS512"]
RSA = ["RSA-OAEP", "RSA-OAEP-256"]
EC = ["ECDH-ES", "ECDH-ES+A128KW", "ECDH-ES+A192KW", "ECDH-ES+A256KW"]


class EncryptionKey:
    def __init__(self, kind: str, kid: str, **members):
        """`kind`: RSA, X25519 or a curve such as P-256."""
        options = {"RSA": {"kty": "RSA", "size": 2048}, "X25519": {"kty": "OKP", "crv": kind}}
        self.kid = kid
        self.key = jwk.JWK.generate(
            **options.get(kind, {"kty": "EC", "crv": kind}), kid=kid, use="enc",
            **members)
        self.path = make_dir("encryption") / f"{kid}.json"
        self.path.write_text(self.key.export_private())
        self.path.chmod(0o600)

    def public(self) -> dict:
        return json.loads(self.key.export_public())

    def encrypt(self, content: str, alg: str, enc: str = "A256GCM", **header) -> str:
        head = {"alg": alg, "enc": enc, "kid": self.kid, "cty": "JWT", **header}
        head = {name: value for name, value in head.items() if value is not None}
        token = jwe.JWE(content.encode(), json.dumps(head), algs=[alg, enc, "RSA1_5", "dir"])
        token.add_recipient(self.key)
        return token.serialize(compact=True)
