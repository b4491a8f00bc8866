"""Wrong ways to start and to command sotto-cli: a clear sentence, exit
status 1, and nothing changed."""

import hashlib
import os
import random
import struct
import subprocess
import unittest

from harness import EndToEndTest
from sotto_cli import binary, refusals

MAGIC = b"SottoSF\n"


def tree_of(folder):
    """Every file below the folder with its mode and a hash of its bytes."""
    found = {}
    for path in sorted(folder.rglob("*")):
        content = path.read_bytes() if path.is_file() else b""
        found[str(path.relative_to(folder))] = (
            path.stat().st_mode, hashlib.sha256(content).hexdigest())
    return found


class Outcome:
    def __init__(self, process):
        self.status = process.returncode
        self.text = (process.stdout + process.stderr).decode(
            "utf-8", "replace")


def run(*arguments, commands=b"", pass_fds=(), user=None):
    """One run of sotto-cli with the given input, to its end."""
    return Outcome(subprocess.run(
        [binary(), *map(str, arguments)], input=commands, timeout=60,
        capture_output=True, pass_fds=pass_fds, user=user, check=False))


def run_with_passphrase(folder, passphrase, commands=b""):
    read_end, write_end = os.pipe()
    os.write(write_end, passphrase)
    os.close(write_end)
    try:
        return run("--data", folder, "--passphrase-fd", read_end,
                   commands=commands, pass_fds=(read_end,))
    finally:
        os.close(read_end)


class StartTest(EndToEndTest):
    def setUp(self):
        super().setUp()
        self.data = self.folder / "data"

    def make_folder(self, passphrase=None):
        commands = b"account add terrence@localhost password=secret\nquit\n"
        if passphrase is None:
            made = run("--data", self.data, "--no-passphrase",
                       commands=commands)
        else:
            made = run_with_passphrase(self.data, passphrase, commands)
        self.assertEqual(made.status, 0, made.text)

    def assert_refused(self, outcome, *words):
        """Status 1 and one clear sentence that has one of the words."""
        self.assertEqual(outcome.status, 1, outcome.text)
        said = outcome.text.lower()
        self.assertTrue(any(word in said for word in words),
                        f"none of {words} in: {outcome.text}")
        self.assertGreater(len(outcome.text.strip()), 20)
        self.assertNotIn("terminate called", said)

    def assert_unchanged_by(self, start, *words):
        before = tree_of(self.data)
        self.assert_refused(start(), *words)
        self.assertEqual(tree_of(self.data), before)

    def test_folder_and_files_are_for_the_owner_only(self):
        self.make_folder()
        self.assertEqual(self.data.stat().st_mode & 0o777, 0o700)
        for path in self.data.rglob("*"):
            wanted = 0o700 if path.is_dir() else 0o600
            self.assertEqual(path.stat().st_mode & 0o777, wanted, path)

    def test_the_password_is_not_on_disk_in_the_clear(self):
        self.make_folder(b"open sesame")
        for path in self.data.rglob("*"):
            if path.is_file():
                self.assertNotIn(b"secret", path.read_bytes(), path)
                self.assertNotIn(b"open sesame", path.read_bytes(), path)

    def test_bad_arguments(self):
        for arguments in ((), ("--data",), ("--no-passphrase",),
                          ("--data", self.data, "--nonsense"),
                          ("--data", self.data, "--no-passphrase", "extra"),
                          ("--data", self.data, "--passphrase-fd", "x"),
                          ("--data", self.data, "--passphrase-fd", "9999"),
                          ("--data", self.data, "--passphrase-fd", "-1"),
                          ("--data", self.data)):
            with self.subTest(arguments=arguments):
                self.assert_refused(run(*arguments), "data", "passphrase",
                                    "argument", "usage", "help")
                self.assertFalse(self.data.exists())

    def test_both_kinds_of_passphrase_at_once(self):
        self.assert_refused(
            run("--data", self.data, "--no-passphrase", "--passphrase-fd",
                "0"), "passphrase")
        self.assertFalse(self.data.exists())

    def test_wrong_passphrase(self):
        self.make_folder(b"right")
        for wrong in (b"wrong", b"", b"Right", b"right "):
            self.assert_unchanged_by(
                lambda: run_with_passphrase(self.data, wrong, b"status\n"),
                "passphrase")
        opened = run_with_passphrase(self.data, b"right", b"status\n")
        self.assertEqual(opened.status, 0, opened.text)
        self.assertIn("terrence@localhost", opened.text)

    def test_no_passphrase_where_one_is_needed(self):
        self.make_folder(b"right")
        self.assert_unchanged_by(
            lambda: run("--data", self.data, "--no-passphrase"), "passphrase")

    def test_a_passphrase_where_there_is_none(self):
        self.make_folder()
        self.assert_unchanged_by(
            lambda: run_with_passphrase(self.data, b"any"), "passphrase")

    def test_a_new_folder_needs_a_decision(self):
        self.assert_refused(run("--data", self.data), "passphrase")
        self.assertFalse(self.data.exists())

    def test_a_folder_in_use(self):
        cli = self.start_cli("data")
        cli.command("account", "add", "terrence@localhost", "password=x")
        self.assert_unchanged_by(
            lambda: run("--data", self.data, "--no-passphrase"),
            "in use", "already", "another")
        cli.command("account", "add", "sally@localhost", "password=x")
        self.assertEqual(cli.close(), 0)

    def test_a_folder_that_cannot_be_written(self):
        self.make_folder()
        for path in [*self.data.rglob("*"), self.data]:
            path.chmod(0o500 if path.is_dir() else 0o400)
        self.folder.chmod(0o755)
        if os.geteuid() == 0:
            for path in [*self.data.rglob("*"), self.data]:
                os.chown(path, 65534, -1)
            user = 65534
        else:
            user = None
        self.assert_unchanged_by(
            lambda: run("--data", self.data, "--no-passphrase", user=user),
            "permission", "write", "read-only", "denied")
        self.assert_refused(
            run("--data", self.data / "inside", "--no-passphrase", user=user),
            "permission", "write", "denied")

    def test_a_folder_that_is_a_file(self):
        self.data.write_text("not a folder")
        self.assert_refused(run("--data", self.data, "--no-passphrase"),
                            "folder", "directory", "file")
        self.assertEqual(self.data.read_text(), "not a folder")

    def sealed_files(self):
        return [path for path in self.data.rglob("*")
                if path.is_file() and path.read_bytes()[:8] == MAGIC]

    def test_a_folder_from_a_newer_version(self):
        for offset, form in ((8, "<H"), (16, "<I")):
            for passphrase in (None, b"right"):
                with self.subTest(offset=offset, passphrase=passphrase):
                    self.data = self.folder / f"data{offset}{passphrase}"
                    self.make_folder(passphrase)
                    self.make_newer(offset, form)
                    self.assert_unchanged_by(
                        lambda: run("--data", self.data, "--no-passphrase")
                        if passphrase is None
                        else run_with_passphrase(self.data, passphrase),
                        "newer")

    def make_newer(self, offset, form):
        """Raises a version in the sealed file's header, checksum and all."""
        paths = self.sealed_files()
        self.assertEqual(len(paths), 1, paths)
        image = bytearray(paths[0].read_bytes())
        version = struct.unpack_from(form, image, offset)[0]
        struct.pack_into(form, image, offset, version + 1)
        content = bytes(image[:-16])
        checksum = hashlib.blake2b(content, digest_size=16).digest()
        paths[0].write_bytes(content + checksum)

    def test_damaged_files_are_refused_and_left_alone(self):
        self.make_folder(b"right")
        generator = random.Random(7)
        whole = {path: path.read_bytes() for path in self.data.rglob("*")
                 if path.is_file()}
        for path, content in whole.items():
            if not content:
                continue
            for damage in ("cut", "flip"):
                at = generator.randrange(len(content))
                bad = (content[:at] if damage == "cut" else
                       content[:at] + bytes([content[at] ^ 1])
                       + content[at + 1:])
                path.write_bytes(bad)
                before = path.read_bytes()
                outcome = run_with_passphrase(self.data, b"right", b"status\n")
                self.assertIn(outcome.status, (0, 1), outcome.text)
                if outcome.status == 1:
                    self.assertGreater(len(outcome.text.strip()), 20)
                if path in self.sealed_files() or content[:8] == MAGIC:
                    self.assertEqual(outcome.status, 1, outcome.text)
                    self.assertEqual(path.read_bytes(), before)
                path.write_bytes(content)
        opened = run_with_passphrase(self.data, b"right", b"status\n")
        self.assertEqual(opened.status, 0, opened.text)


class CommandTest(EndToEndTest):
    def setUp(self):
        super().setUp()
        self.cli = self.start_cli("data")
        self.jid = "terrence@localhost"
        self.cli.command("account", "add", self.jid, "password=pw")

    def assert_sentence(self, line):
        """The line is refused with a sentence, and the program lives on."""
        events = self.cli.attempt_line(line)
        errors = refusals(events)
        self.assertEqual(len(errors), 1, (line[:80], events))
        self.assertGreater(len(errors[0]["reason"]), 10, errors)
        self.assertIn("command", errors[0])
        self.assertLess(len(errors[0]["reason"]), 2000)
        return errors[0]

    def test_commands_that_are_none(self):
        for line in ("frobnicate", "account", "account frob x", "contact",
                     "contact add", f"contact add {self.jid}", "otr",
                     f"otr start {self.jid}", "otr wiggle a@b c@d", "policy",
                     f"policy {self.jid} sometimes", "verify",
                     f"verify fingerprint {self.jid}",
                     f"verify fingerprint {self.jid} sally", "key",
                     f"key explode {self.jid}", "send", f"send {self.jid}",
                     f"send {self.jid} sally", "show", "show everything",
                     "set", "set handshake-timeout=", "set frob=1",
                     "set handshake-timeout=-3", "connect", "disconnect",
                     "wait", "distrust", "key generate", "STATUS now"):
            with self.subTest(line=line):
                self.assert_sentence(line)
        self.assert_alive()

    def test_accounts_that_are_unknown(self):
        who = "nobody@localhost"
        for line in (f"connect {who}", f"disconnect {who}",
                     f"account remove {who}", f"contact add {who} sally",
                     f"contact remove {who} sally@localhost",
                     f"contact authorize {who} sally@localhost",
                     f"key generate {who}", f"key show {who}",
                     f"send {who} sally@localhost hello",
                     f"otr start {who} sally@localhost",
                     f"policy {who} never",
                     f"verify fingerprint {who} sally@localhost " + "A" * 40,
                     f"distrust {who} sally@localhost"):
            with self.subTest(line=line):
                self.assertIn(who, self.assert_sentence(line)["reason"])
        self.assert_alive()

    def test_addresses_that_are_none(self):
        for jid in ("", "@", "@localhost", "a@", "a b@localhost", "a@b@c",
                    "terrence@local host", "a\u0000b", "x" * 1100 + "@a",
                    "a@" + "b" * 1100, "a@-", "<a>@b"):
            with self.subTest(jid=jid[:40]):
                self.assert_sentence(f'account add "{jid}" password=x')
        self.assert_alive()

    def test_settings_that_make_no_sense(self):
        for setting in ("port=0", "port=65536", "port=abc", "port=-1",
                        "port=", "pin=123",
                        "pin=" + "g" * 64, "plain=perhaps", "frob=1"):
            with self.subTest(setting=setting):
                self.assert_sentence(
                    f"account add sally@localhost password=x {setting}")
                self.assertIsNone(self.cli.status("sally@localhost"))
        self.assert_sentence("account add sally@localhost")

    def test_errors_name_no_secret(self):
        for line in ("account add sally@localhost password=hunter2 port=x",
                     "account add @ password=hunter2",
                     "account add sally@localhost password= hunter2",
                     "account add sally@localhost Password=hunter2",
                     "account add sally@localhost pasword=hunter2",
                     "account add sally@localhost hunter2",
                     "account frob x password=hunter2",
                     "frobnicate password=hunter2",
                     'account add a@b password=hunter2 "',
                     f"verify secret {self.jid} sally@localhost "
                     "secret=hunter2",
                     f"verify question {self.jid} sally@localhost "
                     "question=q answer=hunter2",
                     f"verify answer {self.jid} sally@localhost "
                     "secret=hunter2",
                     "send nobody@localhost a@b hunter2"):
            with self.subTest(line=line):
                self.assertNotIn("hunter2", str(self.assert_sentence(line)))

    def test_quotes_and_odd_bytes(self):
        for line in ('send "' + self.jid, "status 'x", 'account add "a@b',
                     '"', '"""', 'contact add x "y'):
            with self.subTest(line=line):
                self.assert_sentence(line)
        generator = random.Random(11)
        for count in range(200):
            junk = bytes(generator.randrange(256) for _ in
                         range(generator.randrange(1, 300)))
            self.cli.send_bytes(junk.replace(b"\n", b"") + b"\n")
        self.assert_alive()
        self.assertEqual(self.cli.noise, [], "output that is no JSON")

    def test_very_long_lines(self):
        for size in (10_000, 1_000_000, 8_000_000):
            self.assert_sentence("x" * size)
        self.assert_sentence(f"send {self.jid} " + "y" * 1_000_000)
        self.assert_alive()

    def test_empty_lines_and_spaces_are_nothing(self):
        for line in ("", "   ", "\t"):
            events = self.cli.attempt_line(line)
            self.assertEqual({e["event"] for e in events}, {"status"})

    def assert_alive(self):
        self.assertTrue(self.cli.running())
        self.assertIsNotNone(self.cli.status(self.jid))
        self.cli = self.restart_after_errors()
        self.assertIsNotNone(self.cli.status(self.jid))

    def restart_after_errors(self):
        self.assertEqual(self.cli.close(), 1)
        return self.start_cli("data")


class ExitStatusTest(EndToEndTest):
    def run_script(self, *lines):
        cli = self.start_cli("data")
        return cli.run_script(lines), cli

    def test_all_well_is_0(self):
        status, _ = self.run_script("status", "help", "quit")
        self.assertEqual(status, 0)

    def test_the_end_of_the_input_is_a_quit(self):
        status, cli = self.run_script("status")
        self.assertEqual(status, 0)
        self.assertEqual(len(cli.seen("status")), 1)

    def test_a_failed_command_is_1_but_the_rest_is_done(self):
        status, cli = self.run_script("frobnicate", "status", "quit")
        self.assertEqual(status, 1)
        self.assertEqual(len(cli.seen("status")), 1)

    def test_a_wait_that_fails_is_1(self):
        status, cli = self.run_script(
            "wait link state=online timeout=1", "quit")
        self.assertEqual(status, 1)
        self.assertEqual(len(cli.seen("error")), 1)

    def test_wait_looks_at_events_from_the_start_and_matches_all_keys(self):
        jid = self.server.register("terrence", "pw")
        status, cli = self.run_script(
            f"account add {jid} password=pw host=127.0.0.1 "
            f"port={self.server.port} ca={self.server.ca_file}",
            f"connect {jid}",
            f"wait link account={jid} state=online timeout=20",
            f"wait link state=online account={jid} timeout=1",
            f"key generate {jid}", f"wait key account={jid} timeout=1",
            "quit")
        self.assertEqual(status, 0, cli.seen("error"))
        again = self.start_cli("data")
        self.assertEqual(again.run_script(
            [f"wait link account={jid} state=online timeout=1"]), 1)

    def test_a_whole_conversation_is_one_script(self):
        for who in ("terrence", "sally"):
            self.server.register(who, "pw")
        setup = [f"host=127.0.0.1 port={self.server.port} "
                 f"ca={self.server.ca_file}"]
        terrence = self.start_cli("terrence")
        sally = self.start_cli("sally")
        for line in (
                f"account add sally@localhost password=pw {setup[0]}",
                "key generate sally@localhost", "connect sally@localhost",
                "wait request jid=terrence@localhost",
                "contact authorize sally@localhost terrence@localhost",
                "contact add sally@localhost terrence@localhost",
                "wait message text=bye security=unverified"):
            sally.send_line(line)
        sally.close_input()
        self.assertEqual(terrence.run_script([
            f"account add terrence@localhost password=pw {setup[0]}",
            "key generate terrence@localhost", "connect terrence@localhost",
            "wait link state=online",
            "contact add terrence@localhost sally",
            "wait request jid=sally@localhost",
            "contact authorize terrence@localhost sally@localhost",
            "wait roster jid=sally@localhost presence=available",
            "otr start terrence@localhost sally@localhost",
            "wait otr state=unverified",
            "send terrence@localhost sally@localhost bye",
            "wait message text=bye state=sent", "quit"]), 0)
        self.assertEqual(sally.wait_exit(), 0)


if __name__ == "__main__":
    unittest.main()
