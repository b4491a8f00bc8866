"""Terrence and Sally hold a private conversation: S17 to S42, I3, I4."""

import unittest

from two_people import TwoPeople, plain


def grouped(fingerprint):
    return " ".join(fingerprint[i:i + 8] for i in range(0, 40, 8))


def altered(fingerprint):
    """Another fingerprint that differs in its last digit."""
    return fingerprint[:-1] + ("0" if fingerprint[-1] != "0" else "1")


class KeysTest(TwoPeople):
    def test_the_shown_fingerprint_is_the_one_made_and_stays(self):
        made = self.print_of(self.terrence, self.t)
        events = self.terrence.command("key", "show", self.t)
        shown = [e for e in events if e["event"] == "key"]
        self.assertEqual(plain(shown[-1]["fingerprint"]), made)
        self.terrence = self.restart_cli(self.terrence)
        events = self.terrence.command("key", "show", self.t)
        shown = [e for e in events if e["event"] == "key"]
        self.assertEqual(plain(shown[-1]["fingerprint"]), made)

    def test_a_second_key_needs_to_be_asked_for(self):
        made = self.print_of(self.terrence, self.t)
        self.terrence.refused("key", "generate", self.t)
        self.terrence.command("key", "show", self.t)
        self.assertEqual(self.print_of(self.terrence, self.t), made)
        self.terrence.command("key", "generate", self.t, "replace=yes")
        self.assertNotEqual(self.print_of(self.terrence, self.t), made)

    def test_no_key_means_no_private_conversation(self):
        cli, jid = self.start_person("newcomer")
        self.befriend(cli, jid, self.sally, self.s)
        cli.refused("key", "show", jid)
        cli.refused("otr", "start", jid, self.s)


class VerifyTest(TwoPeople):
    def test_a_conversation_started_by_either_side_is_unverified(self):
        ours, theirs = self.start_private()
        self.assertEqual(plain(ours["fingerprint"]),
                         self.print_of(self.sally, self.s))
        self.assertEqual(plain(theirs["fingerprint"]),
                         self.print_of(self.terrence, self.t))
        self.terrence_says("unverified, one way", "unverified")
        self.sally_says("unverified, the other way", "unverified")
        self.assert_server_never_saw("unverified, one way",
                                     "unverified, the other way")

    def test_the_contact_may_start_it(self):
        self.sally.command("otr", "start", self.s, self.t)
        self.wait_both("unverified")
        self.terrence_says("the other side began", "unverified")
        self.assert_server_never_saw("the other side began")

    def test_a_fingerprint_may_be_typed_in_any_shape(self):
        self.start_private()
        made = self.print_of(self.sally, self.s)
        self.terrence.command("verify", "fingerprint", self.t, self.s,
                              *grouped(made).lower().split())
        self.terrence.otr_state(self.t, self.s, "verified")
        for shape in (made, made.lower(), grouped(made),
                      "  ".join(made[i:i + 4] for i in range(0, 40, 4)),
                      ":".join(made[i:i + 2] for i in range(0, 40, 2))):
            self.terrence.command("distrust", self.t, self.s)
            since = self.terrence.mark()
            self.terrence.command("verify", "fingerprint", self.t, self.s,
                                  shape)
            self.terrence.otr_state(self.t, self.s, "verified", since)

    def test_a_wrong_fingerprint_is_an_error_and_changes_nothing(self):
        self.start_private()
        made = self.print_of(self.sally, self.s)
        since = self.terrence.mark()
        for typed in (altered(made), made[:-1], made + "0", "not hex", "",
                      self.print_of(self.terrence, self.t)):
            self.terrence.refused("verify", "fingerprint", self.t, self.s,
                                  typed)
        self.assertEqual(
            self.terrence.seen("otr", since, state="verified"), [])
        self.terrence_says("still not verified", "unverified")
        self.terrence = self.restart_cli(self.terrence)
        keys = [key for key in self.terrence.show("keys", self.t)
                if key.get("jid") == self.s]
        self.assertEqual([key.get("verified") for key in keys], [False])

    def test_verifying_is_one_sided(self):
        self.start_private()
        self.terrence.command("verify", "fingerprint", self.t, self.s,
                              self.print_of(self.sally, self.s))
        self.terrence.otr_state(self.t, self.s, "verified")
        self.sally_says("she is verified for him", "verified")
        self.terrence_says("he is not for her", "unverified")
        self.sally.command("verify", "fingerprint", self.s, self.t,
                           self.print_of(self.terrence, self.t))
        self.sally.otr_state(self.s, self.t, "verified")
        self.terrence_says("now he is", "verified")
        self.assert_server_never_saw("she is verified for him",
                                     "he is not for her", "now he is")

    def test_what_was_received_unverified_stays_marked_so(self):
        self.start_private()
        self.sally_says("before the check", "unverified")
        self.verify_both()
        self.sally_says("after the check", "verified")
        marks = {m["text"]: m["security"]
                 for m in self.terrence.show("chat", self.t, self.s)
                 if "id" in m}
        self.assertEqual(marks["before the check"], "unverified")
        self.assertEqual(marks["after the check"], "verified")

    def test_question_and_secret_answer_with_a_clear_error(self):
        self.start_private()
        for words in (("question", self.t, self.s, "question=q", "answer=a"),
                      ("secret", self.t, self.s, "secret=s"),
                      ("answer", self.t, self.s, "secret=s"),
                      ("abort", self.t, self.s)):
            self.assertGreater(
                len(self.terrence.refused("verify", *words)), 10)


class CourseTest(TwoPeople):
    def test_an_end_is_seen_as_finished_and_nothing_slips_out(self):
        self.start_private()
        self.terrence.command("otr", "end", self.t, self.s)
        self.terrence.otr_state(self.t, self.s, "plaintext")
        self.sally.otr_state(self.s, self.t, "finished")
        self.sally.attempt("send", self.s, self.t, "she did not notice")
        # A mark that passes after it: she ends it too, then it is in clear.
        self.sally.command("otr", "end", self.s, self.t)
        self.sally.otr_state(self.s, self.t, "plaintext")
        self.sally_says("in the clear, on purpose", "plaintext")
        self.assert_server_never_saw("she did not notice")
        self.assertNotEqual(
            self.server.places_of("in the clear, on purpose"), [])

    def test_a_refresh_changes_nothing_that_is_seen(self):
        self.start_private()
        self.verify_both()
        for count in range(3):
            self.terrence.command("otr", "refresh", self.t, self.s)
            self.terrence_says(f"after refresh, there {count}", "verified")
            self.sally_says(f"after refresh, back {count}", "verified")
        self.assert_server_never_saw("after refresh, ")

    def test_refresh_without_a_session_is_refused(self):
        self.terrence.refused("otr", "refresh", self.t, self.s)

    def test_it_can_be_ended_and_started_again_many_times(self):
        for count in range(4):
            since = (self.terrence.mark(), self.sally.mark())
            self.terrence.command("otr", "start", self.t, self.s)
            self.wait_both("unverified", since)
            self.terrence_says(f"round {count}", "unverified")
            self.sally_says(f"answer {count}", "unverified")
            since = (self.terrence.mark(), self.sally.mark())
            self.terrence.command("otr", "end", self.t, self.s)
            self.sally.otr_state(self.s, self.t, "finished", since[1])
            self.sally.command("otr", "end", self.s, self.t)
        self.assert_server_never_saw("round ", "answer ")

    def test_verified_again_by_itself_after_a_restart_of_both(self):
        self.start_private()
        self.verify_both()
        self.restart_both()
        self.terrence.command("otr", "start", self.t, self.s)
        self.wait_both("verified")
        self.assertEqual(self.terrence.seen("otr", state="unverified"), [])
        self.terrence_says("verified, after the restart", "verified")
        self.sally_says("and back again", "verified")
        self.assert_server_never_saw("after the restart", "and back again")

    def test_what_was_private_stays_private_after_a_restart(self):
        self.start_private()
        self.verify_both()
        self.restart_both()
        self.terrence_says("nobody said start", "verified")
        self.assert_server_never_saw("nobody said start")

    def test_the_other_side_restarts_alone(self):
        self.start_private()
        self.verify_both()
        self.sally = self.restart_cli(self.sally, kill=True)
        since = self.terrence.mark()
        self.sally.connect(self.s)
        self.terrence.wait_event("roster", since=since, account=self.t,
                                 jid=self.s, presence="available")
        self.sally.command("otr", "start", self.s, self.t)
        self.sally.otr_state(self.s, self.t, "verified")
        self.sally_says("back from a crash", "verified")
        self.terrence_says("welcome back", "verified")
        self.assert_server_never_saw("back from a crash", "welcome back")

    def test_a_changed_key_blocks_until_the_user_acts(self):
        self.start_private()
        self.verify_both()
        self.assertEqual(self.sally.close(), 0)
        other = self.start_cli("sally-on-another-device")
        other.add_account(self.server, "sally", "sally-password")
        other.command("key", "generate", self.s)
        since = self.terrence.mark()
        other.connect(self.s)
        self.terrence.wait_event("roster", since=since, account=self.t,
                                 jid=self.s, presence="available")
        since = self.terrence.mark()
        other.command("otr", "start", self.s, self.t)
        other.otr_state(self.s, self.t, "unverified")
        event = self.terrence.otr_state(self.t, self.s, "unverified", since)
        new_print = self.print_of(other, self.s)
        self.assertEqual(plain(event["fingerprint"]), new_print)
        self.terrence.attempt("send", self.t, self.s, "for the old key only")
        # What comes back after it shows that it had time to pass.
        other.command("send", self.s, self.t, "it is me, really")
        self.terrence.received(self.t, self.s, "it is me, really")
        self.assertEqual(other.seen("message", text="for the old key only"),
                         [])
        waiting = [m for m in self.terrence.show("chat", self.t, self.s)
                   if m["text"] == "for the old key only"]
        self.assertEqual([m["state"] for m in waiting], ["queued"])
        self.terrence.command("verify", "fingerprint", self.t, self.s,
                              new_print)
        other.received(self.s, self.t, "for the old key only")
        self.assert_server_never_saw("for the old key only",
                                     "it is me, really")


if __name__ == "__main__":
    unittest.main()
