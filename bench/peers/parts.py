"""How each part of workloads.py is run on one server, and what figures come out of the load generator's answer."""

import json
import os
import select
import shutil
import signal
import subprocess

import machine
from machine import GB
from servers import RESTARTED, TOPIC_SETTINGS, load, load_command, measured
from workloads import PARTS, WARM_UP

# A load that ends by size ends after so many seconds at the latest.
SIZE_SECONDS_MAX = 90
# An index entry stands at each 4 KiB.
FIRST_RECORDS = 10
READ_TOPIC = "read"
IDLE_CONNECTIONS = 5000
IDLE_SECONDS_MAX = 300


def scaled(options, part, column):
    """Seconds of a timed load: the part's own, times --seconds over its default."""
    return max(1.0, part.seconds_of.get(column, part.seconds) * options.scale)


def setting_words(column):
    words = []
    for setting in TOPIC_SETTINGS.get(column, []):
        words += ["--config", setting]
    return words


def bound_words(options, part, column):
    if not part.by_size:
        return ["--seconds", scaled(options, part, column)]
    return ["--seconds", SIZE_SECONDS_MAX, "--requests", max(1, int(options.gb * GB / request_bytes(part)))]


def word_of(part, name):
    return part.words[part.words.index(name) + 1]


def with_word(part, name, value):
    at = part.words.index(name)
    return [*part.words[:at], name, value, *part.words[at + 2:]]


def request_bytes(part):
    return word_of(part, "--records") * word_of(part, "--record-bytes")


def fill_read_topic(server):
    """What the fetch parts read: --gb in requests of 150 x 100 B, in the page cache."""
    if READ_TOPIC not in server.topics:
        part = PARTS["P1"]
        load(server, part.mode, "--topic", READ_TOPIC, *part.words, *bound_words(server.options, part, server.column))
        server.topics.add(READ_TOPIC)
    load(server, "fetch", "--topic", READ_TOPIC, "--seconds", 2 * server.options.scale)  # what the page cache lost comes back


def run_load(server, column, name, round_number):
    """One of the parts that are one load; its answer and the figures in it."""
    part = PARTS[name]
    topic = READ_TOPIC if part.mode == "fetch" else f"{column}-{name}-{round_number}"
    if part.mode == "fetch":
        fill_read_topic(server)
    if part.mode == "produce":
        # Making the topic is not what is measured, nor the first records of each partition, in which Kafka maps its
        # indexes. One connection goes round all partitions; many would begin at the first few.
        words = [*with_word(part, "--connections", 1), *setting_words(column)]
        load(server, "produce", "--topic", topic, *words, "--seconds", 60, "--requests",
             FIRST_RECORDS * word_of(part, "--partitions"))
    answer = measured(server, part.mode, "--topic", topic, *part.words, *setting_words(column),
                      *bound_words(server.options, part, column))
    if part.mode == "produce":
        server.written.append(topic)
    return answer, figures_of(name, part.mode, answer, column)


def figures_of(name, mode, answer, column):
    # The floor's readers have a record before it is on disk; its answer to the producer is what waits.
    prefix = "ack_" if name == "E2" and column.startswith("floor") else ""
    latency = {f"{name}.{share}": answer[f"{prefix}{share}_us"] / 1e3 for share in ("p50", "p99", "p999")}
    if mode == "e2e":
        return latency
    gigabytes = answer["bytes"] / GB
    seconds = answer["seconds"]
    if mode == "fetch":
        return {f"{name}.cpu": answer["cpu_s"] / gigabytes, f"{name}.rate": gigabytes / seconds}
    if name == "P5":
        return {f"{name}.p50": latency["P5.p50"]}
    if answer["records"] == answer["requests"]:
        figures = {f"{name}.cpu": answer["cpu_s"] / answer["requests"] * 1e6, f"{name}.rate": answer["requests"] / seconds}
    else:
        figures = {f"{name}.cpu": answer["cpu_s"] / gigabytes, f"{name}.rate": gigabytes * 1e3 / seconds,
                   f"{name}.records": answer["records"] / seconds / 1e6}
    return {**figures, f"{name}.p99": latency[f"{name}.p99"]}


def warm_up(server, seconds):
    """All kinds of load, `seconds` in total, on topics that are dropped afterwards."""
    for name, share in WARM_UP.items():
        part = PARTS[name]
        topic = f"warm-{'P1' if part.mode == 'fetch' else name}"
        words = part.words
        if name == "P8":
            # A thousand partitions would stay for the rest of the round.
            words = with_word(part, "--partitions", 4)
        load(server, part.mode, "--topic", topic, *words, "--seconds", max(0.2, share * seconds))
        if topic not in server.written:
            server.written.append(topic)
    if server.drops_warm_up:
        server.drop_written()


class Idle:
    """Connections that are open and say nothing."""

    def __init__(self, server, count):
        command = load_command(server.options, "idle", server.address, "--connections", count, "--seconds",
                               IDLE_SECONDS_MAX)
        self.process = machine.start(command, server.options.load_core, server.log, stdin=subprocess.PIPE,
                                     stdout=subprocess.PIPE)
        self.count = count

    def wait(self, seconds=60):
        ready, _, _ = select.select([self.process.stdout], [], [], seconds)
        line = self.process.stdout.readline() if ready else b""
        if not line.strip():
            raise machine.Failed("sillok_load idle ended" if ready else
                                 f"sillok_load idle: {self.count} connections were not open after {seconds} s")
        return json.loads(line)

    def close(self):
        self.process.stdin.close()
        try:
            self.process.wait(30)
        except subprocess.TimeoutExpired:
            machine.end(self.process.pid, signal.SIGKILL)
            self.process.wait()
        self.process.stdout.close()


def run_memory(server, column, round_number):
    figures = {"M1.rss": server.resident_bytes() / 1e6}
    before = server.resident_bytes()
    idle = Idle(server, IDLE_CONNECTIONS)
    try:
        answer = idle.wait()
        figures["M1.connection"] = (server.resident_bytes() - before) / IDLE_CONNECTIONS / 1e3
    finally:
        idle.close()
    # Kafka needs long for so many; its figure has no part in a goal.
    if column == "sillok" or (column == "kafka" and round_number == 0):
        count = server.options.idle_partitions
        before = server.resident_bytes()
        load(server, "produce", "--topic", "idle-partitions", "--partitions", count, "--requests", 1, "--connections", 1)
        figures["M1.partition"] = (server.resident_bytes() - before) / count / 1e3
    return answer, figures


def with_fresh_server(column, options, folder, name, action):
    server = RESTARTED[column](column, options, os.path.join(folder, f"{name}-{column}"))
    try:
        return action(server)
    finally:
        server.discard()


def run_start(column, options, folder):
    seconds = with_fresh_server(column, options, folder, "start", lambda server: server.start_measured("first"))
    return {}, {"S1.empty": seconds}


def fill(server, topic, gigabytes, acks):
    """16 x 1 KiB a request into 4 partitions."""
    part = PARTS["P2"]
    return load(server, "produce", "--topic", topic, *with_word(part, "--acks", acks), "--seconds", 1800,
                "--requests", max(1, int(gigabytes * GB / request_bytes(part))))


def run_recovery(column, options, folder):
    """One log through three restarts: kill -9 right after a load of acks=1, right after one of acks=all, and a clean stop
    with many partitions. Kafka takes part in the first one only."""
    def steps(server):
        figures = {}
        server.start()
        fill(server, "log", options.restart_gb if column == "sillok" else options.kafka_restart_gb, 1)
        server.kill()
        figures["R1.acks1"] = server.start_measured("first")
        if column != "sillok":
            return figures
        server.start()
        fill(server, "log", options.restart_gb / 5, -1)
        server.kill()
        figures["R1.all"] = server.start_measured("first")
        server.start()
        load(server, "produce", "--topic", "many", "--partitions", options.restart_partitions, "--requests", 1,
             "--connections", 1)
        server.stop()
        figures["S1.full"] = server.start_measured("first")
        return figures

    return {}, with_fresh_server(column, options, folder, "recovery", steps)


def room_for_recovery(options, folder):
    wanted = options.restart_gb * 1.3 * GB
    return shutil.disk_usage(folder).free > wanted
