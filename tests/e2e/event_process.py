"""A child process that reads commands and answers in JSON, a line each."""

import collections
import json
import queue
import subprocess
import sys
import threading
import time

# Upper bounds for waiting; verdicts do not depend on speed.
PATIENCE = 40


def matches(event, name, keys):
    if event.get("event") != name:
        return False
    return all(event.get(key) == value for key, value in keys.items())


class EventProcess:
    """Starts a process and keeps all that it says, in order.

    `transcript` holds what was sent and what came, for a failed test.
    """

    def __init__(self, name, arguments, **popen_options):
        self.name = name
        self.arguments = [str(argument) for argument in arguments]
        self.events = []
        self.transcript = collections.deque(maxlen=2000)
        self.stderr = []
        self.noise = []
        self._arrived = threading.Condition()
        self._open_streams = 2
        self._process = subprocess.Popen(
            self.arguments, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
            stderr=subprocess.PIPE, **popen_options)
        self._outgoing = queue.SimpleQueue()
        self._threads = [
            threading.Thread(target=target, daemon=True)
            for target in (self._read_stdout, self._read_stderr, self._write)]
        for thread in self._threads:
            thread.start()

    @property
    def pid(self):
        return self._process.pid

    def _read_stdout(self):
        for raw in self._process.stdout:
            line = raw.decode("utf-8", "replace").rstrip("\n")
            try:
                event = json.loads(line)
                if not isinstance(event, dict):
                    raise ValueError
            except ValueError:
                event = None
            with self._arrived:
                self.transcript.append("< " + line)
                if event is None:
                    self.noise.append(line)
                else:
                    self.events.append(event)
                self._arrived.notify_all()
        self._stream_ended()

    def _read_stderr(self):
        for raw in self._process.stderr:
            line = raw.decode("utf-8", "replace").rstrip("\n")
            with self._arrived:
                self.transcript.append("! " + line)
                self.stderr.append(line)
        self._stream_ended()

    def _stream_ended(self):
        with self._arrived:
            self._open_streams -= 1
            self._arrived.notify_all()

    def _write(self):
        # A thread of its own: a child that does not read must not stop a test.
        while True:
            data = self._outgoing.get()
            try:
                if data is None:
                    self._process.stdin.close()
                    return
                self._process.stdin.write(data)
                self._process.stdin.flush()
            except OSError:
                return

    def send_bytes(self, data):
        self._outgoing.put(data)

    def send_line(self, line):
        with self._arrived:
            self.transcript.append("> " + line[:2000])
        self.send_bytes(line.encode() + b"\n")

    def close_input(self):
        self._outgoing.put(None)

    # Waiting.

    def mark(self):
        """The place in the stream of events where it stands now."""
        with self._arrived:
            return len(self.events)

    def wait_for(self, predicate, what, timeout=PATIENCE, since=0):
        """The first event after `since` for which the predicate holds."""
        deadline = time.monotonic() + timeout
        with self._arrived:
            seen = since
            while True:
                for event in self.events[seen:]:
                    if predicate(event):
                        return event
                seen = len(self.events)
                left = deadline - time.monotonic()
                if left <= 0 or self._open_streams == 0:
                    why = ("its output ended" if self._open_streams == 0
                           else f"waited {timeout} s")
                    raise AssertionError(f"{self.name}: no {what} ({why})")
                self._arrived.wait(left)

    def wait_event(self, name, /, timeout=PATIENCE, since=0, **keys):
        """The first event of this name with these keys, from the start."""
        shown = " ".join(f"{key}={value!r}" for key, value in keys.items())
        return self.wait_for(lambda event: matches(event, name, keys),
                             f"event {name} {shown}", timeout, since)

    def seen(self, name, /, since=0, **keys):
        """All such events so far."""
        with self._arrived:
            return [event for event in self.events[since:]
                    if matches(event, name, keys)]

    # Ending.

    def running(self):
        return self._process.poll() is None

    def kill(self):
        """kill -9, and waits until it is gone."""
        self._process.kill()
        return self._finish(PATIENCE)

    def wait_exit(self, timeout=PATIENCE):
        """Waits until it ends by itself; its exit status."""
        try:
            return self._finish(timeout)
        except subprocess.TimeoutExpired:
            self.kill()
            raise AssertionError(
                f"{self.name}: still runs after {timeout} s") from None

    def _finish(self, timeout):
        status = self._process.wait(timeout)
        self._outgoing.put(None)
        for thread in self._threads[:2]:
            thread.join(5)
        self._process.stdout.close()
        self._process.stderr.close()
        with self._arrived:
            line = f"= exit status {status}"
            if not self.transcript or self.transcript[-1] != line:
                self.transcript.append(line)
        return status

    def print_transcript(self, stream=None):
        stream = stream or sys.stderr
        with self._arrived:
            lines = list(self.transcript)
        print(f"--- {self.name} (pid {self.pid}): "
              + " ".join(self.arguments), file=stream)
        for line in lines[-400:]:
            print("   ", line[:600], file=stream)
