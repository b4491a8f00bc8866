"""When a conversation is private: policies, the queue, strangers."""

import unittest

from harness import EndToEndTest
from potr_client import PotrClient
from two_people import TwoPeople

SHORT_HANDSHAKE = ("set", "handshake-timeout=2")


class PolicyTest(TwoPeople):
    def begin_by_message(self, policy):
        self.terrence.command("policy", self.t, self.s, policy)
        self.terrence_says("the very first message", "unverified")
        self.sally_says("and the answer", "unverified")
        self.assert_server_never_saw("the very first message",
                                     "and the answer")

    def test_automatic_the_first_message_waits_and_arrives_encrypted(self):
        self.begin_by_message("automatic")

    def test_required_the_first_message_waits_and_arrives_encrypted(self):
        self.begin_by_message("required")

    def test_a_policy_of_the_account_holds_for_its_contacts(self):
        self.terrence.command("policy", self.t, "automatic")
        self.terrence_says("by the account's policy", "unverified")
        self.assert_server_never_saw("by the account's policy")

    def test_opportunistic_starts_nothing_by_itself(self):
        self.terrence_says("in the clear by default", "plaintext")

    def test_never_neither_starts_nor_answers(self):
        self.terrence.command("policy", self.t, self.s, "never")
        self.terrence.refused("otr", "start", self.t, self.s)
        self.sally.command(*SHORT_HANDSHAKE)
        self.sally.command("otr", "start", self.s, self.t)
        self.sally.otr_state(self.s, self.t, "timed_out")
        self.assertEqual([b for b in self.server.bodies(self.t, self.s)
                          if b.startswith("?OTR")], [])

    def test_required_never_speaks_in_the_clear_after_an_end(self):
        self.begin_by_message("required")
        self.terrence.command("otr", "end", self.t, self.s)
        self.sally.otr_state(self.s, self.t, "finished")
        self.terrence_says("private again by itself", "unverified")
        self.assert_server_never_saw("private again by itself")

    def test_fifty_messages_typed_before_the_session_arrive_in_order(self):
        self.terrence.command("policy", self.t, self.s, "automatic")
        texts = [f"typed early, number {count}" for count in range(50)]
        # The server stands still, so that no session can be there yet.
        self.server.pause()
        self.addCleanup(self.server.resume)
        for text in texts:
            self.terrence.send_line(f'send {self.t} {self.s} "{text}"')
        for text in texts:
            self.terrence.wait_event("message", text=text, state="queued")
        self.server.resume()
        for text in texts:
            self.sally.received(self.s, self.t, text)
        arrived = [e["text"] for e in self.sally.seen("message",
                                                      direction="in")]
        self.assertEqual(arrived, texts)
        self.assertEqual({e["security"] for e in self.sally.seen(
            "message", direction="in")}, {"unverified"})
        self.assert_server_never_saw("typed early")


class WithoutOtrTest(EndToEndTest):
    """The contact's client knows nothing of OTR."""

    def setUp(self):
        super().setUp()
        self.terrence, self.t = self.start_person("terrence", key=True)
        self.bot = self.track(PotrClient(self.server, "plain", "pw",
                                         otr=False))

    def befriend_bot(self):
        self.terrence.command("contact", "add", self.t, self.bot.jid)
        self.bot.wait_event("request", jid=self.t)
        self.bot.do("authorize", jid=self.t)
        self.bot.do("add", jid=self.t)
        self.terrence.wait_event("request", account=self.t, jid=self.bot.jid)
        self.terrence.command("contact", "authorize", self.t, self.bot.jid)
        self.terrence.wait_event("roster", account=self.t, jid=self.bot.jid,
                                 subscription="both", presence="available")

    def test_required_times_out_and_the_message_stays_queued(self):
        self.befriend_bot()
        self.terrence.command(*SHORT_HANDSHAKE)
        self.terrence.command("policy", self.t, self.bot.jid, "required")
        self.terrence.command("send", self.t, self.bot.jid,
                              "never to be read by the server")
        self.terrence.otr_state(self.t, self.bot.jid, "starting")
        self.bot.wait_for(
            lambda e: e["event"] == "body" and e["text"].startswith("?OTR"),
            "OTR query")
        self.terrence.otr_state(self.t, self.bot.jid, "timed_out")
        rows = self.terrence.show("chat", self.t, self.bot.jid)
        waiting = [m for m in rows
                   if m.get("text") == "never to be read by the server"]
        self.assertEqual([m["state"] for m in waiting], ["queued"])
        self.assert_server_never_saw("never to be read")
        # What comes in the clear is shown, and marked so.
        self.bot.do("raw", jid=self.t, text="I have no OTR")
        event = self.terrence.received(self.t, self.bot.jid, "I have no OTR")
        self.assertEqual(event["security"], "plaintext")

    def test_opportunistic_talks_in_the_clear_both_ways(self):
        self.befriend_bot()
        self.terrence.command("send", self.t, self.bot.jid, "hello <b> & co")
        self.bot.wait_event("body", text="hello <b> & co")
        self.bot.do("raw", jid=self.t, text="what ?OTR is, I wonder")
        event = self.terrence.received(self.t, self.bot.jid,
                                       "what ?OTR is, I wonder")
        self.assertEqual(event["security"], "plaintext")


class StrangerTest(TwoPeople):
    def test_a_stranger_gets_no_answer_to_a_handshake(self):
        stranger = self.track(PotrClient(self.server, "stranger", "pw"))
        queries = ["?OTRv23?", "?OTRv2?", "?OTR?v2?", "?OTRv3?",
                   "?OTR:AAIC", "?OTR Error: what", "?OTR,1,2,abc,"]
        for query in queries:
            stranger.do("raw", jid=self.s, text=query)
        self.server.wait_tap(lambda e: e.get("body") == queries[-1])
        # The mark: a contact's handshake that comes later is answered.
        self.start_private()
        answers = [e for kind in ("message", "presence")
                   for e in self.server.tap(kind)
                   if e["from"].startswith(self.s + "/")
                   and (e.get("to") or "").startswith(stranger.jid)]
        self.assertEqual(answers, [])
        self.assertEqual(self.sally.seen("otr", jid=stranger.jid), [])


if __name__ == "__main__":
    unittest.main()
