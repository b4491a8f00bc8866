"""Terrence and Sally become contacts: S1 to S13, I5."""

import unittest

from harness import EndToEndTest


class LargeRosterTest(EndToEndTest):
    def test_ten_thousand_contacts_come_at_once(self):
        count = 10_000
        jid = self.server.register("terrence", "pw")
        self.server.write_roster("terrence", [
            (f"contact{n}@localhost", f"Contact {n}", f"Group {n % 50}")
            for n in range(count)])
        cli = self.start_cli("terrence")
        cli.add_account(self.server, "terrence", "pw")
        cli.connect(jid)
        cli.wait_event("roster", timeout=60, jid=f"contact{count - 1}@localhost")
        rows = cli.show("roster", jid)
        self.assertEqual(len(rows), count)
        self.assertEqual(
            {(row["jid"], row["name"]) for row in rows},
            {(f"contact{n}@localhost", f"Contact {n}") for n in range(count)})
        cli = self.restart_cli(cli)
        self.assertEqual(len(cli.show("roster", jid)), count)


class SubscriptionTest(EndToEndTest):
    def setUp(self):
        super().setUp()
        self.terrence, self.t = self.start_person("terrence")
        self.sally, self.s = self.start_person("sally")

    def ask(self):
        self.terrence.command("contact", "add", self.t, self.s)
        self.sally.wait_event("request", account=self.s, jid=self.t)

    def test_a_bare_name_a_group_and_a_name_are_enough(self):
        self.terrence.command("contact", "add", self.t, "sally",
                              "group=Field team", "name=Sally the Doer")
        self.terrence.wait_event("roster", account=self.t, jid=self.s,
                                 ask="subscribe", name="Sally the Doer",
                                 groups=["Field team"])
        row = self.row(self.terrence, self.t, self.s)
        self.assertEqual(row["name"], "Sally the Doer")
        self.assertEqual(row["groups"], ["Field team"])
        self.assertEqual(row["ask"], "subscribe")
        self.assertIn(row["subscription"], ("none", "from"))

    def test_the_contact_sees_the_request_and_authorizes_it(self):
        self.ask()
        self.sally.command("contact", "authorize", self.s, self.t)
        self.terrence.wait_event("roster", account=self.t, jid=self.s,
                                 subscription="to", ask="",
                                 presence="available")
        self.terrence.command("send", self.t, self.s, "are you there?")
        self.sally.received(self.s, self.t, "are you there?")

    def test_adding_back_completes_the_subscription(self):
        self.befriend(self.terrence, self.t, self.sally, self.s)
        self.sally.command("send", self.s, self.t, "I start this one")
        event = self.terrence.received(self.t, self.s, "I start this one")
        self.assertEqual(event["security"], "plaintext")

    def test_a_denied_row_stays_and_says_declined(self):
        self.ask()
        self.sally.command("contact", "deny", self.s, self.t)
        self.terrence.wait_event("roster", account=self.t, jid=self.s,
                                 ask="declined")
        row = self.row(self.terrence, self.t, self.s)
        self.assertEqual(row["ask"], "declined")
        self.terrence = self.restart_cli(self.terrence)
        self.assertEqual(self.row(self.terrence, self.t, self.s)["ask"],
                         "declined")
        self.terrence.connect(self.t)
        self.assertEqual(self.row(self.terrence, self.t, self.s)["ask"],
                         "declined")

    def test_a_declined_contact_can_be_asked_again(self):
        self.ask()
        self.sally.command("contact", "deny", self.s, self.t)
        self.terrence.wait_event("roster", account=self.t, jid=self.s,
                                 ask="declined")
        since = self.sally.mark()
        self.terrence.command("contact", "add", self.t, self.s)
        self.sally.wait_event("request", account=self.s, jid=self.t,
                              since=since)
        self.sally.command("contact", "authorize", self.s, self.t)
        self.terrence.wait_event("roster", account=self.t, jid=self.s,
                                 subscription="to", ask="")

    def test_an_ignored_sender_goes_on_waiting_and_is_told_nothing(self):
        self.ask()
        self.sally.command("contact", "ignore", self.s, self.t)
        # A message the other way is the mark: what the server passed before
        # it has arrived by then.
        self.sally.command("send", self.s, self.t, "an unrelated line")
        self.terrence.received(self.t, self.s, "an unrelated line")
        told = [entry for entry in self.server.tap("presence")
                if entry["from"].startswith(self.s + "/")
                and (entry.get("to") or "").startswith(self.t)]
        self.assertEqual(told, [])
        self.assertEqual(self.row(self.terrence, self.t, self.s)["ask"],
                         "subscribe")

    def test_there_is_nothing_to_answer_without_a_request(self):
        for answer in ("authorize", "deny", "ignore"):
            self.sally.refused("contact", answer, self.s, self.t)

    def test_a_request_waits_while_the_contact_is_away(self):
        self.sally = self.restart_cli(self.sally)
        self.terrence.command("contact", "add", self.t, self.s)
        self.sally.connect(self.s)
        self.sally.wait_event("request", account=self.s, jid=self.t)

    def test_waiting_survives_a_restart(self):
        self.ask()
        self.terrence = self.restart_cli(self.terrence)
        self.assertEqual(self.row(self.terrence, self.t, self.s)["ask"],
                         "subscribe")
        self.terrence.connect(self.t)
        self.assertEqual(self.row(self.terrence, self.t, self.s)["ask"],
                         "subscribe")
        self.sally.command("contact", "authorize", self.s, self.t)
        self.terrence.wait_event("roster", account=self.t, jid=self.s,
                                 subscription="to", ask="")

    def test_a_removed_contact_is_gone_on_both_sides(self):
        self.befriend(self.terrence, self.t, self.sally, self.s)
        since = self.sally.mark()
        self.terrence.command("contact", "remove", self.t, self.s)
        self.terrence.wait_event("roster", account=self.t, jid=self.s,
                                 subscription="remove")
        self.assertIsNone(self.row(self.terrence, self.t, self.s))
        self.sally.wait_event("roster", since=since, account=self.s,
                              jid=self.t, subscription="none")
        self.terrence = self.restart_cli(self.terrence)
        self.terrence.connect(self.t)
        self.assertIsNone(self.row(self.terrence, self.t, self.s))

    def test_presence_follows_the_contact(self):
        self.befriend(self.terrence, self.t, self.sally, self.s)
        since = self.terrence.mark()
        self.sally.command("disconnect", self.s)
        self.terrence.wait_event("roster", since=since, account=self.t,
                                 jid=self.s, presence="unavailable")
        since = self.terrence.mark()
        self.sally.connect(self.s)
        self.terrence.wait_event("roster", since=since, account=self.t,
                                 jid=self.s, presence="available")


if __name__ == "__main__":
    unittest.main()
