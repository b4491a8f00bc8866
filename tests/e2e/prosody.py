"""A private Prosody on loopback, with a TLS certificate made on the spot.

The server has its own folder, a free port and a tap (mod_sotto_tap) that
writes what passes, so that a test can look from the server's side.
"""

import json
import os
import random
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from pathlib import Path

HERE = Path(__file__).resolve().parent
READY_SECONDS = 20

CONFIG = """
run_as_root = true
daemonize = false
pidfile = "{folder}/prosody.pid"
data_path = "{folder}/data"
certificates = "{folder}"
plugin_paths = {{ "{modules}" }}
modules_enabled = {{
  "posix"; "roster"; "saslauth"; "tls"; "disco"; "ping"; "presence";
  "message"; "offline"; "register"; "sotto_tap"; {extra_modules}
}}
modules_disabled = {{ "s2s" }}
authentication = "internal_hashed"
storage = "internal"
c2s_require_encryption = {require_encryption}
allow_unencrypted_plain_auth = false
c2s_ports = {{ {port} }}
c2s_direct_tls_ports = {{ }}
c2s_interfaces = {{ "127.0.0.1" }}
network_settings = {{ nagle = false }}
sotto_tap_file = "{folder}/tap.jsonl"
log = {{ info = "{folder}/prosody.log" }}
{extra_config}
VirtualHost "{host}"
  ssl = {{ certificate = "{folder}/server.crt"; key = "{folder}/server.key" }}
"""


def free_port():
    """A loopback port below the ephemeral range that nothing listens on."""
    for _ in range(200):
        port = random.randint(20000, 32000)
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port
    raise RuntimeError("no free port was found between 20000 and 32000")


def openssl(*arguments):
    subprocess.run(["openssl", *map(str, arguments)], check=True,
                   stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                   stderr=subprocess.PIPE)


def make_certificate(folder, names=("localhost",)):
    """A fresh authority (ca.crt) and a server certificate signed by it."""
    folder = Path(folder)
    new_key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"]
    openssl("req", "-x509", *new_key, "-days", 30, "-subj",
            "/CN=Sotto test authority", "-keyout", folder / "ca.key",
            "-out", folder / "ca.crt")
    openssl("req", "-new", *new_key, "-subj", "/CN=" + names[0],
            "-keyout", folder / "server.key", "-out", folder / "server.csr")
    extensions = folder / "server.ext"
    extensions.write_text("subjectAltName="
                          + ",".join("DNS:" + name for name in names)
                          + "\nbasicConstraints=CA:FALSE\n")
    openssl("x509", "-req", "-days", 30, "-in", folder / "server.csr",
            "-CA", folder / "ca.crt", "-CAkey", folder / "ca.key",
            "-CAcreateserial", "-extfile", extensions,
            "-out", folder / "server.crt")


def certificate_sha256(path):
    """The SHA-256 of a PEM certificate, as 64 lower-case hex digits."""
    shown = subprocess.run(
        ["openssl", "x509", "-in", str(path), "-noout", "-fingerprint",
         "-sha256"], check=True, capture_output=True, text=True).stdout
    return shown.split("=", 1)[1].strip().replace(":", "").lower()


class ProsodyServer:
    """Starts on entering a `with` block, stops and cleans up on leaving it."""

    def __init__(self, host="localhost", extra_modules=(), extra_config="",
                 require_encryption=True, certificate_names=None):
        self.host = host
        self.folder = Path(tempfile.mkdtemp(prefix="sotto-prosody-"))
        self.port = None
        self._extra_modules = " ".join(f'"{name}";' for name in extra_modules)
        self._extra_config = extra_config
        self._require_encryption = require_encryption
        self._process = None
        (self.folder / "data").mkdir()
        make_certificate(self.folder, certificate_names or (host,))

    @property
    def ca_file(self):
        return self.folder / "ca.crt"

    @property
    def certificate(self):
        return self.folder / "server.crt"

    @property
    def pid(self):
        return self._process.pid if self._process else None

    def __enter__(self):
        self.start()
        return self

    def __exit__(self, *_):
        self.close()

    def write_roster(self, name, contacts):
        """Puts contacts ("both") on an account's roster behind its back."""
        rows = "".join(f'["{jid}"]={{subscription="both";name="{label}";'
                       f'groups={{["{group}"]=true}}}};\n'
                       for jid, label, group in contacts)
        self._store("roster", name).write_text(
            "return {[false]={version=1};\n" + rows + "};\n",
            encoding="utf-8")

    # Running.

    def start(self):
        """Starts and waits until clients can connect; keeps a port it had."""
        if self.port is not None:
            if not self._start_on(self.port):
                raise RuntimeError(f"port {self.port} was taken meanwhile:\n"
                                   + self.log())
            return
        for _ in range(5):
            port = free_port()
            if self._start_on(port):
                self.port = port
                return
        raise RuntimeError("Prosody found no free port:\n" + self.log())

    def stop(self):
        """An ordered end: clients see their streams closed."""
        self._end(signal.SIGTERM)

    def kill(self):
        """Ends it as a power cut would."""
        self._end(signal.SIGKILL)

    def restart(self):
        self.stop()
        self.start()

    def close(self):
        self.stop()
        shutil.rmtree(self.folder, ignore_errors=True)

    def pause(self):
        """The process stands still; connections stay open and silent."""
        os.kill(self._process.pid, signal.SIGSTOP)

    def resume(self):
        os.kill(self._process.pid, signal.SIGCONT)

    def _start_on(self, port):
        config = self.folder / "prosody.cfg.lua"
        config.write_text(CONFIG.format(
            folder=self.folder, modules=HERE / "prosody_modules",
            host=self.host, port=port, extra_modules=self._extra_modules,
            extra_config=self._extra_config,
            require_encryption=str(self._require_encryption).lower()))
        log_before = len(self.log())
        with open(self.folder / "output.log", "ab") as output:
            self._process = subprocess.Popen(
                ["prosody", "-F", "--config", str(config)],
                stdin=subprocess.DEVNULL, stdout=output, stderr=output,
                start_new_session=True)
        deadline = time.monotonic() + READY_SECONDS
        while time.monotonic() < deadline:
            new_log = self.log()[log_before:]
            if f"Activated service 'c2s' on [127.0.0.1]:{port}" in new_log:
                return True
            if "Failed to open server port" in new_log:
                self.stop()
                return False
            if self._process.poll() is not None:
                break
            time.sleep(0.02)
        self.stop()
        raise RuntimeError("Prosody did not start:\n" + self.log()
                           + (self.folder / "output.log").read_text())

    def _end(self, number):
        if self._process is None:
            return
        if self._process.poll() is None:
            self._process.send_signal(number)
        try:
            self._process.wait(10)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._process = None

    def log(self):
        path = self.folder / "prosody.log"
        return path.read_text(errors="replace") if path.exists() else ""

    # Accounts.

    def _store(self, store, user):
        def encode(text):
            return "".join(c if c.isalnum() and c.isascii()
                           else "".join(f"%{b:02x}" for b in c.encode())
                           for c in text)
        folder = self.folder / "data" / encode(self.host) / store
        folder.mkdir(parents=True, exist_ok=True)
        return folder / (encode(user) + ".dat")

    def register(self, user, password):
        """Makes an account, or sets its password; returns its JID."""
        quoted = password.replace("\\", "\\\\").replace('"', '\\"')
        path = self._store("accounts", user)
        fresh = path.with_suffix(".new")
        fresh.write_text(f'return {{ ["password"] = "{quoted}"; }};\n')
        fresh.replace(path)
        return f"{user}@{self.host}"

    # What passed.

    def tap(self, kind="message"):
        """The stanzas that clients have sent, oldest first."""
        path = self.folder / "tap.jsonl"
        if not path.exists():
            return []
        entries = []
        for line in path.read_text(errors="replace").splitlines(True):
            if line.endswith("\n"):
                entries.append(json.loads(line))
        return [e for e in entries if kind is None or e["kind"] == kind]

    def bodies(self, sender=None, receiver=None):
        """Bodies that passed, of messages between two bare JIDs if given."""
        def matches(full, bare):
            return bare is None or (full or "").split("/")[0] == bare
        return [e["body"] for e in self.tap() if e.get("body") is not None
                and matches(e["from"], sender)
                and matches(e.get("to"), receiver)]

    def wait_tap(self, predicate, timeout=20, kind="message"):
        """The first stanza for which the predicate holds."""
        deadline = time.monotonic() + timeout
        while True:
            for entry in self.tap(kind):
                if predicate(entry):
                    return entry
            if time.monotonic() > deadline:
                raise AssertionError("the server did not see the stanza")
            time.sleep(0.05)

    def places_of(self, text):
        """Where the server can read this text: its tap, its store, its log."""
        needle = text.encode()
        places = []
        for path in sorted(self.folder.rglob("*")):
            if path.is_file() and needle in path.read_bytes():
                places.append(str(path.relative_to(self.folder)))
        return places
