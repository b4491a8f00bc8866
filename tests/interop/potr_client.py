"""Starts and drives the potr bot (potr_bot.py) from a test."""

import json
import sys
from pathlib import Path

from event_process import EventProcess

BOT = Path(__file__).resolve().parent / "potr_bot.py"


class PotrClient(EventProcess):
    """A contact that uses slixmpp and potr, logged in on return.

    With `otr=False` it is a plain client that reports every body as it came
    and answers nothing.
    """

    def __init__(self, server, user, password, otr=True):
        self.jid = server.register(user, password)
        command = [sys.executable, BOT, "--jid", self.jid,
                   "--port", server.port, "--ca", server.ca_file]
        super().__init__(f"bot {user}",
                         command if otr else command + ["--no-otr"])
        self.send_bytes(password.encode() + b"\n")
        try:
            self.wait_event("online")
        except AssertionError:
            self.print_transcript()
            self.kill()
            raise

    def do(self, what, **fields):
        self.send_line(json.dumps({"do": what, **fields}))

    def fingerprint(self):
        self.do("fingerprint")
        return self.wait_event("fingerprint")["fingerprint"]

    def close(self):
        self.do("quit")
        return self.wait_exit()
