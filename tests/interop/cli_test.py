"""The program `sillok` and kcat understand each other: each reads the lines that the other wrote."""

import os

import harness
from harness import CODECS, check, check_equal, run, say
from sillok_server import server

LINES = [b"line %d %s" % (i, b"." * (i % 200)) for i in range(20_000)]


class Program:
    """The command line against one broker."""

    def __init__(self, address):
        path = os.environ.get("SILLOK_CLI", os.path.join(harness.HERE, "../../build/release/bin/sillok"))
        if not os.access(path, os.X_OK):
            raise harness.Skip(f"{path} is not built")
        self.path = path
        self.brokers = ["--brokers", address]

    def __call__(self, *words, stdin=None, check_exit=True):
        return run([self.path, *words, *self.brokers], stdin, check_exit=check_exit)


def check_topics(sillok):
    sillok("topic", "create", "listed", "--partitions", "3", "--config", "retention.ms=123456789")
    check(b"listed" in sillok("topic", "list").stdout, "sillok topic list does not name the topic")
    described = sillok("topic", "describe", "listed").stdout.decode()
    check("partitions 3" in described and "123456789" in described, f"sillok topic describe:\n{described}")
    check(sillok("topic", "create", "listed", check_exit=False).returncode == 1, "created a topic that was there")
    sillok("topic", "delete", "listed", "--yes")
    check(b"listed" not in sillok("topic", "list").stdout, "a deleted topic is still listed")
    check(sillok("topic", "describe", "listed", check_exit=False).returncode == 1, "described a deleted topic")
    check(sillok("topic", "explode", check_exit=False).returncode == 2, "an unknown verb is a usage error")


def test(folder):
    kcat = harness.tool("kcat")
    text = b"".join(line + b"\n" for line in LINES)
    with server(folder) as broker:
        sillok = Program(broker.address)
        check_topics(sillok)
        say("topics: created, listed, described, deleted")
        read = [kcat, "-C", "-e", "-q", "-o", "beginning", "-b", broker.address, "-t"]
        for codec in CODECS:
            sillok("topic", "create", f"ours-{codec}")
            sillok("produce", f"ours-{codec}", "-z", codec, stdin=text)
            check_equal(run([*read, f"ours-{codec}"]).stdout, text, f"sillok's {codec} read by kcat")
            run([kcat, "-P", "-l", "-z", codec, "-b", broker.address, "-t", f"theirs-{codec}"], text)
            check_equal(sillok("consume", f"theirs-{codec}", "-e").stdout, text, f"kcat's {codec} read by sillok")
            check_equal(sillok("consume", f"ours-{codec}", "-o", "-2", "-e", "-f", "%o %v|").stdout,
                        b"".join(b"%d %s|" % (i, LINES[i]) for i in (len(LINES) - 2, len(LINES) - 1)), "last two")
            say(f"{len(LINES)} lines through {codec}, both ways: equal")
        broker.check_running()


harness.main(test)
