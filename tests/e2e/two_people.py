"""Terrence and Sally: contacts, online, each with a key."""

from harness import EndToEndTest


def plain(fingerprint):
    return fingerprint.replace(" ", "").upper()


class TwoPeople(EndToEndTest):
    """Both are contacts, online, and have a key."""

    def setUp(self):
        super().setUp()
        self.terrence, self.t = self.start_person("terrence", key=True)
        self.sally, self.s = self.start_person("sally", key=True)
        self.befriend(self.terrence, self.t, self.sally, self.s)

    def print_of(self, cli, account):
        if not cli.seen("key", account=account):
            cli.command("key", "show", account)
        return plain(cli.seen("key", account=account)[-1]["fingerprint"])

    def wait_both(self, state, since=(0, 0)):
        return (self.terrence.otr_state(self.t, self.s, state, since[0]),
                self.sally.otr_state(self.s, self.t, state, since[1]))

    def start_private(self):
        self.terrence.command("otr", "start", self.t, self.s)
        return self.wait_both("unverified")

    def verify_both(self):
        self.terrence.command("verify", "fingerprint", self.t, self.s,
                              self.print_of(self.sally, self.s))
        self.terrence.otr_state(self.t, self.s, "verified")
        self.sally.command("verify", "fingerprint", self.s, self.t,
                           self.print_of(self.terrence, self.t))
        self.sally.otr_state(self.s, self.t, "verified")

    def say(self, cli, account, contact, text):
        cli.command("send", account, contact, text)

    def terrence_says(self, text, security):
        self.say(self.terrence, self.t, self.s, text)
        event = self.sally.received(self.s, self.t, text)
        self.assertEqual(event["security"], security)

    def sally_says(self, text, security):
        self.say(self.sally, self.s, self.t, text)
        event = self.terrence.received(self.t, self.s, text)
        self.assertEqual(event["security"], security)

    def restart_both(self):
        self.terrence = self.restart_cli(self.terrence)
        self.sally = self.restart_cli(self.sally)
        self.terrence.connect(self.t)
        self.sally.connect(self.s)
        for cli, own, other in ((self.terrence, self.t, self.s),
                                (self.sally, self.s, self.t)):
            cli.wait_event("roster", account=own, jid=other,
                           presence="available")
