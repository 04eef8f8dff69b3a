"""What OpenSSL itself takes to verify one signature here."""

import re
import subprocess

SPEED = {"RS256": "rsa2048", "ES256": "ecdsap256", "EdDSA": "ed25519"}


def of(alg: str) -> float:
    """Microseconds."""
    out = subprocess.run(["openssl", "speed", "-seconds", "2", SPEED[alg]], capture_output=True,
                         text=True, check=True).stdout
    per_second = float(re.search(r"([\d.]+)\s*$", out.strip()).group(1))
    return 1e6 / per_second
