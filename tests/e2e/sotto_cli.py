"""sotto-cli as a test drives it: commands in, events out."""

import os

from event_process import PATIENCE, EventProcess


def binary():
    path = os.environ.get("SOTTO_CLI")
    if not path:
        raise RuntimeError("set SOTTO_CLI to the path of sotto-cli")
    return path


def quoted(word):
    """The word as the command line reads it back: in double quotes."""
    word = str(word)
    if word and not any(c in word for c in " \t\"'\\"):
        return word
    return '"' + word.replace("\\", "\\\\").replace('"', '\\"') + '"'


def refusals(events):
    """The errors that answer a command; others tell of the course of things."""
    return [event for event in events
            if event["event"] == "error" and event.get("command")]


class CommandFailed(AssertionError):
    """A command was answered with an `error` event."""


class SottoCli(EventProcess):
    """One running sotto-cli on the data folder `data`.

    `passphrase`: given through a pipe; None starts with --no-passphrase;
    False gives neither.
    """

    def __init__(self, data, passphrase=None, name="sotto-cli", arguments=()):
        command = [binary(), "--data", data, *arguments]
        options = {}
        read_end = None
        if passphrase is None:
            command.append("--no-passphrase")
        elif passphrase is not False:
            read_end, write_end = os.pipe()
            os.write(write_end, passphrase.encode())
            os.close(write_end)
            command += ["--passphrase-fd", read_end]
            options["pass_fds"] = (read_end,)
        self._asked = 0
        super().__init__(name, command, **options)
        if read_end is not None:
            os.close(read_end)

    def command(self, *words, timeout=PATIENCE):
        """Sends a command and waits until it is done; the events meanwhile.

        Commands are handled one after another, so the reply to a `status`
        sent behind it tells that it is done. Raises CommandFailed on `error`.
        """
        events = self.attempt(*words, timeout=timeout)
        for event in refusals(events):
            raise CommandFailed(f"{self.name}: {event}")
        return events

    def attempt(self, *words, timeout=PATIENCE):
        """As `command`, but hands errors back among the events."""
        return self.attempt_line(" ".join(quoted(word) for word in words),
                                 timeout)

    def attempt_line(self, line, timeout=PATIENCE):
        start = self.mark()
        self.send_line(line)
        self.send_line("status")
        asked = self._asked
        self.wait_for(lambda _: len(self.seen("status")) >= asked,
                      f"end of the command {line[:200]!r}", timeout, start)
        with self._arrived:
            return self.events[start:]

    def send_line(self, line):
        self._asked += line.strip() == "status"
        super().send_line(line)

    def refused(self, *words, timeout=PATIENCE):
        """The reason of a command that has to fail."""
        for event in refusals(self.attempt(*words, timeout=timeout)):
            return event["reason"]
        raise AssertionError(f"{self.name}: {words} was not refused")

    def show(self, what, *words):
        """The list in the answer to `show`."""
        events = self.command("show", what, *words)
        answer = [e for e in events if e["event"] == "show"]
        if len(answer) != 1:
            raise AssertionError(f"{self.name}: {answer} for show {what}")
        return answer[0][what]

    def status(self, account):
        """This account's part of the answer to `status`."""
        reply = [e for e in self.attempt_line("status")
                 if e["event"] == "status"][-1]
        for entry in reply["accounts"]:
            if entry["account"] == account:
                return entry
        return None

    def close(self, timeout=PATIENCE):
        """Says quit; its exit status."""
        if self.running():
            self.send_line("quit")
        return self.wait_exit(timeout)

    def run_script(self, lines):
        """Sends lines, ends the input, waits for the end: exit status."""
        for line in lines:
            self.send_line(line)
        self.close_input()
        return self.wait_exit()

    # Words that most tests need.

    def add_account(self, server, user, password, **settings):
        jid = server.register(user, password)
        settings = {"host": "127.0.0.1", "port": server.port,
                    "ca": server.ca_file, **settings}
        self.command("account", "add", jid, f"password={password}",
                     *(f"{key}={value}" for key, value in settings.items()))
        return jid

    def connect(self, account):
        start = self.mark()
        self.command("connect", account)
        self.wait_event("link", account=account, state="online", since=start)

    def received(self, account, contact, text):
        """Waits for an incoming message; its event."""
        return self.wait_event("message", account=account, jid=contact,
                               direction="in", text=text)

    def otr_state(self, account, contact, state, since=0):
        return self.wait_event("otr", account=account, jid=contact,
                               state=state, since=since)
