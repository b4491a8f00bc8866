"""The foreign clients alone: profanity and the bot understand each other.

When this fails, a failure of sotto-cli against one of them says nothing.
"""

import unittest

from harness import EndToEndTest
from potr_client import PotrClient
from profanity import Profanity, need_terminal


class ForeignClientsTest(EndToEndTest):
    def test_profanity_and_the_bot_hold_a_private_conversation(self):
        need_terminal(self)
        bot = self.track(PotrClient(self.server, "bot", "bot-password"))
        pat = self.track(Profanity(self.server, "pat", "pat-password"))
        pat.connect()
        pat.add_contact(bot.jid)
        bot.wait_event("request", jid=pat.jid)
        bot.do("authorize", jid=pat.jid)
        bot.do("add", jid=pat.jid)
        pat.accept_request(bot.jid)
        bot.wait_event("subscribed", jid=pat.jid)
        pats_print = pat.generate_key()
        pat.open_chat(bot.jid)
        pat.start_otr(bot.jid)
        state = bot.wait_event("otr", jid=pat.jid, state="encrypted")
        self.assertEqual(state["fingerprint"], pats_print)
        self.assertEqual(pat.their_fingerprint(), bot.fingerprint())
        pat.say("from profanity, privately")
        bot.wait_event("message", encrypted=True,
                       text="from profanity, privately")
        bot.do("send", jid=pat.jid, text="from the bot, privately")
        pat.wait_private_message("from the bot, privately")
        self.assertEqual(self.server.places_of("privately"), [])
        pat.end_otr()
        bot.wait_event("otr", jid=pat.jid, state="finished")


if __name__ == "__main__":
    unittest.main()
