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

BOUND = "a bound on memory"
ONE_REPLICA = "Kafka's tool writes it down when it formats a directory"
# (resource, name): what Kafka and Sillok describe, by part, and why. Synonyms follow from value and source.
ALLOWED = {
    ("BROKER", "listener.security.protocol.map"): (
        {"value": ("SASL_SSL:SASL_SSL,PLAINTEXT:PLAINTEXT,SSL:SSL,SASL_PLAINTEXT:SASL_PLAINTEXT",
                   "PLAINTEXT:PLAINTEXT,UNIX:UNIX"), "live": ("live", "read-only")},
        "only PLAINTEXT and UNIX are there, and listeners are fixed"),
    ("BROKER", "listeners"): ({"live": ("live", "read-only")}, "listeners are bound once, at the start"),
    ("BROKER", "log.dir"): ({"value": ("/tmp/kafka-logs", "null")}, "./data, so that nothing lies in /tmp by accident"),
    ("BROKER", "log.flush.interval.ms"): ({"value": ("null", "1000")}, "a power cut costs acks=1 at most a second"),
    ("BROKER", "log.flush.offset.checkpoint.interval.ms"): (
        {"value": ("60000", "5000")}, "recovery after a crash is kept short"),
    ("BROKER", "max.connections"): ({"value": ("2147483647", "10000")}, BOUND),
    ("BROKER", "min.insync.replicas"): ({"source": ("DYNAMIC_DEFAULT_BROKER_CONFIG", "DEFAULT_CONFIG")}, ONE_REPLICA),
    ("BROKER", "num.io.threads"): ({"value": ("8", "4")}, "only reads that wait for the disk use them"),
    ("BROKER", "num.network.threads"): (
        {"value": ("3", "0"), "live": ("live", "read-only")}, "0 is one per core; connections belong to their thread"),
    ("BROKER", "queued.max.request.bytes"): ({"value": ("-1", "536870912")}, BOUND),
    ("BROKER", "socket.listen.backlog.size"): ({"value": ("50", "512")}, "a burst of clients must not be refused"),
    ("BROKER", "socket.receive.buffer.bytes"): ({"value": ("102400", "-1")}, "the kernel chooses it better"),
    ("BROKER", "socket.send.buffer.bytes"): ({"value": ("102400", "262144")}, "measured: fewer wake-ups for consumers"),
    ("TOPIC", "flush.ms"): ({"value": ("9223372036854775807", "1000")}, "as log.flush.interval.ms"),
    ("TOPIC", "min.insync.replicas"): ({"source": ("DYNAMIC_DEFAULT_BROKER_CONFIG", "DEFAULT_CONFIG")}, ONE_REPLICA),
}


def described(broker):
    lines = run(harness.own_java("DescribeConfigs.java", broker.address, 1)).stdout.decode().splitlines()
    found = {}
    for line in lines:
        resource, name, value, kind, source, update, sensitive, synonyms = line.split("\t")
        found[resource, name] = {"value": value, "synonyms": synonyms, "type": kind, "source": source, "live": update,
                                 "sensitive": sensitive}
    return found


def differences(key, ours, kafkas):
    """Parts that differ, and those of them that may not."""
    differing = {part for part in ours if ours[part] != kafkas[part]}
    pairs = ALLOWED.get(key, ({}, ""))[0]
    allowed = {part for part, pair in pairs.items() if (kafkas[part], ours[part]) == pair}
    if key[1] in OF_THE_TEST:
        allowed |= {"value", "source"}
    if allowed & {"value", "source"}:
        allowed.add("synonyms")
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
        used |= {(*key, part) for part in differing}
        faults += [f"{' '.join(key)}, {part}: {found[key][part]}, Kafka {kafkas[part]}" for part in sorted(unexplained)]
    ours = sorted(name for resource, name in found.keys() - wanted.keys()
                  if not name.startswith(("sillok.", "write.caching")))
    check(not ours, f"neither Kafka's nor ours by name: {ours}")
    check(not faults, "differences without a reason:\n" + "\n".join(faults))
    unused = {(*key, part) for key, (pairs, _) in ALLOWED.items() for part in pairs} - used
    check(not unused, f"differences that are none any more: {sorted(unused)}")
    say(f"{len(wanted)} configs described as by Kafka, {len(ALLOWED)} of them with a known difference")


harness.main(test)
