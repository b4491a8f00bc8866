"""sotto-cli and profanity: a client that people really use, on its screen."""

import unittest

from harness import EndToEndTest
from profanity import Profanity, need_terminal
from two_people import plain


class ProfanityTest(EndToEndTest):
    def setUp(self):
        need_terminal(self)
        super().setUp()
        self.cli, self.t = self.start_person("terrence", key=True)
        self.own_print = plain(self.cli.seen("key")[-1]["fingerprint"])
        self.pat = self.track(Profanity(self.server, "pat", "pat-password"))
        self.pat.connect()

    def befriend(self, we_ask):
        p = self.pat.jid
        if we_ask:
            self.cli.command("contact", "add", self.t, p)
            self.pat.accept_request(self.t)
            self.pat.add_contact(self.t)
            self.cli.wait_event("request", account=self.t, jid=p)
            self.cli.command("contact", "authorize", self.t, p)
        else:
            self.pat.add_contact(self.t)
            self.cli.wait_event("request", account=self.t, jid=p)
            self.cli.command("contact", "authorize", self.t, p)
            self.cli.command("contact", "add", self.t, p)
            self.pat.accept_request(self.t)
        self.pat.wait_subscribed(self.t)
        self.cli.wait_event("roster", account=self.t, jid=p,
                            subscription="both", presence="available")
        self.pat_print = self.pat.generate_key()
        self.pat.open_chat(self.t)

    def begin(self, we_start):
        if we_start:
            self.cli.command("otr", "start", self.t, self.pat.jid)
            self.pat.wait_private()
        else:
            self.pat.start_otr(self.t)
        ours = self.cli.otr_state(self.t, self.pat.jid, "unverified")
        self.assertEqual(plain(ours["fingerprint"]), self.pat_print)
        self.assertEqual(self.pat.their_fingerprint(), self.own_print)

    def talk(self, mark, security):
        for text in (f"{mark} from us", f"{mark} x < y & z"):
            self.cli.command("send", self.t, self.pat.jid, text)
            self.pat.wait_private_message(text)
        for text in (f"{mark} from profanity", f"{mark} and \u00e4\u00f6"):
            self.pat.say(text)
            event = self.cli.received(self.t, self.pat.jid, text)
            self.assertEqual(event["security"], security)
        self.assert_server_never_saw(mark)

    def test_we_ask_we_start_they_end(self):
        self.befriend(we_ask=True)
        self.begin(we_start=True)
        self.talk("our-start", "unverified")
        self.cli.command("verify", "fingerprint", self.t, self.pat.jid,
                         self.pat_print)
        self.cli.otr_state(self.t, self.pat.jid, "verified")
        self.talk("now-verified", "verified")
        self.pat.end_otr()
        self.cli.otr_state(self.t, self.pat.jid, "finished")

    def test_they_ask_they_start_we_end(self):
        self.befriend(we_ask=False)
        self.begin(we_start=False)
        self.talk("their-start", "unverified")
        self.cli.command("otr", "end", self.t, self.pat.jid)
        self.cli.otr_state(self.t, self.pat.jid, "plaintext")
        self.pat.wait_screen(r"has ended the OTR session|OTR session ended")


if __name__ == "__main__":
    unittest.main()
