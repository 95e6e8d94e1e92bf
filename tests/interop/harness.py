"""What every test script shares: where the tools are, how a test skips or fails, how a command is run."""

import glob
import hashlib
import os
import random
import shutil
import subprocess
import sys
import tempfile
import time

CACHE = os.environ.get("SILLOK_CACHE", os.path.expanduser("~/.cache/sillok"))
HERE = os.path.dirname(os.path.abspath(__file__))
SKIP_CODE = 77
CODECS = ["none", "gzip", "snappy", "lz4", "zstd"]


class Failure(Exception):
    """The server, or a client against it, did something wrong."""


class Skip(Exception):
    """A tool that this test needs is not on this machine."""


def check(condition, message):
    if not condition:
        raise Failure(message)


def check_equal(actual, expected, what):
    """Like check, but shows where two long values part instead of printing both."""
    if actual == expected:
        return
    try:
        at = next(i for i, (a, b) in enumerate(zip(actual, expected)) if a != b)
    except (StopIteration, TypeError):
        at = 0
        if hasattr(actual, "__len__") and hasattr(expected, "__len__"):
            at = min(len(actual), len(expected))
    if isinstance(actual, (str, bytes, list)):
        near = slice(max(0, at - 40), at + 80) if not isinstance(actual, list) else slice(at, at + 1)
        raise Failure(f"{what}: differs at {at} (lengths {len(actual)} and {len(expected)} expected)\n"
                      f"  got      {actual[near]!r}\n  expected {expected[near]!r}")
    raise Failure(f"{what}: got {actual!r}, expected {expected!r}")


def say(message):
    print(f"[{time.strftime('%H:%M:%S')}] {message}", flush=True)


def tool(name):
    path = shutil.which(name)
    if path is None:
        raise Skip(f"{name} is not installed")
    return path


def class_path(folder):
    """Class path of one set of jars: "clients" (kafka-clients 4.4.0), "broker" (Kafka 4.3.1 with its tools) or
    "broker-4.4" (Kafka 4.4.0)."""
    tool("java")
    jars = os.path.join(CACHE, "java", folder)
    if not glob.glob(os.path.join(jars, "*.jar")):
        raise Skip(f"the Java jars '{folder}' were not served here")
    return os.path.join(jars, "*")


def java(folder, main_class, *arguments, options=(), classes=()):
    """The command line that runs a class of one set of jars and of folders of classes, silent but for errors."""
    return [tool("java"), "-Xmx512m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1",
            "-Dorg.slf4j.simpleLogger.defaultLogLevel=error", *options,
            "-cp", ":".join([*classes, class_path(folder)]), main_class, *map(str, arguments)]


def compiled_java(name, sources, folder="clients"):
    """Compiles Java sources against one set of jars, once per content, and returns the folder of their classes."""
    jars = class_path(folder)
    digest = hashlib.sha256(jars.encode())
    for source in sources:
        with open(source, "rb") as file:
            digest.update(file.read())
    classes = os.path.join(CACHE, "classes", f"{name}-{digest.hexdigest()[:16]}")
    if not os.path.isdir(classes):
        partial = f"{classes}.{os.getpid()}"
        run([tool("javac"), "-nowarn", "-d", partial, "-cp", jars, *sources])
        try:
            os.rename(partial, classes)
        except OSError:  # another test was quicker
            shutil.rmtree(partial)
    return classes


def own_java(source, *arguments, options=()):
    """The command line that runs a Java source of this folder against kafka-clients 4.4.0."""
    name = os.path.basename(source).removesuffix(".java")
    classes = compiled_java(name, [os.path.join(HERE, source)])
    return java("clients", name, *arguments, options=options, classes=[classes])


def run(command, stdin=None, timeout=300, check_exit=True, stdout=subprocess.PIPE):
    """Runs a command to its end. Bytes in (or an open file), bytes out; a failing exit code fails the test."""
    source = {"stdin": stdin} if hasattr(stdin, "fileno") else {"input": stdin or b""}
    try:
        done = subprocess.run(command, stdout=stdout, stderr=subprocess.PIPE, timeout=timeout, **source)
    except subprocess.TimeoutExpired as late:
        raise Failure(f"no end after {timeout} s: {' '.join(command)}\n"
                      f"{(late.stderr or b'').decode(errors='replace')[-2000:]}") from None
    if check_exit and done.returncode != 0:
        raise Failure(f"exit {done.returncode}: {' '.join(command)}\n"
                      f"{(done.stdout or b'').decode(errors='replace')[-2000:]}\n"
                      f"{done.stderr.decode(errors='replace')[-2000:]}")
    return done


def seeded_random():
    """A source of choices that a failed run can be repeated with: SILLOK_SEED, or any, which is printed."""
    seed = int(os.environ.get("SILLOK_SEED", random.SystemRandom().randrange(1 << 32)))
    say(f"SILLOK_SEED={seed}")
    return random.Random(seed)


def eventually(condition, what, timeout_s=30):
    """Waits for another process to reach a state that it announces in no other way."""
    deadline = time.monotonic() + timeout_s
    while time.monotonic() < deadline:
        if condition():
            return
        time.sleep(0.02)
    raise Failure(f"not within {timeout_s} s: {what}")


class Skipped:
    """Collects the parts of a test that could not run, so that one missing client does not hide the others."""

    def __init__(self):
        self.reasons = []

    def attempt(self, probe):
        """Calls probe; returns whether it got through without a Skip, whose reason is kept."""
        try:
            probe()
            return True
        except Skip as reason:
            self.reasons.append(str(reason))
            return False

    def finish(self):
        if self.reasons:
            raise Skip("the rest passed, but: " + "; ".join(self.reasons))


def main(test):
    """Runs test(folder) with a scratch folder, and ends the process as ctest understands it."""
    name = os.path.basename(sys.argv[0])
    folder = tempfile.mkdtemp(prefix="sillok-", dir=os.environ.get("SILLOK_TEST_DIR"))
    try:
        test(folder)
    except Skip as reason:
        print(f"SKIPPED {name}: {reason}", flush=True)
        shutil.rmtree(folder, ignore_errors=True)
        sys.exit(SKIP_CODE)
    except Failure as failure:
        print(f"FAILED {name}: {failure}\nfiles are left in {folder}", flush=True)
        sys.exit(1)
    shutil.rmtree(folder, ignore_errors=True)
    print(f"PASSED {name}", flush=True)
