"""The server goes away and comes back, refuses, or is not who it should be."""

import unittest

from harness import EndToEndTest
from prosody import certificate_sha256, free_port
from two_people import TwoPeople


class ServerPlugTest(TwoPeople):
    def lose_and_return(self, end):
        since = (self.terrence.mark(), self.sally.mark())
        end()
        self.terrence.wait_event("link", since=since[0], account=self.t,
                                 state="waiting")
        self.sally.wait_event("link", since=since[1], account=self.s,
                              state="waiting")
        since = (self.terrence.mark(), self.sally.mark())
        self.server.start()
        for cli, own, other, place in (
                (self.terrence, self.t, self.s, since[0]),
                (self.sally, self.s, self.t, since[1])):
            cli.wait_event("link", timeout=90, since=place, account=own,
                           state="online")
            cli.wait_event("roster", since=place, account=own, jid=other,
                           presence="available")

    def test_back_online_by_itself_after_the_server_was_killed(self):
        self.lose_and_return(self.server.kill)
        self.terrence_says("after the power cut", "plaintext")
        self.sally_says("indeed", "plaintext")

    def test_back_online_by_itself_after_the_server_was_stopped(self):
        self.lose_and_return(self.server.stop)
        self.terrence_says("after the maintenance", "plaintext")

    def test_what_was_private_goes_on_privately_after_the_cut(self):
        self.start_private()
        self.verify_both()
        self.terrence_says("before the cut", "verified")
        self.lose_and_return(self.server.kill)
        self.terrence_says("after the cut", "verified")
        self.sally_says("after the cut too", "verified")
        self.assert_server_never_saw("before the cut", "after the cut")

    def test_disconnect_stays_disconnected(self):
        self.terrence.command("disconnect", self.t)
        self.terrence.wait_event("link", account=self.t, state="offline")
        since = self.terrence.mark()
        self.server.restart()
        self.sally.wait_event("link", account=self.s, state="waiting")
        since_sally = self.sally.mark()
        self.sally.wait_event("link", account=self.s, state="online",
                              since=since_sally, timeout=90)
        self.assertEqual(self.terrence.seen("link", since), [])


class RefusedLinkTest(EndToEndTest):
    def setUp(self):
        super().setUp()
        self.cli = self.start_cli("terrence")

    def error_of(self, account, state):
        event = self.cli.wait_event("link", account=account, state=state)
        self.assertGreater(len(event.get("error", "")), 10, event)
        return event["error"]

    def test_a_dead_port_is_said_and_tried_again(self):
        jid = self.cli.add_account(self.server, "terrence", "pw",
                                   port=free_port())
        self.cli.attempt("connect", jid)
        self.error_of(jid, "waiting")

    def test_a_ca_file_that_cannot_be_used_is_named(self):
        empty = self.folder / "empty.crt"
        empty.touch()
        for path in ("/does/not/exist", str(empty)):
            jid = self.cli.add_account(self.server, "terrence", "pw", ca=path)
            since = self.cli.mark()
            self.cli.attempt("connect", jid)
            event = self.cli.wait_for(
                lambda e: e["event"] == "link" and e.get("error"),
                "link event with an error", since=since)
            self.assertIn(path, event["error"])

    def test_a_wrong_password_fails_for_good(self):
        jid = self.cli.add_account(self.server, "terrence", "right")
        self.cli.command("account", "add", jid, "password=wrong",
                         "host=127.0.0.1", f"port={self.server.port}",
                         f"ca={self.server.ca_file}")
        self.cli.attempt("connect", jid)
        reason = self.error_of(jid, "failed")
        self.assertNotIn("wrong", reason.replace("wrong password", ""))
        self.cli.add_account(self.server, "terrence", "right")
        self.cli.connect(jid)

    def test_an_unknown_certificate_is_shown_and_can_be_pinned(self):
        jid = self.server.register("terrence", "pw")
        where = ("host=127.0.0.1", f"port={self.server.port}")
        self.cli.command("account", "add", jid, "password=pw", *where)
        self.cli.attempt("connect", jid)
        event = self.cli.wait_event("certificate", account=jid)
        sha256 = certificate_sha256(self.server.certificate)
        self.assertEqual(event["sha256"].lower().replace(":", ""), sha256)
        self.assertTrue(event["problem"])
        self.assertEqual(self.cli.seen("link", account=jid, state="online"),
                         [])
        self.cli.command("account", "add", jid, "password=pw", *where,
                         "pin=" + sha256)
        self.cli.connect(jid)

    def test_a_pin_holds_for_one_certificate_only(self):
        jid = self.server.register("terrence", "pw")
        self.cli.command("account", "add", jid, "password=pw",
                         "host=127.0.0.1", f"port={self.server.port}",
                         "pin=" + "ab" * 32)
        self.cli.attempt("connect", jid)
        self.cli.wait_event("certificate", account=jid)
        self.assertEqual(self.cli.seen("link", account=jid, state="online"),
                         [])


class WrongHostTest(EndToEndTest):
    SERVER_OPTIONS = {"certificate_names": ("elsewhere.example",)}

    def test_a_certificate_for_another_host_is_refused(self):
        cli = self.start_cli("terrence")
        jid = cli.add_account(self.server, "terrence", "pw")
        cli.attempt("connect", jid)
        cli.wait_event("certificate", account=jid)
        self.assertEqual(cli.seen("link", account=jid, state="online"), [])


class WithoutTlsTest(EndToEndTest):
    """A server that offers no STARTTLS gets no password."""

    SERVER_OPTIONS = {
        "require_encryption": False,
        "extra_config": 'modules_disabled = { "s2s"; "tls" }\n'
                        "allow_unencrypted_plain_auth = true",
    }

    def test_no_encryption_no_login(self):
        cli = self.start_cli("terrence")
        jid = cli.add_account(self.server, "terrence", "pw", plain="yes")
        cli.attempt("connect", jid)
        event = cli.wait_for(
            lambda e: e["event"] == "link" and e.get("error"),
            "link event with an error")
        self.assertIn(event["state"], ("failed", "waiting"))
        self.assertNotIn("Authenticated", self.server.log())


if __name__ == "__main__":
    unittest.main()
