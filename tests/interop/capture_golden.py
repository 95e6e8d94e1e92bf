"""Records what live clients and a broker say to each other, as golden bytes for the tests of protocol/.

Usage: run.sh capture_golden.py OUTPUT_FOLDER (SILLOK_INTEROP_TARGET=kafka for the frames that are checked in).

Every client runs once for each step of a cap on the advertised versions, so that each version it still has is
seen. Of one message, version and client the longest frame below a limit is kept: the one with the most to decode.
"""

import os
import sys

import harness
from golden_traffic import CLIENTS
from harness import say
from relay import Relay
from sillok_server import server

# Key, name, lowest and highest version that Sillok serves.
APIS = {0: ("Produce", 3, 13), 1: ("Fetch", 4, 18), 2: ("ListOffsets", 1, 11), 3: ("Metadata", 0, 13),
        18: ("ApiVersions", 0, 4), 19: ("CreateTopics", 2, 7), 20: ("DeleteTopics", 1, 6),
        22: ("InitProducerId", 0, 5), 23: ("OffsetForLeaderEpoch", 2, 4), 32: ("DescribeConfigs", 1, 4),
        60: ("DescribeCluster", 0, 2)}
STEPS = max(highest - lowest for _, lowest, highest in APIS.values()) + 1
# Versions that a client speaks only to a broker whose other APIs are newer than those of the same step.
LATE = {"CreateTopics": 2, "DeleteTopics": 1, "OffsetForLeaderEpoch": 3}
FRAME_SIZE_MAX = 6_000


class Capture:
    def __init__(self):
        self.client = None
        self.frames = {}  # (name, version, direction, client) -> bytes

    def keep(self, api_key, version, request, response):
        name, lowest, highest = APIS.get(api_key, (None, 0, -1))
        if not lowest <= version <= highest:
            return
        for direction, frame in (("request", request), ("response", response)):
            key = (name, version, direction, self.client.name)
            if len(self.frames.get(key, b"")) < len(frame) <= FRAME_SIZE_MAX:
                self.frames[key] = frame

    def write(self, folder, target):
        for (name, version, direction, client), frame in self.frames.items():
            made = CLIENTS[client].version
            comment = f"{made} to {target}" if direction == "request" else f"{target} to {made}"
            path = os.path.join(folder, f"{name}.v{version}.{direction}.{client}.hex")
            with open(path, "w") as file:
                file.write(f"# {comment}, whole frame\n")
                text = frame.hex()
                file.writelines(text[i:i + 64] + "\n" for i in range(0, len(text), 64))

    def missing(self):
        seen = {(name, version) for name, version, _, _ in self.frames}
        return [f"{name} {version}" for name, lowest, highest in APIS.values()
                for version in range(lowest, highest + 1) if (name, version) not in seen]


def capped(step):
    """A broker that ends, in each API, `step` versions above the lowest that Sillok serves; after the last
    step, one that is new in all but LATE."""
    def cap(api_key, lowest, highest):
        name, first, _ = APIS.get(api_key, (None, 0, 0))
        if name is None:
            return highest
        return min(highest, first + step if step < STEPS else LATE.get(name, highest))
    return cap


def test(folder):
    output = sys.argv[1]
    target = {"kafka": "Apache Kafka 4.3.1"}.get(os.environ.get("SILLOK_INTEROP_TARGET"), "Sillok")
    capture = Capture()
    broker = server(folder, {"log.retention.ms": -1})
    relay = Relay(broker.port, capture.keep)
    # Clients go where Metadata sends them: that must be the relay.
    broker.settings["advertised.listeners"] = f"PLAINTEXT://127.0.0.1:{relay.port}"
    with broker:
        for name, make in CLIENTS.items():
            capture.client = make(f"127.0.0.1:{relay.port}")
            for step in range(make.first_step, STEPS + 1):
                relay.cap = capped(step)
                capture.client.traffic(f"{name}-{step}")
            say(f"{name}: {sum(key[3] == name for key in capture.frames)} frames")
    relay.close()
    capture.write(output, target)
    say(f"{len(capture.frames)} frames; spoken by no live client: {', '.join(capture.missing()) or 'none'}")


harness.main(test)
