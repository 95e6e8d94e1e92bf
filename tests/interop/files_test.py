"""Whole files as one message each, in every codec, byte for byte (empty lines and all)."""

import glob
import os

import harness
from harness import check_equal, run, say
from sillok_server import server

FOLDER = "/usr/share/common-licenses"


def input_files():
    paths = sorted(path for path in glob.glob(FOLDER + "/*") if os.path.isfile(path) and os.path.getsize(path))
    if not paths:
        raise harness.Skip(f"no files in {FOLDER}")
    return paths


def contents(path):
    with open(path, "rb") as file:
        return file.read()


def test(folder):
    kcat = harness.tool("kcat")
    paths = input_files()
    with server(folder) as broker:
        for codec in harness.CODECS:
            topic = f"files-{codec}"
            run([kcat, "-P", "-b", broker.address, "-t", topic, "-z", codec, *paths])
            # The size before each message makes the output parseable whatever bytes a file has.
            got = run([kcat, "-C", "-e", "-q", "-o", "beginning", "-b", broker.address, "-t", topic,
                       "-f", "%o %S\\n%s"]).stdout
            expected = b"".join(b"%d %d\n%s" % (i, len(contents(path)), contents(path))
                                for i, path in enumerate(paths))
            check_equal(got, expected, f"files through {codec}")
            say(f"{len(paths)} files through {codec}: equal")
        broker.check_running()


harness.main(test)
