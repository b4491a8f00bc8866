"""A chat client nobody of this project wrote: slixmpp for XMPP, potr for OTR.

It runs as a process of its own and is driven by JSON objects, one a line:

  {"do": "add", "jid": J}            asks for a subscription
  {"do": "authorize", "jid": J}      accepts a request; "deny" refuses it
  {"do": "start", "jid": J}          asks for OTR ("?OTRv2?")
  {"do": "send", "jid": J, "text": T}  as the state wants; never waits
  {"do": "raw", "jid": J, "text": T}   this body, past OTR
  {"do": "end", "jid": J}            ends the OTR session
  {"do": "fingerprint"}              answers with `fingerprint`
  {"do": "quit"}

It reports `online`, `failed`, `request`, `subscribed`, `unsubscribed`,
`presence`, `body` (every body that comes), `message` (text, encrypted),
`otr` (state, fingerprint), `fingerprint`, `error`.
"""

import argparse
import asyncio
import json
import logging
import sys

import potr
import slixmpp

import potr_repair  # noqa: F401 (repairs potr)

STATES = {
    potr.context.STATE_PLAINTEXT: "plaintext",
    potr.context.STATE_ENCRYPTED: "encrypted",
    potr.context.STATE_FINISHED: "finished",
}


def report(event, **fields):
    print(json.dumps({"event": event, **fields}), flush=True)


class OtrContext(potr.context.Context):
    def getPolicy(self, key):
        return key == "ALLOW_V2"

    def inject(self, msg, appdata=None):
        self.user.send_body(self.peer, msg)

    def setState(self, newstate):
        super().setState(newstate)
        key = self.getCurrentKey()
        report("otr", jid=self.peer, state=STATES[newstate],
               fingerprint=key.cfingerprint().upper() if key else None)


class OtrAccount(potr.context.Account):
    contextclass = OtrContext

    def __init__(self, jid, send_body):
        super().__init__(jid, "xmpp", 0)
        self._send_body = send_body

    def send_body(self, peer, body):
        self._send_body(peer, bytes(body).decode())

    def loadPrivkey(self):
        return None

    def savePrivkey(self):
        pass

    def saveTrusts(self):
        pass


class Bot(slixmpp.ClientXMPP):
    def __init__(self, jid, password, ca_file, otr):
        super().__init__(jid, password)
        self.ca_certs = ca_file
        self.use_ipv6 = False
        self.auto_authorize = None
        self.auto_subscribe = False
        self.otr = OtrAccount(jid, self.send_body) if otr else None
        # The address to answer to: OTR sessions stand with one client of the
        # contact, so its full JID once one is known.
        self.full_jids = {}
        self.add_event_handler("session_start", self.on_start)
        self.add_event_handler("failed_auth", lambda _: report("failed"))
        self.add_event_handler("message", self.on_message)
        for kind in ("presence_subscribe", "presence_subscribed",
                     "presence_unsubscribed", "presence_available",
                     "presence_unavailable"):
            self.add_event_handler(kind, self.on_presence)

    async def on_start(self, _):
        await self.get_roster()
        self.send_presence()
        if self.otr:
            self.otr.getPrivkey()
        report("online", jid=self.boundjid.full)

    def on_presence(self, presence):
        names = {"subscribe": "request", "subscribed": "subscribed",
                 "unsubscribed": "unsubscribed"}
        kind = presence["type"]
        sender = presence["from"].bare
        if (kind == "unavailable"
                and self.full_jids.get(sender) == presence["from"].full):
            del self.full_jids[sender]
        if sender != self.boundjid.bare:
            report(names.get(kind, "presence"), jid=sender, type=kind,
                   text=presence["status"])

    def send_body(self, peer, body):
        self.send_message(mto=self.full_jids.get(peer, peer), mbody=body,
                          mtype="chat")

    def on_message(self, message):
        sender = message["from"].bare
        body = message["body"]
        report("body", jid=sender, type=message["type"], text=body)
        if message["type"] == "error" or not body:
            return
        self.full_jids[sender] = message["from"].full
        if self.otr is None:
            return
        context = self.otr.getContext(sender)
        try:
            text, _ = context.receiveMessage(body.encode())
            if text is not None:
                report("message", jid=sender, encrypted=True,
                       text=text.decode())
        except potr.context.NotOTRMessage:
            report("message", jid=sender, encrypted=False, text=body)
        except potr.context.UnencryptedMessage:
            report("message", jid=sender, encrypted=False, text=body)
        except Exception as problem:  # the bot reports and goes on
            report("error", jid=sender, reason=repr(problem))

    def send_text(self, jid, text):
        if self.otr is None:
            self.send_body(jid, text)
            return
        out = self.otr.getContext(jid).sendMessage(
            potr.context.FRAGMENT_SEND_ALL, text.encode())
        if out is not None:
            self.send_body(jid, out.decode())

    def run_command(self, command):
        what, jid = command["do"], command.get("jid")
        if what == "add":
            self.send_presence_subscription(pto=jid, ptype="subscribe")
        elif what == "authorize":
            self.send_presence_subscription(pto=jid, ptype="subscribed")
        elif what == "deny":
            self.send_presence_subscription(pto=jid, ptype="unsubscribed")
        elif what == "start":
            self.send_body(jid, "?OTRv2?")
        elif what == "send":
            self.send_text(jid, command["text"])
        elif what == "raw":
            self.send_body(jid, command["text"])
        elif what == "end":
            self.otr.getContext(jid).disconnect()
        elif what == "fingerprint":
            print_ = self.otr.getPrivkey().cfingerprint().upper()
            report("fingerprint", fingerprint=print_)
        elif what == "quit":
            self.disconnect()
            return False
        else:
            report("error", reason=f"unknown: {what}")
        return True


async def read_commands(bot):
    loop = asyncio.get_running_loop()
    reader = asyncio.StreamReader()
    await loop.connect_read_pipe(
        lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
    while line := await reader.readline():
        try:
            if not bot.run_command(json.loads(line)):
                break
        except Exception as problem:  # the bot reports and goes on
            report("error", reason=repr(problem))
    await bot.disconnect()


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--jid", required=True)
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--ca", required=True)
    parser.add_argument("--no-otr", action="store_true")
    options = parser.parse_args()
    logging.basicConfig(level=logging.ERROR)
    password = sys.stdin.buffer.raw.readline().decode().rstrip("\n")
    bot = Bot(options.jid, password, options.ca, not options.no_otr)
    bot.connect(("127.0.0.1", options.port))
    bot.loop.run_until_complete(read_commands(bot))


if __name__ == "__main__":
    main()
