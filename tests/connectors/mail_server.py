"""A real IMAP server for tests: Debian's dovecot on loopback, with a certificate of its own making."""

from __future__ import annotations

import getpass
import grp
import imaplib
import os
import pwd
import shutil
import socket
import ssl
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from intake.servers.processes import free_port

USER, PASSWORD = "mayor", "secret-密码"
PATIENCE = 10.0

CONFIGURATION = """
protocols = imap
listen = 127.0.0.1
base_dir = {folder}/run
state_dir = {folder}/state
log_path = {folder}/log
default_internal_user = {user}
default_internal_group = {group}
default_login_user = {login}
first_valid_uid = 0
auth_mechanisms = plain login
auth_failure_delay = 0
ssl = required
namespace inbox {{
  inbox = yes
}}
service imap-login {{
  chroot =
  inet_listener imap {{
    port = {plain}
  }}
  inet_listener imaps {{
    port = {port}
    ssl = yes
  }}
}}
service anvil {{
  chroot =
}}
service stats {{
  chroot =
}}
"""

#: What dovecot says otherwise since 2.4, which Debian has since 13. The version stands first in its file.
BEFORE_2_4 = """
mail_location = maildir:{folder}/mail/%u
disable_plaintext_auth = yes
ssl_cert = <{folder}/cert.pem
ssl_key = <{folder}/key.pem
passdb {{
  driver = static
  args = password={password}
}}
userdb {{
  driver = static
  args = uid={uid} gid={gid} home={folder}/home/%u
}}
"""
SINCE_2_4 = """
dovecot_config_version = 2.4.0
dovecot_storage_version = 2.4.0
mail_driver = maildir
mail_path = {folder}/mail/%{{user}}
auth_allow_cleartext = no
ssl_server_cert_file = {folder}/cert.pem
ssl_server_key_file = {folder}/key.pem
passdb static {{
  password = {password}
}}
userdb static {{
  fields {{
    uid = {uid}
    gid = {gid}
    home = {folder}/home/%{{user}}
  }}
}}
"""


@dataclass(frozen=True)
class MailServer:
    """Where it listens, and how a test puts mails into it."""

    port: int
    plain: int
    folder: Path

    @property
    def url(self) -> str:
        return f"imaps://127.0.0.1:{self.port}"

    @property
    def ca_file(self) -> str:
        return str(self.folder / "cert.pem")

    @contextmanager
    def client(self) -> Iterator[imaplib.IMAP4_SSL]:
        context = ssl.create_default_context(cafile=self.ca_file)
        client = imaplib.IMAP4_SSL("127.0.0.1", self.port, ssl_context=context, timeout=PATIENCE)
        try:
            proof = f"\0{USER}\0{PASSWORD}".encode()
            client.authenticate("PLAIN", lambda _: proof)
            yield client
        finally:
            client.logout()

    def put(self, *mails: bytes, folder: str = "INBOX") -> None:
        with self.client() as client:
            client.create(folder)
            for mail in mails:
                assert client.append(folder, "", "", mail)[0] == "OK"

    def empty(self, folder: str = "INBOX") -> None:
        """Delete every mail of a folder."""
        with self.client() as client:
            client.select(folder)
            client.store("1:*", "+FLAGS", r"\Deleted")
            client.expunge()

    def make_anew(self, folder: str) -> None:
        """Delete a folder and make it again: its mails are numbered anew."""
        with self.client() as client:
            assert client.delete(folder)[0] == "OK"
            client.create(folder)

    def flags(self, folder: str = "INBOX") -> set[str]:
        """What is written on the mails: a reader must leave them unseen."""
        with self.client() as client:
            client.select(folder, readonly=True)
            _, lines = client.fetch("1:*", "(FLAGS)")
            return {flag for line in lines if isinstance(line, bytes) for flag in _flags(line)}


@contextmanager
def mail_server() -> Iterator[MailServer]:
    """Start one, and stop it."""
    folder = Path(tempfile.mkdtemp(prefix="dovecot-"))  # paths of sockets are short
    folder.chmod(0o755)
    _make_certificate(folder)
    plain = port = free_port()
    while plain == port:
        plain = free_port()  # the same may be drawn twice
    told: dict[str, Any] = {"folder": folder, "plain": plain, "port": port, "password": PASSWORD}
    told |= _users(folder)
    program = shutil.which("dovecot") or "/usr/sbin/dovecot"
    (folder / "dovecot.conf").write_text(_configuration(program).format(**told), encoding="utf-8")
    child = subprocess.Popen([program, "-F", "-c", str(folder / "dovecot.conf")])
    try:
        server = MailServer(port, plain, folder)
        _await(server, child)
        yield server
    finally:
        child.terminate()
        child.wait(PATIENCE)
        shutil.rmtree(folder, ignore_errors=True)


def _configuration(program: str) -> str:
    told = subprocess.run([program, "--version"], capture_output=True, text=True, check=True).stdout
    major, minor = (int(number) for number in told.split(".")[:2])
    return (SINCE_2_4 if (major, minor) >= (2, 4) else BEFORE_2_4) + CONFIGURATION


def _users(folder: Path) -> dict[str, Any]:
    """Started by root it wants the users of its package; started by anybody else it has only that one."""
    if os.getuid() != 0:
        name = getpass.getuser()
        own = {"user": name, "group": grp.getgrgid(os.getgid()).gr_name, "login": name}
        return {**own, "uid": os.getuid(), "gid": os.getgid()}
    nobody = pwd.getpwnam("nobody")
    for name in ("mail", "home"):
        (folder / name).mkdir()
        os.chown(folder / name, nobody.pw_uid, nobody.pw_gid)
    return {"user": "dovecot", "group": "dovecot", "login": "dovenull", "uid": nobody.pw_uid, "gid": nobody.pw_gid}


def _await(server: MailServer, child: subprocess.Popen[bytes]) -> None:
    until = time.monotonic() + PATIENCE
    while time.monotonic() < until:
        assert child.poll() is None, _said(server.folder / "log")
        try:
            socket.create_connection(("127.0.0.1", server.port), timeout=1).close()
        except OSError:
            time.sleep(0.05)
        else:
            return
    raise AssertionError("dovecot does not answer")


def _said(log: Path) -> str:
    """What refuses its settings has no log yet; then they are told on stderr."""
    return log.read_text("utf-8") if log.exists() else "dovecot ended before it had a log"


def _make_certificate(folder: Path) -> None:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "mail")])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    (folder / "cert.pem").write_bytes(made.public_bytes(serialization.Encoding.PEM))
    secret = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    (folder / "key.pem").write_bytes(secret)
    (folder / "key.pem").chmod(0o600)


def _flags(line: bytes) -> list[str]:
    return line.decode().partition("FLAGS (")[2].partition(")")[0].split()
