"""mod_auth_openidc beside the module: the same application, provider, tokens and load.

Debian's packages. One process with 32 threads; its sessions in shared memory, and in Redis."""

import argparse
import os
from dataclasses import dataclass, field
from pathlib import Path as File
from statistics import median

from bench.client import Client
from bench.login import login
from bench.nginx import Settings
from bench.proc import Process, free_port, make_dir
from bench.scripted_op import CLIENT_ID, CLIENT_SECRET
from measure import Figures, load, pin
from paths import PATHS, Bench, Path, access_token_header, with_real_sized_tokens

MODULES = ("mpm_event", "authn_core", "authz_core", "authz_user", "proxy", "proxy_http",
           "auth_openidc")
CONFIGURATION = """\
ServerName 127.0.0.1
Listen 127.0.0.1:{port}
PidFile {dir}/apache.pid
ErrorLog {dir}/error.log
LogLevel warn
User www-data
Group www-data
DefaultRuntimeDir {dir}
KeepAlive On
MaxKeepAliveRequests 0
KeepAliveTimeout 60
StartServers 1
ServerLimit 1
ThreadsPerChild 32
ThreadLimit 32
MaxRequestWorkers 32
{modules}
OIDCProviderMetadataURL {issuer}/.well-known/openid-configuration
OIDCSSLValidateServer Off
OIDCClientID {client_id}
OIDCClientSecret {client_secret}
OIDCRedirectURI http://127.0.0.1:{port}/callback
OIDCCryptoPassphrase a-passphrase-of-the-benchmark
OIDCSessionInactivityTimeout 3600
OIDCOAuthVerifyCertFiles {kid}#{dir}/key.pem
{cache}
ProxyPass / http://127.0.0.1:{application}/ keepalive=On
<Location />
    AuthType {auth}
    Require valid-user
</Location>
"""


class Apache:
    """With the interface that measure.load() wants of a Bench."""

    def __init__(self, bench: Bench, name: str, cache: str, auth: str = "openid-connect"):
        self.dir, self.port = make_dir(name), free_port()
        provider = with_real_sized_tokens(bench.op.provider(f"peer-{name}"))
        self._provider, self._auth = provider, auth
        conf = self.dir / "apache.conf"
        (self.dir / "key.pem").write_bytes(provider.signer.public_pem())
        modules = "\n".join(f"LoadModule {each}_module /usr/lib/apache2/modules/mod_{each}.so"
                            for each in MODULES)
        conf.write_text(CONFIGURATION.format(
            port=self.port, dir=self.dir, modules=modules, issuer=provider.issuer, cache=cache,
            kid=provider.signer.kid, client_id=CLIENT_ID, client_secret=CLIENT_SECRET, application=bench.application_port,
            auth=auth))
        self.process = Process("apache", ["apache2", "-d", "/etc/apache2", "-f", str(conf),
                                           "-DFOREGROUND"],
                               self.dir / "stderr.log")
        self.process.wait_port(self.port, 20)
        self._header = ""

    def stop(self) -> None:
        self.process.stop()

    def worker(self, path: Path) -> int:
        children = File(f"/proc/{self.process.pid}/task/{self.process.pid}/children").read_text()
        return int(children.split()[0])

    def origin(self, path: Path) -> str:
        return f"http://127.0.0.1:{self.port}"

    def header(self, path: Path) -> str:
        if not self._header and self._auth == "openid-connect":
            client, url = Client(), self.origin(path) + path.place
            answer = login(client, url)
            assert answer.status in (302, 303), answer
            self._header = "Cookie: " + client.cookie_header(url)
        elif not self._header:
            self._header = access_token_header(self._provider)
        return self._header


@dataclass
class Peer:
    name: str
    server: object
    path: Path
    figures: Figures = field(init=False)

    def __post_init__(self):
        self.figures = Figures(self.path)


def peers(bench: Bench) -> list[Peer]:
    own = [path for path in PATHS if path.name in (
        "the limit: plain, adds a header of 1.2 kB", "session in shm", "session in Redis",
        "session in Redis, asked each time", "bearer JWT seen before")]
    others = {
        "mod_auth_openidc, session in shm": ("shm", "OIDCCacheType shm\nOIDCCacheShmEntrySizeMax "
                                             "66065", "openid-connect"),
        "mod_auth_openidc, session in Redis": (
            "redis", f"OIDCCacheType redis\nOIDCRedisCacheServer 127.0.0.1:{bench.redis.port}",
            "openid-connect"),
        "mod_auth_openidc, bearer JWT": ("bearer", "OIDCCacheType shm", "oauth20"),
    }
    rows = [Peer(path.name, bench, path) for path in own]
    for name, (directory, cache, auth) in others.items():
        path = Path(name, "apache", "/page", "session")
        rows.append(Peer(name, Apache(bench, directory, cache, auth), path))
    return rows


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--module", type=File, required=True)
    parser.add_argument("--nginx", type=File, default=File("/usr/sbin/nginx"))
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=int, default=3)
    parser.add_argument("--connections", type=int, default=32)
    options = parser.parse_args()
    with Bench(Settings(options.module.resolve(), options.nginx)) as bench:
        rows = peers(bench)
        try:
            for peer in rows:
                pin(peer.server.worker(peer.path), 0)
                load(peer.figures, peer.server, options.connections, 1)  # warm
                peer.figures = Figures(peer.path)
            for n in range(options.rounds):
                print(f"round {n + 1} of {options.rounds}, load {os.getloadavg()[0]:.1f}", flush=True)
                for peer in rows:
                    load(peer.figures, peer.server, options.connections, options.seconds)
        finally:
            for peer in rows:
                if peer.server is not bench:
                    peer.server.stop()
    limit = rows[0].figures
    print(f"\n{'path':44} {'req/s':>7} {'CPU us':>7} {'range':>15} {'p50 ms':>7} {'p99 ms':>7} "
          f"{'ratio':>6}")
    for peer in rows:
        own = peer.figures
        ratio = median(a / b for a, b in zip(own.costs, limit.costs))
        print(f"{peer.name:44} {median(own.rates):7.0f} {own.cost():7.2f} "
              f"{min(own.costs):7.2f}-{max(own.costs):7.2f} {median(own.p50):7.2f} "
              f"{median(own.p99):7.2f} {ratio:6.2f}")


if __name__ == "__main__":
    main()
