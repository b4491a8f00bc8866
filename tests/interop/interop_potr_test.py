"""sotto-cli and the potr bot: OTR by two programs that share no code."""

import unittest

from harness import EndToEndTest
from potr_client import PotrClient
from two_people import plain


class PotrTest(EndToEndTest):
    def setUp(self):
        super().setUp()
        self.cli, self.t = self.start_person("terrence", key=True)
        self.bot = self.track(PotrClient(self.server, "bot", "bot-password"))
        self.own_print = plain(self.cli.seen("key")[-1]["fingerprint"])

    def befriend(self, we_ask):
        if we_ask:
            self.cli.command("contact", "add", self.t, self.bot.jid)
            self.bot.wait_event("request", jid=self.t)
            self.bot.do("authorize", jid=self.t)
            self.bot.do("add", jid=self.t)
            self.cli.wait_event("request", account=self.t, jid=self.bot.jid)
            self.cli.command("contact", "authorize", self.t, self.bot.jid)
        else:
            self.bot.do("add", jid=self.t)
            self.cli.wait_event("request", account=self.t, jid=self.bot.jid)
            self.cli.command("contact", "authorize", self.t, self.bot.jid)
            self.cli.command("contact", "add", self.t, self.bot.jid)
            self.bot.wait_event("request", jid=self.t)
            self.bot.do("authorize", jid=self.t)
        self.bot.wait_event("subscribed", jid=self.t)
        self.cli.wait_event("roster", account=self.t, jid=self.bot.jid,
                            subscription="both", presence="available")

    def begin(self, we_start):
        since = self.cli.mark(), self.bot.mark()
        if we_start:
            self.cli.command("otr", "start", self.t, self.bot.jid)
        else:
            self.bot.do("start", jid=self.t)
        ours = self.cli.otr_state(self.t, self.bot.jid, "unverified",
                                  since[0])
        theirs = self.bot.wait_event("otr", jid=self.t, state="encrypted",
                                     since=since[1])
        self.assertEqual(plain(ours["fingerprint"]), self.bot.fingerprint())
        self.assertEqual(theirs["fingerprint"], self.own_print)

    def talk(self, mark, security):
        for text in (f"{mark} plain words", f"{mark} x < y & z > \"q\"",
                     f"{mark} \u00e4\u00f6\u20ac \U0001f600",
                     f"{mark} " + "long " * 2000):
            self.cli.command("send", self.t, self.bot.jid, text)
            self.bot.wait_event("message", jid=self.t, encrypted=True,
                                text=text)
        for text in (f"{mark} back words", f"{mark} back \u00e4\u00f6\u20ac",
                     f"{mark} back " + "long" * 2000):
            self.bot.do("send", jid=self.t, text=text)
            event = self.cli.received(self.t, self.bot.jid, text)
            self.assertEqual(event["security"], security)
        self.assert_server_never_saw(mark)

    def test_we_ask_we_start_they_end(self):
        self.befriend(we_ask=True)
        self.begin(we_start=True)
        self.talk("first-round", "unverified")
        self.bot.do("end", jid=self.t)
        self.cli.otr_state(self.t, self.bot.jid, "finished")

    def test_they_ask_they_start_we_end(self):
        self.befriend(we_ask=False)
        self.begin(we_start=False)
        self.talk("first-round", "unverified")
        self.cli.command("otr", "end", self.t, self.bot.jid)
        self.bot.wait_event("otr", jid=self.t, state="finished")
        self.cli.otr_state(self.t, self.bot.jid, "plaintext")

    def test_verified_holds_for_later_conversations(self):
        self.befriend(we_ask=True)
        self.begin(we_start=False)
        self.cli.command("verify", "fingerprint", self.t, self.bot.jid,
                         self.bot.fingerprint())
        self.cli.otr_state(self.t, self.bot.jid, "verified")
        self.talk("second-round", "verified")
        self.bot.do("end", jid=self.t)
        self.cli.otr_state(self.t, self.bot.jid, "finished")
        since = self.cli.mark()
        self.cli.command("otr", "start", self.t, self.bot.jid)
        self.cli.otr_state(self.t, self.bot.jid, "verified", since)
        self.talk("third-round", "verified")

    def test_what_comes_in_the_clear_into_a_session_is_marked(self):
        self.befriend(we_ask=True)
        self.begin(we_start=True)
        self.bot.do("raw", jid=self.t, text="slipped in by the server")
        event = self.cli.received(self.t, self.bot.jid,
                                  "slipped in by the server")
        self.assertEqual(event["security"], "plaintext")
        self.talk("still-works", "unverified")


if __name__ == "__main__":
    unittest.main()
