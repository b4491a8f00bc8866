"""What the end-to-end tests share: a server, clients, two people."""

import shutil
import tempfile
import unittest
from pathlib import Path

from prosody import ProsodyServer
from sotto_cli import SottoCli


class EndToEndTest(unittest.TestCase):
    """A test with a Prosody of its own; on failure, what everybody said."""

    SERVER_OPTIONS = {}

    def setUp(self):
        self._clients = []
        self.folder = Path(tempfile.mkdtemp(prefix="sotto-e2e-"))
        self.addCleanup(shutil.rmtree, self.folder, ignore_errors=True)
        self.server = ProsodyServer(**self.SERVER_OPTIONS)
        self.addCleanup(self.server.close)
        self.addCleanup(self._end_clients)
        self.server.start()

    def track(self, client):
        """Ends the client after the test and shows what it said on failure."""
        self._clients.append(client)
        return client

    def _failed(self):
        result = self._outcome.result
        return any(test is self for test, _ in
                   [*result.failures, *result.errors])

    def _end_clients(self):
        failed = self._failed()
        if failed:
            print(f"\n=== {self.id()} failed; what everybody said:")
        for client in self._clients:
            try:
                if failed:
                    client.print_transcript()
                if isinstance(client, SottoCli):
                    client.kill()
                else:
                    client.close()
            except Exception as problem:  # one must not keep the others alive
                print(f"while ending {client}: {problem!r}")

    # sotto-cli.

    def start_cli(self, who, passphrase=None, **options):
        """sotto-cli on the data folder of this person."""
        return self.track(SottoCli(self.folder / who, passphrase, name=who,
                                   **options))

    def restart_cli(self, cli, passphrase=None, kill=False):
        """Ends it (kill: by kill -9) and starts it on the same folder."""
        if kill:
            cli.kill()
        else:
            # 1 tells of a failed command; a test may have provoked one.
            failed = any(e["command"] for e in cli.seen("error"))
            self.assertEqual(cli.close(), 1 if failed else 0)
        return self.start_cli(cli.name, passphrase)

    def start_person(self, who, key=False):
        """A person with an account, connected; (cli, jid)."""
        cli = self.start_cli(who)
        jid = cli.add_account(self.server, who, who + "-password")
        if key:
            cli.command("key", "generate", jid)
        cli.connect(jid)
        return cli, jid

    def befriend(self, a, a_jid, b, b_jid):
        """Both in each other's roster, subscription both, both present."""
        a.command("contact", "add", a_jid, b_jid)
        b.wait_event("request", account=b_jid, jid=a_jid)
        b.command("contact", "authorize", b_jid, a_jid)
        b.command("contact", "add", b_jid, a_jid)
        a.wait_event("request", account=a_jid, jid=b_jid)
        a.command("contact", "authorize", a_jid, b_jid)
        for cli, own, other in ((a, a_jid, b_jid), (b, b_jid, a_jid)):
            cli.wait_event("roster", account=own, jid=other,
                           subscription="both", presence="available")

    def row(self, cli, account, contact):
        """The contact's row in `show roster`, or None."""
        rows = [row for row in cli.show("roster", account)
                if row["jid"] == contact]
        self.assertLessEqual(len(rows), 1, rows)
        return rows[0] if rows else None

    def assert_server_never_saw(self, *texts):
        for text in texts:
            self.assertEqual(self.server.places_of(text), [],
                             f"the server could read {text!r}")
