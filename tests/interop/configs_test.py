"""Sillok describes every config of a topic and of a broker that Apache Kafka 4.3.1 describes, with the same type,
default, synonyms, sensitivity and read-only mark, but for the differences below, each with its reason."""

import os

import harness
from harness import check, run, say
from sillok_server import Kafka, Sillok

# What the two servers are told differently, since each needs its own.
OF_THE_TEST = {
    "broker.heartbeat.interval.ms", "broker.id", "broker.session.timeout.ms", "controller.listener.names",
    "controller.quorum.voters", "listeners", "log.dirs", "node.id", "offsets.topic.replication.factor",
    "process.roles",
}

# (resource, name): what differs, and why.
ALLOWED = {
    ("BROKER", "listener.security.protocol.map"): ("value live", "only PLAINTEXT is there, and listeners are fixed"),
    ("BROKER", "listeners"): ("live", "listeners are bound once, at the start"),
    ("BROKER", "log.dir"): ("value", "./data, so that nothing lies in /tmp by accident"),
    ("BROKER", "log.flush.interval.ms"): ("value", "a power cut costs acks=1 at most a second"),
    ("BROKER", "log.flush.offset.checkpoint.interval.ms"): ("value", "recovery after a crash is kept short"),
    ("BROKER", "max.connections"): ("value", "a bound on memory"),
    ("BROKER", "min.insync.replicas"): ("source", "Kafka's tool writes it down when it formats a directory"),
    ("BROKER", "num.io.threads"): ("value", "only reads that wait for the disk use them"),
    ("BROKER", "num.network.threads"): ("value live", "0 is one per core; connections belong to their thread"),
    ("BROKER", "queued.max.request.bytes"): ("value", "a bound on memory"),
    ("BROKER", "socket.listen.backlog.size"): ("value", "a burst of clients must not be refused"),
    ("BROKER", "socket.receive.buffer.bytes"): ("value", "the kernel chooses it better"),
    ("BROKER", "socket.send.buffer.bytes"): ("value", "measured: fewer wake-ups for consumers"),
    ("TOPIC", "flush.ms"): ("value", "as log.flush.interval.ms"),
    ("TOPIC", "min.insync.replicas"): ("source", "as of the broker"),
}


def described(broker):
    lines = run(harness.own_java("DescribeConfigs.java", broker.address, 1)).stdout.decode().splitlines()
    found = {}
    for line in lines:
        resource, name, value, kind, source, update, sensitive, synonyms = line.split("\t")
        found[resource, name] = {"value": (value, synonyms), "type": kind, "source": source, "live": update,
                                 "sensitive": sensitive}
    return found


def differences(key, ours, kafkas):
    differing = {part for part in ours if ours[part] != kafkas[part]}
    allowed = set(ALLOWED.get(key, ("", ""))[0].split())
    if "source" in allowed:
        allowed |= {"value"}  # whose synonyms tell the source, too
    if key[1] in OF_THE_TEST:
        allowed |= {"value", "source"}
    return differing, differing - allowed


def test(folder):
    with Kafka(os.path.join(folder, "kafka"), {}, ()) as kafka:
        wanted = described(kafka)
    with Sillok(os.path.join(folder, "sillok"), {}, ()) as sillok:
        found = described(sillok)
    missing = wanted.keys() - found.keys()
    check(not missing, f"not described: {sorted(missing)}")
    faults, used = [], set()
    for key, kafkas in wanted.items():
        differing, unexplained = differences(key, found[key], kafkas)
        if differing:
            used.add(key)
        faults += [f"{' '.join(key)}, {part}: {found[key][part]}, Kafka {kafkas[part]}" for part in sorted(unexplained)]
    ours = sorted(name for resource, name in found.keys() - wanted.keys()
                  if not name.startswith(("sillok.", "write.caching")))
    check(not ours, f"neither Kafka's nor ours by name: {ours}")
    check(not faults, "differences without a reason:\n" + "\n".join(faults))
    unused = ALLOWED.keys() - used
    check(not unused, f"differences that are none any more: {sorted(unused)}")
    say(f"{len(wanted)} configs described as by Kafka, {len(ALLOWED)} of them with a known difference")


harness.main(test)
