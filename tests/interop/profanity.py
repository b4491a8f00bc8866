"""profanity in a tmux of its own, driven by keys and read off the screen."""

import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from event_process import PATIENCE

# Without these profanity looks at its input and its socket 1 to 2 s late.
SETTINGS = """[ui]
inpblock=10
inpblock.dynamic=false
splash=false
"""
GROUPED = r"((?:[0-9A-F]{8} ){4}[0-9A-F]{8})"


def need_terminal(test):
    """Skips the test where the machine has no pseudo-terminals."""
    try:
        for end in os.openpty():
            os.close(end)
    except OSError:
        test.skipTest("no pseudo-terminal for profanity: is /dev/pts mounted?")


class Profanity:
    """A contact that uses profanity; its own tmux socket and folders."""

    def __init__(self, server, user, password):
        self.jid = server.register(user, password)
        self._server = server
        self._password = password
        self.folder = Path(tempfile.mkdtemp(prefix="sotto-profanity-"))
        config = self.folder / "config" / "profanity"
        config.mkdir(parents=True)
        (config / "profrc").write_text(SETTINGS)
        self._environment = dict(
            os.environ, HOME=str(self.folder), LANG="C.UTF-8",
            TERM="xterm-256color",
            XDG_CONFIG_HOME=str(self.folder / "config"),
            XDG_DATA_HOME=str(self.folder / "data"))
        self._environment.pop("TMUX", None)
        self._tmux("new-session", "-d", "-s", "main", "-x", "200", "-y", "100",
                   "profanity")

    def _tmux(self, *arguments):
        command = ["tmux", "-S", str(self.folder / "tmux"), "-f", "/dev/null"]
        return subprocess.run([*command, *arguments], check=True,
                              env=self._environment, capture_output=True,
                              text=True).stdout

    # Keys and screen.

    def screen(self):
        return self._tmux("capture-pane", "-p", "-t", "main")

    def type(self, line):
        self._tmux("send-keys", "-t", "main", "-l", line)
        self._tmux("send-keys", "-t", "main", "Enter")

    def wait_screen(self, pattern, timeout=PATIENCE, absent=False):
        """Waits until the pattern is on the screen; the match."""
        deadline = time.monotonic() + timeout
        while True:
            screen = self.screen()
            found = re.search(pattern, screen, re.MULTILINE)
            if bool(found) != absent:
                return found
            if time.monotonic() > deadline:
                raise AssertionError(
                    f"profanity never showed {pattern!r}; last:\n" + screen)
            time.sleep(0.05)

    def print_transcript(self, stream=None):
        stream = stream or sys.stderr
        print(f"--- profanity {self.jid}, the screen:", file=stream)
        for line in self.screen().splitlines():
            if line.strip():
                print("   ", line.rstrip(), file=stream)

    # What a person does with it.

    def connect(self):
        self.wait_screen(r"Profanity\. Type /help")
        self.type(f"/connect {self.jid} server 127.0.0.1"
                  f" port {self._server.port} tls trust")
        self.wait_screen("Enter password:")
        self.type(self._password)
        self.wait_screen(r"logged in successfully, online")

    def add_contact(self, jid):
        self.type(f"/roster add {jid}")
        self.wait_screen(f"Roster item added: {re.escape(jid)}")
        self.type(f"/sub request {jid}")
        self.wait_screen(f"Sent subscription request to {re.escape(jid)}")

    def accept_request(self, jid):
        self.wait_screen("uthorization request.*" + re.escape(jid)
                         + "|" + re.escape(jid) + " Authorization request")
        self.type(f"/sub allow {jid}")
        self.wait_screen(f"Accepted subscription for {re.escape(jid)}")

    def wait_subscribed(self, jid):
        self.wait_screen(f"Subscription received from {re.escape(jid)}")

    def open_chat(self, jid):
        self.type(f"/msg {jid}")
        self.wait_screen(rf"^ {re.escape(jid)} \[")

    def generate_key(self):
        """Makes the OTR key; its fingerprint as 40 hex digits.

        Goes to the console, where profanity says when it is done.
        """
        self.type("/win 1")
        self.type("/otr gen")
        self.wait_screen("Private key generation complete")
        self.type("/otr myfp")
        return self._fingerprint("Your OTR fingerprint: ")

    def start_otr(self, jid):
        self.type(f"/otr start {jid}")
        self.wait_private()

    def wait_private(self):
        self.wait_screen(r"\[OTR\]")

    def their_fingerprint(self):
        """The contact's, as it stands in the open chat."""
        self.type("/otr theirfp")
        return self._fingerprint("'s OTR fingerprint: ")

    def _fingerprint(self, label):
        found = self.wait_screen(re.escape(label) + GROUPED)
        return found.group(1).replace(" ", "")

    def say(self, text):
        self.type(text)
        self.wait_screen(r"me: " + re.escape(text))

    def wait_private_message(self, text):
        """The text on the screen, with the mark of an encrypted message."""
        self.wait_screen(r" ~ \S+: " + re.escape(text))

    def end_otr(self):
        self.type("/otr end")
        self.wait_screen("OTR session ended")

    def wait_not_private(self):
        self.wait_screen(r"\[unencrypted\]")

    def close(self):
        try:
            self._tmux("kill-server")
        except subprocess.CalledProcessError:
            pass
        shutil.rmtree(self.folder, ignore_errors=True)
