"""A real Dovecot for the tests: started in a folder, on ports of its own, and stopped.

``scripts/ensure_dovecot.sh`` installs it where that is permitted.
"""

from __future__ import annotations

import datetime
import imaplib
import os
import pwd
import select
import shutil
import signal
import socket
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

USER, PASSWORD = "report@plaza.example", "a word with / and @"
STARTS_WITHIN_S, STOPS_WITHIN_S, ANSWERS_WITHIN_S = 60, 10, 60
LOG_SHOWN = 800  # characters, of a server that does not start.
CONFIG = """
protocols = imap
listen = 127.0.0.1
base_dir = {home}/run
state_dir = {home}/state
log_path = {home}/dovecot.log
ssl = yes
ssl_cert = <{home}/cert.pem
ssl_key = <{home}/key.pem
disable_plaintext_auth = no
auth_failure_delay = 0
default_login_user = {login_user}
default_internal_user = {internal_user}
default_internal_group = {internal_group}
mail_location = maildir:{home}/mail
mail_uid = {uid}
mail_gid = {gid}
first_valid_uid = 0
first_valid_gid = 0
auth_mechanisms = plain login
passdb {{
  driver = passwd-file
  args = scheme=PLAIN {home}/passwd
}}
userdb {{
  driver = static
  args = uid={uid} gid={gid} home={home}
}}
service imap-login {{
  chroot =
  inet_listener imap {{
    port = {plain_port}
  }}
  inet_listener imaps {{
    port = {tls_port}
    ssl = yes
  }}
}}
service anvil {{
  chroot =
}}
"""


@dataclass
class Dovecot:
    """One mailbox on a running server."""

    home: Path
    plain_port: int
    tls_port: int

    def url(
        self, scheme: str = "imaps", password: str = PASSWORD, port: int = 0
    ) -> str:
        """``HOLDFAST_IMAP`` for it. Its certificate is for this name."""
        port = port or (self.tls_port if scheme == "imaps" else self.plain_port)
        who = f"{quote(USER, safe='')}:{quote(password, safe='')}"
        return f"{scheme}://{who}@localhost:{port}/INBOX"

    def session(self) -> imaplib.IMAP4:
        """A session of a mail program of somebody else."""
        session = imaplib.IMAP4("127.0.0.1", self.plain_port, timeout=ANSWERS_WITHIN_S)
        session.login(USER, PASSWORD)
        session.select("INBOX")
        return session

    def deliver(self, mail: bytes, arrived_at: datetime.datetime | None = None) -> int:
        """Put a mail into the mailbox; returns its number."""
        session = self.session()
        at = imaplib.Time2Internaldate(arrived_at) if arrived_at else None
        crlf = mail.replace(b"\r\n", b"\n").replace(b"\n", b"\r\n")
        status, said = session.append("INBOX", "", at, crlf)
        assert status == "OK", said
        session.logout()
        return int(said[0].split()[2].rstrip(b"]"))


@contextmanager
def breaking_at(word: bytes, port: int) -> Iterator[int]:
    """A line to a server that is cut when a client says ``word``, once; its port."""
    with socket.create_server(("127.0.0.1", 0)) as door:
        cut = threading.Event()
        thread = threading.Thread(target=_pass_on, args=(door, port, word, cut))
        thread.start()
        yield int(door.getsockname()[1])
        # Unblocks the thread that waits for another client.
        door.shutdown(socket.SHUT_RDWR)
        thread.join()


def _pass_on(door: socket.socket, port: int, word: bytes, cut: threading.Event) -> None:
    while True:
        try:
            client, _address = door.accept()
        except OSError:
            return
        with client, socket.create_connection(("127.0.0.1", port)) as server:
            ends = {client: server, server: client}
            while True:
                ready, _write, _error = select.select(list(ends), [], [])
                said = ready[0].recv(65536)
                if not said:
                    break
                if ready[0] is client and word in said and not cut.is_set():
                    cut.set()
                    break
                ends[ready[0]].sendall(said)


def missing() -> str:
    """Why there is no Dovecot here, or nothing."""
    if shutil.which("dovecot") is None:
        return "Dovecot is missing: make test installs it, or apt-get install it"
    return ""


@contextmanager
def running(home: Path) -> Iterator[Dovecot]:
    """A Dovecot in ``home``, ready to be called."""
    server = Dovecot(home, _free_port(), _free_port())
    _certify(home)
    as_root = os.geteuid() == 0
    name = pwd.getpwuid(os.geteuid()).pw_name
    # Dovecot gives nobody's mail to root.
    owner = pwd.getpwnam("mail" if as_root else name)
    (home / "mail").mkdir()
    if as_root:
        home.chmod(0o711)
        os.chown(home / "mail", owner.pw_uid, owner.pw_gid)
    text = CONFIG.format(
        home=home,
        plain_port=server.plain_port,
        tls_port=server.tls_port,
        uid=owner.pw_uid,
        gid=owner.pw_gid,
        login_user="dovenull" if as_root else name,
        internal_user="dovecot" if as_root else name,
        internal_group="dovecot" if as_root else name,
    )
    (home / "dovecot.conf").write_text(text)
    (home / "passwd").write_text(f"{USER}:{{PLAIN}}{PASSWORD}\n")
    (home / "passwd").chmod(0o644)
    process = subprocess.Popen(
        ["dovecot", "-F", "-c", str(home / "dovecot.conf")],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
    )
    try:
        _await(server, process)
        yield server
    finally:
        process.send_signal(signal.SIGTERM)
        with suppress(subprocess.TimeoutExpired):
            process.wait(STOPS_WITHIN_S)
        process.kill()
        process.wait()


def _await(server: Dovecot, process: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + STARTS_WITHIN_S
    while time.monotonic() < deadline and process.poll() is None:
        with suppress(OSError, imaplib.IMAP4.error):
            server.session().logout()
            return
        time.sleep(0.2)
    log = server.home / "dovecot.log"
    said = log.read_text()[-LOG_SHOWN:] if log.exists() else ""
    raise AssertionError(f"Dovecot does not start. {said}")


def _certify(home: Path) -> None:
    """A certificate for ``localhost`` that is its own authority."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    now = datetime.datetime.now(datetime.UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(hours=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(
            x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False
        )
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    (home / "cert.pem").write_bytes(
        certificate.public_bytes(serialization.Encoding.PEM)
    )
    (home / "key.pem").write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )


def _free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])
