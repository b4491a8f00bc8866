"""The demo: Terrence and Sally become contacts and talk privately.

Goes through every step, S1 to S42, of the how-to that Sotto follows, with two
sotto-cli and a private Prosody on loopback, and prints what was typed and what
each side saw. The window's menus and buttons are commands here.
"""

import sys
import tempfile
import time
from pathlib import Path

TOP = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(TOP / "tests" / "e2e"))

from prosody import ProsodyServer  # noqa: E402
from sotto_cli import SottoCli, quoted  # noqa: E402

PADLOCK = {
    "plaintext": "open: not private",
    "starting": "moving: a private conversation is being started",
    "timed_out": "broken: no answer came",
    "unverified": "closed, with a warning triangle: private, NOT verified",
    "verified": "closed: private and verified",
    "finished": "its own shape: the contact has ended it",
}
SECRETS = ("password=",)


def grouped(fingerprint):
    digits = fingerprint.replace(" ", "").upper()
    return " ".join(digits[i:i + 8] for i in range(0, 40, 8))


class Demo:
    def __init__(self, folder, server):
        self.folder = folder
        self.server = server
        self.people = {}
        self.private_texts = []

    # Telling.

    def step(self, numbers, text):
        print(f"\n[{numbers}] {text}", flush=True)

    def type(self, who, *words):
        shown = " ".join(
            quoted(word) if not str(word).startswith(SECRETS)
            else "password=..." for word in words)
        print(f"    {who} types:  {shown}", flush=True)
        self.people[who].command(*words)

    def sees(self, who, text):
        print(f"    {who} sees:   {text}", flush=True)

    # The two.

    def start(self, who):
        cli = SottoCli(self.folder / who.lower(), who.lower() + "'s vault",
                       name=who)
        self.people[who] = cli
        return cli

    def jid(self, who):
        return who.lower() + "@localhost"

    def log_in(self, who):
        self.type(who, "connect", self.jid(who))
        event = self.people[who].wait_event("link", account=self.jid(who),
                                            state="online")
        self.sees(who, f"{event['account']} is online, over TLS")

    def add_account(self, who):
        self.server.register(who.lower(), who.lower() + "-password")
        self.type(who, "account", "add", self.jid(who),
                  f"password={who.lower()}-password", "host=127.0.0.1",
                  f"port={self.server.port}", f"ca={self.server.ca_file}")
        self.log_in(who)

    def other(self, who):
        return "Sally" if who == "Terrence" else "Terrence"

    def fingerprint(self, who):
        """What this person reads out to the other, say on the telephone."""
        cli = self.people[who]
        if not cli.seen("key"):
            cli.command("key", "show", self.jid(who))
        return grouped(cli.seen("key")[-1]["fingerprint"])

    def padlock(self, who, state, since=0):
        event = self.people[who].otr_state(
            self.jid(who), self.jid(self.other(who)), state, since)
        self.sees(who, "padlock " + PADLOCK[state])
        return event

    def roster_row(self, who, since=0, **keys):
        event = self.people[who].wait_event(
            "roster", since=since, account=self.jid(who),
            jid=self.jid(self.other(who)), **keys)
        waiting = ({"subscribe": ", Waiting for authorization",
                    "declined": ", declined"}.get(event["ask"], ""))
        group = (f" in group {event['groups'][0]!r}" if event["groups"]
                 else "")
        self.sees(who, f"row {event['name'] or event['jid']!r}{group}: "
                       f"{event['presence']}{waiting}")

    def say(self, who, text, security, private=True):
        if private:
            self.private_texts.append(text)
        self.type(who, "send", self.jid(who), self.jid(self.other(who)), text)
        reader = self.other(who)
        event = self.people[reader].received(self.jid(reader), self.jid(who),
                                             text)
        if event["security"] != security:
            raise AssertionError(f"{text!r} came as {event['security']}")
        self.sees(reader, f"{who}: {text}   ({event['security']})")

    def marks(self):
        return {who: cli.mark() for who, cli in self.people.items()}

    # The steps.

    def accounts(self):
        self.step("S2", "Two people on one server, each with an account")
        for who in ("Terrence", "Sally"):
            self.start(who)
            self.add_account(who)

    def contacts(self):
        t, s = self.jid("Terrence"), self.jid("Sally")
        terrence, sally = self.people["Terrence"], self.people["Sally"]
        self.step("S1-S7", "Terrence adds Sally; her bare name is enough")
        self.type("Terrence", "contact", "add", t, "sally", "group=Field team",
                  "name=Sally the Doer")
        self.roster_row("Terrence", ask="subscribe")
        self.step("S9, S12", "Sally is asked, and ignores it: he goes on "
                             "waiting and is told nothing")
        sally.wait_event("request", account=s, jid=t)
        self.sees("Sally", f"Authorization requested: {t}")
        self.type("Sally", "contact", "ignore", s, t)
        row = [r for r in terrence.show("roster", t) if r["jid"] == s][0]
        if row["ask"] != "subscribe":
            raise AssertionError(f"the row says {row}")
        self.sees("Terrence", "still Waiting for authorization")

        self.step("S11", "He asks anew; she denies it, and he is told: the "
                         "row stays")
        self.type("Terrence", "contact", "remove", t, s)
        terrence.wait_event("roster", account=t, jid=s,
                            subscription="remove")
        self.ask_again(sally, t, s)
        self.type("Sally", "contact", "deny", s, t)
        self.roster_row("Terrence", ask="declined")

        self.step("S10, S13", "He asks once more; she authorizes, and adds "
                              "him in turn")
        self.ask_again(sally, t, s)
        self.type("Sally", "contact", "authorize", s, t)
        self.roster_row("Terrence", subscription="to", ask="")
        self.type("Sally", "contact", "add", s, t, "name=Terrence")
        terrence.wait_event("request", account=t, jid=s)
        self.type("Terrence", "contact", "authorize", t, s)
        self.roster_row("Terrence", subscription="both",
                        presence="available")
        self.roster_row("Sally", subscription="both", presence="available")

        self.step("S8, S22-S24", "They can chat; this is not private yet, "
                                 "and says so")
        self.say("Terrence", "Hello Sally, can you read this?", "plaintext",
                 private=False)

    def ask_again(self, sally, t, s):
        since = sally.mark()
        self.type("Terrence", "contact", "add", t, "sally",
                  "group=Field team", "name=Sally the Doer")
        sally.wait_event("request", since=since, account=s, jid=t)
        self.sees("Sally", f"Authorization requested: {t}")

    def keys(self):
        self.step("S14-S21", "Each makes a key and sees its fingerprint")
        for who in ("Terrence", "Sally"):
            self.type(who, "key", "generate", self.jid(who))
            self.sees(who, "my fingerprint: " + self.fingerprint(who))

    def start_private(self, starter, state):
        since = self.marks()
        self.type(starter, "otr", "start", self.jid(starter),
                  self.jid(self.other(starter)))
        return {who: self.padlock(who, state, since[who])
                for who in ("Terrence", "Sally")}

    def end_private(self, ender):
        since = self.marks()
        other = self.other(ender)
        self.type(ender, "otr", "end", self.jid(ender), self.jid(other))
        self.padlock(ender, "plaintext", since[ender])
        self.padlock(other, "finished", since[other])
        self.type(other, "otr", "end", self.jid(other), self.jid(ender))
        self.padlock(other, "plaintext", since[other])

    def conversation(self):
        self.step("S26", "Terrence starts a private conversation")
        self.start_private("Terrence", "unverified")
        self.end_private("Terrence")
        self.step("S27-S30", "Or Sally does; either way it is unverified")
        events = self.start_private("Sally", "unverified")
        self.say("Sally", "Nobody between us reads this.", "unverified")

        self.step("S31-S33", "Both fingerprints, side by side")
        for who in ("Terrence", "Sally"):
            shown = grouped(events[who]["fingerprint"])
            self.sees(who, "mine        " + self.fingerprint(who))
            self.sees(who, "the other's " + shown)
            if shown != self.fingerprint(self.other(who)):
                raise AssertionError("the fingerprints do not agree")

    def verify(self):
        t, s = self.jid("Terrence"), self.jid("Sally")
        heard = self.fingerprint("Sally")
        self.step("S34-S36", "They compare over the telephone. A slip of the "
                             "ear is noticed:")
        wrong = heard[:-1] + ("0" if heard[-1] != "0" else "1")
        print(f"    Terrence types:  verify fingerprint {t} {s} {wrong}")
        reason = self.people["Terrence"].refused("verify", "fingerprint", t,
                                                 s, *wrong.split())
        self.sees("Terrence", "error: " + reason)
        self.step("S37-S39", "Typed right, in any case and grouping")
        since = self.marks()
        self.type("Terrence", "verify", "fingerprint", t, s,
                  *heard.lower().split())
        self.padlock("Terrence", "verified", since["Terrence"])
        self.say("Terrence", "Now I know that it is you.", "unverified")
        self.step("S40", "Sally does the same on her side")
        self.type("Sally", "verify", "fingerprint", s, t,
                  self.fingerprint("Terrence").replace(" ", ""))
        self.padlock("Sally", "verified", since["Sally"])
        self.say("Sally", "And I that it is you.", "verified")

    def afterwards(self):
        t, s = self.jid("Terrence"), self.jid("Sally")
        self.step("S41", "Both quit and start again: private and verified by "
                         "itself, with the first message (S25)")
        self.type("Terrence", "policy", t, s, "automatic")
        for who in ("Terrence", "Sally"):
            if self.people[who].close() != 0:
                # A command that was refused on purpose leaves status 1.
                if not self.people[who].seen("error"):
                    raise AssertionError(f"{who} did not end well")
            self.start(who)
        for who in ("Terrence", "Sally"):
            self.log_in(who)
        for who in ("Terrence", "Sally"):
            self.people[who].wait_event(
                "roster", account=self.jid(who),
                jid=self.jid(self.other(who)), presence="available")
        self.say("Terrence", "Straight back to business.", "verified")
        self.padlock("Terrence", "verified")
        self.padlock("Sally", "verified")

        self.step("S42", "Sally comes with another key (a new device): the "
                         "triangle is back and nothing is sent")
        self.people["Sally"].close()
        del self.people["Sally"]
        cli = SottoCli(self.folder / "sallys-new-device", "another vault",
                       name="Sally")
        self.people["Sally"] = cli
        self.add_account("Sally")
        self.type("Sally", "key", "generate", s)
        self.people["Sally"].wait_event("roster", account=s, jid=t,
                                        presence="available")
        self.start_private("Sally", "unverified")
        held_back = "This is for the Sally that I know."
        self.private_texts.append(held_back)
        self.type("Terrence", "send", t, s, held_back)
        event = self.people["Terrence"].wait_event(
            "message", account=t, jid=s, text=held_back, state="queued")
        self.sees("Terrence", f"{held_back}   ({event['state']}: not sent)")
        since = self.marks()
        self.type("Terrence", "verify", "fingerprint", t, s,
                  *self.fingerprint("Sally").split())
        self.padlock("Terrence", "verified", since["Terrence"])
        self.people["Sally"].received(s, t, held_back)
        self.sees("Sally", f"Terrence: {held_back}")

    def server_side(self):
        self.step("server", "What the server could read of all this")
        bodies = self.server.bodies()
        if not bodies:
            raise AssertionError("the tap saw nothing at all")
        encrypted = [body for body in bodies if body.startswith("?OTR")]
        clear = [body for body in bodies if not body.startswith("?OTR")]
        print(f"    {len(bodies)} message bodies passed; {len(encrypted)} "
              "are OTR, for example\n"
              f"      {max(encrypted, key=len)[:66]}...")
        print(f"    {len(clear)} in the clear: {clear}")
        if clear != ["Hello Sally, can you read this?"]:
            raise AssertionError("more than the first line was in the clear")
        for text in self.private_texts:
            places = self.server.places_of(text)
            if places:
                raise AssertionError(f"{text!r} can be read in {places}")
        print(f"    none of the {len(self.private_texts)} private texts is "
              "in its traffic, store or log")

    def run(self):
        self.accounts()
        self.contacts()
        self.keys()
        self.conversation()
        self.verify()
        self.afterwards()
        self.server_side()

    def close(self, failed):
        for cli in self.people.values():
            if failed:
                cli.print_transcript()
            cli.kill()


def main():
    began = time.monotonic()
    with (tempfile.TemporaryDirectory(prefix="sotto-demo-") as folder,
          ProsodyServer() as server):
        print(f"A private Prosody runs on 127.0.0.1:{server.port}, with a "
              "certificate made just now.")
        demo = Demo(Path(folder), server)
        failed = True
        try:
            demo.run()
            failed = False
        except AssertionError as problem:
            print(f"\nThe demo FAILED: {problem}", file=sys.stderr)
        finally:
            demo.close(failed)
    if not failed:
        print(f"\nAll steps done in {time.monotonic() - began:.0f} s; the "
              "server and all folders are gone again.")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
