"""The certificate authority of the platform. Python's library cannot sign, so the program `openssl` does."""

import hashlib
import os
import shutil
import ssl
import subprocess
import tempfile
import threading
from datetime import datetime, timezone

from .basics import rfc3339

LEAF_EXTENSIONS = """
basicConstraints = critical, CA:FALSE
keyUsage = critical, digitalSignature
extendedKeyUsage = serverAuth, clientAuth
subjectAltName = DNS:localhost, IP:127.0.0.1, IP:::1
"""
# A client certificate is valid for 90 days (wire.md §3). Those of the platform outlast every move of the clock.
CLIENT_DAYS = 90
OWN_DAYS = 3650


class OpensslMissing(Exception):
    """There is no usable `openssl` program."""


class Authority:
    """Signs leaves for the platform and for its peers, and verifies which anchor issued a certificate."""

    def __init__(self):
        if shutil.which("openssl") is None:
            raise OpensslMissing("this platform needs the program `openssl`, and it is not on the PATH")
        self._folder = tempfile.TemporaryDirectory(prefix="python-platform-")
        self._lock = threading.Lock()
        self._verified = {}
        self._leaves = {}
        self._key("ca.key")
        self._openssl(
            "req", "-x509", "-new", "-key", "ca.key", "-out", "ca.pem", "-days", str(OWN_DAYS),
            "-subj", "/CN=Python platform authority", "-addext", "keyUsage=critical,keyCertSign,cRLSign",
        )
        self._write("leaf.cnf", LEAF_EXTENSIONS)
        self._key("leaf.key")
        self._openssl("req", "-new", "-key", "leaf.key", "-out", "leaf.csr", "-subj", "/CN=leaf")
        with open(self._path("ca.pem")) as file:
            self.pem = file.read()

    def close(self):
        self._folder.cleanup()

    def leaf(self, name):
        """Returns the paths of a certificate of the platform under a name, and of its key."""
        with self._lock:
            if name not in self._leaves:
                file = f"leaf-{len(self._leaves)}.pem"
                with open(self._path("leaf.csr")) as request:
                    self._write(file, self._sign(request.read(), name, OWN_DAYS))
                self._leaves[name] = self._path(file)
            return self._leaves[name], self._path("leaf.key")

    def sign_request(self, request_pem, name):
        """Signs a certificate request of a peer, under the name that the platform assigns."""
        with self._lock:
            pem = self._sign(request_pem, name, CLIENT_DAYS)
        facts = self._openssl("x509", "-noout", "-serial", "-enddate", input=pem)
        facts = dict(line.split("=", 1) for line in facts.splitlines())
        ends = datetime.fromtimestamp(ssl.cert_time_to_seconds(facts["notAfter"]), timezone.utc)
        return {"cert_pem": pem, "serial": facts["serial"], "not_after": rfc3339(ends)}

    def issued_by(self, anchor_pem, der):
        """Returns whether `anchor_pem` issued the client certificate."""
        key = hashlib.sha256(anchor_pem.encode() + der).digest()
        with self._lock:
            if key not in self._verified:
                self._write("anchor.pem", anchor_pem)
                self._write("client.pem", ssl.DER_cert_to_PEM_cert(der))
                try:
                    self._openssl("verify", "-partial_chain", "-purpose", "sslclient",
                                  "-CAfile", "anchor.pem", "client.pem")
                    self._verified[key] = True
                except subprocess.CalledProcessError:
                    self._verified[key] = False
            return self._verified[key]

    def _sign(self, request_pem, name, days):
        # Only the key of the request is used. Its subject and extensions are ignored.
        return self._openssl(
            "x509", "-req", "-CA", "ca.pem", "-CAkey", "ca.key", "-days", str(days),
            "-set_serial", "0x" + os.urandom(16).hex(), "-subj", f"/CN={name}", "-extfile", "leaf.cnf",
            input=request_pem,
        )

    def _key(self, file):
        self._openssl("genpkey", "-algorithm", "ed25519", "-out", file)

    def _openssl(self, *arguments, input=None):
        done = subprocess.run(
            ["openssl", *arguments], cwd=self._folder.name, input=input, text=True,
            capture_output=True, check=True, timeout=20,
        )
        return done.stdout

    def _write(self, file, text):
        with open(self._path(file), "w") as target:
            target.write(text)

    def _path(self, file):
        return os.path.join(self._folder.name, file)


def common_name(certificate):
    """Returns the CN of a result of `getpeercert()`."""
    names = [value for part in certificate.get("subject", ()) for key, value in part if key == "commonName"]
    return names[0] if names else None
