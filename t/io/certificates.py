"""A certificate authority for one test run, by the openssl command."""

import subprocess
from pathlib import Path


def _openssl(*words):
    subprocess.run(["openssl", *map(str, words)], check=True, capture_output=True)


class Authority:
    def __init__(self, directory: Path, name: str):
        self.directory = directory
        self.certificate = directory / f"{name}.pem"
        self.key = directory / f"{name}.key"
        self.database = directory / f"{name}.index"
        self.database.touch()
        (directory / f"{name}.crlnumber").write_text("01\n")
        self.config = directory / f"{name}.cnf"
        self.config.write_text(
            "[ca]\ndefault_ca=this\n[this]\n"
            f"database={self.database}\ncrlnumber={directory}/{name}.crlnumber\n"
            "default_md=sha256\ndefault_crl_days=2\n"
        )
        _openssl("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
                 "-days", "2", "-subj", f"/CN={name}", "-keyout", self.key, "-out",
                 self.certificate)  # fmt: skip

    def issue(self, name: str, alternatives: str):
        """The paths of a certificate and its key."""
        certificate, key = self.directory / f"{name}.pem", self.directory / f"{name}.key"
        request = self.directory / f"{name}.csr"
        extensions = self.directory / f"{name}.ext"
        extensions.write_text(f"subjectAltName={alternatives}\n")
        _openssl("req", "-new", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
                 "-subj", f"/CN={name}", "-keyout", key, "-out", request)  # fmt: skip
        _openssl("x509", "-req", "-in", request, "-CA", self.certificate, "-CAkey", self.key,
                 "-CAcreateserial", "-days", "2", "-extfile", extensions, "-out",
                 certificate)  # fmt: skip
        return certificate, key

    def revocations(self, *revoked):
        """The path of a revocation list that names these certificates."""
        for certificate in revoked:
            _openssl("ca", "-config", self.config, "-revoke", certificate, "-keyfile", self.key,
                     "-cert", self.certificate)  # fmt: skip
        path = self.directory / f"{self.certificate.stem}-{len(revoked)}.crl"
        _openssl("ca", "-config", self.config, "-gencrl", "-keyfile", self.key, "-cert",
                 self.certificate, "-out", path)  # fmt: skip
        return path
