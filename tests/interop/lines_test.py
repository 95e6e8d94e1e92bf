"""The main job on lines: a log file through kcat and back, byte for byte, then some 300 MB made of it."""

import hashlib
import os
import subprocess

import harness
from harness import check, check_equal, run, say
from sillok_server import server

LOG_FILE = "/var/log/dpkg.log"
LARGE_SIZE_BYTES = int(os.environ.get("SILLOK_LARGE_BYTES", 300_000_000))


def input_lines():
    if not os.path.exists(LOG_FILE):
        raise harness.Skip(f"{LOG_FILE} is not there")
    with open(LOG_FILE, "rb") as file:
        # kcat sends nothing for an empty line.
        return [line for line in file.read().split(b"\n") if line]


def produce(kcat, broker, topic, path, *options):
    with open(path, "rb") as source:
        run([kcat, "-P", "-b", broker.address, "-t", topic, *options], stdin=source, timeout=600)


def hash_of_topic(kcat, broker, topic):
    """SHA-256 and size of all that a consumer gets, without holding it in memory."""
    reader = subprocess.Popen([kcat, "-C", "-e", "-q", "-o", "beginning", "-b", broker.address, "-t", topic],
                              stdout=subprocess.PIPE)
    digest, size = hashlib.sha256(), 0
    while piece := reader.stdout.read(1 << 20):
        digest.update(piece)
        size += len(piece)
    check(reader.wait() == 0, f"kcat -C of {topic} ended with {reader.returncode}")
    return digest.hexdigest(), size


def write_large(path, lines):
    digest, size, sequence = hashlib.sha256(), 0, 0
    with open(path, "wb") as file:
        while size < LARGE_SIZE_BYTES:
            piece = b"".join(b"%d %d %s\n" % (sequence, i, line) for i, line in enumerate(lines))
            file.write(piece)
            digest.update(piece)
            size += len(piece)
            sequence += 1
    return digest.hexdigest(), size


def test(folder):
    kcat = harness.tool("kcat")
    lines = input_lines()
    small, large = os.path.join(folder, "small"), os.path.join(folder, "large")
    expected = b"".join(line + b"\n" for line in lines)
    with open(small, "wb") as file:
        file.write(expected)
    large_hash = write_large(large, lines)

    with server(folder) as broker:
        for codec in harness.CODECS:
            topic = f"lines-{codec}"
            produce(kcat, broker, topic, small, "-l", "-z", codec)
            got = run([kcat, "-C", "-e", "-q", "-o", "beginning", "-b", broker.address, "-t", topic]).stdout
            check_equal(got, expected, f"{LOG_FILE} through {codec}")
            say(f"{len(lines)} lines through {codec}: equal")
        for codec in ["none", "lz4"]:
            topic = f"large-{codec}"
            produce(kcat, broker, topic, large, "-l", "-z", codec)
            check_equal(hash_of_topic(kcat, broker, topic), large_hash, f"{large_hash[1]} bytes through {codec}")
            say(f"{large_hash[1]} bytes through {codec}: equal")
        broker.check_running()


harness.main(test)
