"""kill -9 in the middle of each step, then start again: what was
acknowledged is there, nothing is damaged, and the fingerprint is the same."""

import os
import random
import time
import unittest

from harness import EndToEndTest
from prosody import certificate_sha256
from sotto_cli import quoted
from two_people import TwoPeople, plain

ROUNDS = int(os.environ.get("SOTTO_KILL_ROUNDS", "10"))


def shown_key(cli, account):
    """The account's fingerprint as `key show` says it; None without a key."""
    for event in cli.attempt("key", "show", account):
        if event["event"] == "key":
            return plain(event["fingerprint"])
    return None


def some_moment(generator):
    """0.2 to 200 ms, as often short as long: some commands take 1 ms."""
    return 0.0002 * 1000 ** generator.random()


class KillTest(EndToEndTest):
    """Terrence's sotto-cli is killed at a random moment of a command."""

    def setUp(self):
        super().setUp()
        self.seed = int(os.environ.get("SOTTO_SEED", random.randrange(10**9)))
        self.random = random.Random(self.seed)
        self.cli = self.start_cli("terrence")
        self.jid = self.cli.add_account(self.server, "terrence", "t-pass")

    def again(self):
        self.cli = self.restart_cli(self.cli, kill=True)

    def kill_during(self, *words):
        """Sends the command and kills at some moment of it."""
        self.cli.send_line(" ".join(quoted(word) for word in words))
        time.sleep(some_moment(self.random))
        self.again()

    def report(self, what, rounds, took_effect):
        print(f"{what}: {rounds} kills, {took_effect} had taken effect, "
              f"0 lost, seed {self.seed}")

    def test_account_add(self):
        accounts = {self.jid}
        for count in range(ROUNDS):
            jid = f"user{count}@localhost"
            self.kill_during("account", "add", jid, "password=x")
            accounts.add(jid)
            reply = [e for e in self.cli.attempt("status")
                     if e["event"] == "status"][-1]
            stored = {entry["account"] for entry in reply["accounts"]}
            self.assertLessEqual({self.jid}, stored)
            self.assertLessEqual(stored, accounts)
            accounts = stored
        self.cli.command("account", "add", "last@localhost", "password=x")
        self.again()
        self.assertIsNotNone(self.cli.status("last@localhost"))
        self.cli.connect(self.jid)
        self.report("account add", ROUNDS, len(accounts) - 1)

    def test_account_settings_hold_when_acknowledged(self):
        pin = certificate_sha256(self.server.certificate)
        self.cli.command("account", "add", self.jid, "password=t-pass",
                         "host=127.0.0.1", f"port={self.server.port}",
                         f"pin={pin}")
        self.again()
        self.cli.connect(self.jid)

    def test_key_generate(self):
        key = None
        made = 0
        for _ in range(ROUNDS):
            if key is None:
                self.kill_during("key", "generate", self.jid)
            else:
                self.kill_during("key", "generate", self.jid, "replace=yes")
            now = shown_key(self.cli, self.jid)
            if key is not None:
                self.assertIsNotNone(now, f"the key is lost, seed {self.seed}")
            made += now != key
            key = now
        self.cli.command("key", "generate", self.jid, "replace=yes")
        key = shown_key(self.cli, self.jid)
        for _ in range(3):
            self.again()
            self.assertEqual(shown_key(self.cli, self.jid), key)
        self.report("key generate", ROUNDS, made)

    def test_contact_add(self):
        self.server.register("sally", "s-pass")
        self.cli.command("key", "generate", self.jid)
        key = shown_key(self.cli, self.jid)
        added = 0
        for count in range(ROUNDS):
            self.cli.connect(self.jid)
            contact = f"contact{count}@localhost"
            self.kill_during("contact", "add", self.jid, contact)
            added += self.row(self.cli, self.jid, contact) is not None
            self.assertEqual(shown_key(self.cli, self.jid), key)
        self.cli.connect(self.jid)
        self.cli.command("contact", "add", self.jid, "sally", "name=Sally")
        self.cli.wait_event("roster", jid="sally@localhost", ask="subscribe")
        self.again()
        self.assertEqual(self.row(self.cli, self.jid, "sally@localhost")
                         ["name"], "Sally")
        self.cli.connect(self.jid)
        self.assertEqual(self.row(self.cli, self.jid, "sally@localhost")
                         ["ask"], "subscribe")
        self.report("contact add", ROUNDS, added)


class KillInConversationTest(TwoPeople):
    """The same, with Sally at the other end."""

    def setUp(self):
        super().setUp()
        self.seed = int(os.environ.get("SOTTO_SEED", random.randrange(10**9)))
        self.random = random.Random(self.seed)
        self.key = self.print_of(self.terrence, self.t)

    def again(self):
        """Terrence is killed, starts, and is online again."""
        self.terrence = self.restart_cli(self.terrence, kill=True)
        self.assertEqual(shown_key(self.terrence, self.t), self.key)
        self.terrence.connect(self.t)
        self.terrence.wait_event("roster", account=self.t, jid=self.s,
                                 presence="available")

    def kill_during(self, *words):
        self.terrence.send_line(" ".join(quoted(word) for word in words))
        time.sleep(some_moment(self.random))
        self.again()

    def trust_of_sally(self):
        keys = {plain(k["fingerprint"]): k["verified"]
                for k in self.terrence.show("keys", self.t)
                if k.get("jid") == self.s}
        return keys.get(self.print_of(self.sally, self.s))

    def talk(self, text):
        """Both ways, privately, whatever the kills left behind."""
        since = self.terrence.mark()
        self.terrence.command("otr", "start", self.t, self.s)
        self.terrence.wait_for(
            lambda e: e["event"] == "otr"
            and e["state"] in ("unverified", "verified"),
            "private conversation", since=since)
        self.terrence.command("send", self.t, self.s, text + " there")
        self.sally.received(self.s, self.t, text + " there")
        self.sally.command("send", self.s, self.t, text + " back")
        self.terrence.received(self.t, self.s, text + " back")
        self.assert_server_never_saw(text)

    def test_authorize(self):
        for count in range(3):
            who = f"friend{count}"
            cli, jid = self.start_person(who)
            cli.command("contact", "add", jid, self.t)
            self.terrence.wait_event("request", account=self.t, jid=jid)
            self.kill_during("contact", "authorize", self.t, jid)
            # It took effect, or the server asks again.
            answer = self.terrence.wait_for(
                lambda e: e.get("jid") == jid and (
                    e["event"] == "request" or e["event"] == "roster"
                    and e["subscription"] in ("from", "both")),
                "request or contact of " + who)
            if answer["event"] == "request":
                self.terrence.command("contact", "authorize", self.t, jid)
            cli.wait_event("roster", account=jid, jid=self.t,
                           subscription="to")

    def test_otr_start(self):
        for count in range(3):
            self.kill_during("otr", "start", self.t, self.s)
            self.talk(f"after start {count}")

    def test_verify_holds_once_acknowledged(self):
        self.start_private()
        self.assertIs(self.trust_of_sally(), False)
        self.terrence.command("verify", "fingerprint", self.t, self.s,
                              self.print_of(self.sally, self.s))
        self.again()
        self.assertIs(self.trust_of_sally(), True)
        since = self.terrence.mark()
        self.terrence.command("otr", "start", self.t, self.s)
        self.terrence.otr_state(self.t, self.s, "verified", since)

    def test_verify_in_the_middle_is_all_or_nothing(self):
        self.start_private()
        took = 0
        for count in range(3):
            self.kill_during("verify", "fingerprint", self.t, self.s,
                             self.print_of(self.sally, self.s))
            trust = self.trust_of_sally()
            self.assertIn(trust, (True, False))
            took += trust
            self.talk(f"after verify {count}")
            self.terrence.command("distrust", self.t, self.s)
            self.again()
            self.assertIs(self.trust_of_sally(), False)
            self.talk(f"after distrust {count}")
        print(f"verify: 3 kills, {took} had taken effect, seed {self.seed}")

    def test_policy(self):
        for policy in ("never", "required", "automatic"):
            self.kill_during("policy", self.t, self.s, policy)
            self.assertEqual(shown_key(self.terrence, self.t), self.key)
        self.terrence.command("policy", self.t, self.s, "automatic")
        self.again()
        self.terrence_says("starts by the stored policy", "unverified")
        self.assert_server_never_saw("starts by the stored policy")

    def test_send(self):
        self.start_private()
        for count in range(ROUNDS // 2):
            self.terrence_says(f"delivered before {count}", "unverified")
            self.kill_during("send", self.t, self.s, f"cut off at {count}")
            self.talk(f"after send {count}")
        self.assert_server_never_saw("delivered before", "cut off at")


if __name__ == "__main__":
    unittest.main()
