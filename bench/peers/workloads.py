"""What is measured, and what is to be reached: data, and no measuring.

PARTS are the workloads, each one load on several columns of the table; FIGURES are the rows, each one figure of a part
with its goals. Every figure is judged by the medians of one run.
"""

from dataclasses import dataclass, field
from typing import Dict, List, Optional, Tuple

LESS, MORE = "less", "more"

COLUMN_TITLES = {
    "kafka": "Apache Kafka 4.4.0", "kafka-disk": "Kafka on disk (flush.messages=1)", "floor": "the floor",
    "floor-direct": "floor, fdatasync of each file", "floor-journal": "floor, journal",
    "sillok-kafka": "Sillok, Kafka's flush settings", "sillok": "Sillok, defaults",
}

# At Kafka's flush settings: nobody waits for the disk.
CACHED = ["kafka", "sillok-kafka", "sillok", "floor"]
# Answered when the record is on disk, but for the first column, which is Kafka as it is.
ON_DISK = ["kafka", "kafka-disk", "sillok", "floor-direct", "floor-journal"]


@dataclass(frozen=True)
class Part:
    """One workload: the load generator's mode and words. Lengths are of a full run; --seconds and --gb scale them."""
    title: str
    columns: List[str]
    mode: str = ""  # of sillok_load; empty: a procedure of its own in parts.py
    words: Tuple = ()
    seconds: float = 0  # length of a load that ends by time
    by_size: bool = False  # ends after --gb, or after some time where that is not reached
    drops_written: bool = False  # afterwards the disk space of what was produced so far is given back
    seconds_of: Dict[str, float] = field(default_factory=dict)  # columns with a length of their own


def produce(connections, in_flight, records, record_bytes, acks, partitions):
    return ("--connections", connections, "--in-flight", in_flight, "--records", records, "--record-bytes", record_bytes,
            "--acks", acks, "--partitions", partitions)


PARTS = {
    "P1": Part("produce, 150 x 100 B a request, acks=1, 4 connections x 5, 1 partition", CACHED, "produce",
               produce(4, 5, 150, 100, 1, 1), by_size=True),
    "P2": Part("produce, 16 x 1 KiB a request, acks=1, 4 connections x 5, 4 partitions", CACHED, "produce",
               produce(4, 5, 16, 1024, 1, 4), by_size=True),
    "P3": Part("produce, 1,000 x 1 KiB a request, acks=1, 4 connections x 5, 4 partitions", CACHED, "produce",
               produce(4, 5, 1000, 1024, 1, 4), by_size=True, drops_written=True),
    "P4": Part("produce, one 100 B record a request, acks=1, 10 connections x 5, 1 partition", CACHED, "produce",
               produce(10, 5, 1, 100, 1, 1), seconds=6),
    "P5": Part("produce, one 100 B record a request, acks=1, one request at a time", CACHED, "produce",
               produce(1, 1, 1, 100, 1, 1), seconds=3),
    "F1": Part("fetch of 1 MiB, one consumer, page cache", CACHED, "fetch",
               ("--connections", 1, "--max-bytes", 1 << 20), seconds=4),
    "F2": Part("fetch of 1 MiB, eight consumers of one partition", CACHED, "fetch",
               ("--connections", 8, "--max-bytes", 1 << 20), seconds=4),
    "F3": Part("fetch of 64 KiB, four consumers of one partition", CACHED, "fetch",
               ("--connections", 4, "--max-bytes", 64 << 10), seconds=4),
    "E1": Part("end to end, 1,000 records/s, acks=1", CACHED, "e2e",
               ("--rate", 1000, "--acks", 1, "--record-bytes", 100), seconds=10),
    "E2": Part("end to end, 1,000 records/s, acks=all on disk", ON_DISK, "e2e",
               ("--rate", 1000, "--acks", -1, "--record-bytes", 100), seconds=10),
    "P7": Part("produce, one 100 B record a request, acks=all on disk, 10 connections x 5, 1 partition", ON_DISK, "produce",
               produce(10, 5, 1, 100, -1, 1), seconds=6),
    "P8": Part("produce, one 1 KiB record a request, acks=all on disk, 20 connections x 5, 1,000 partitions", ON_DISK,
               "produce", produce(20, 5, 1, 1024, -1, 1000), seconds=6),
    "P6": Part("produce, 16 x 1 KiB a request, acks=all on disk, 4 connections x 5, 4 partitions", ON_DISK, "produce",
               produce(4, 5, 16, 1024, -1, 4), seconds=60, drops_written=True, seconds_of={"kafka-disk": 20, "floor-journal": 30}),
    "M1": Part("memory after all of these", ["kafka", "sillok-kafka", "sillok", "floor"]),
    "S1": Part("start of the process to the first acknowledged record", ["kafka", "sillok", "floor"]),
    "R1": Part("kill -9 and start to the first acknowledged record", ["kafka", "sillok"]),
}

# Each kind of load, with its share of the warm-up (a JIT compiler needs some seconds of each).
WARM_UP = {"P1": 0.15, "P2": 0.1, "P3": 0.1, "P4": 0.15, "P5": 0.05, "P7": 0.1, "P8": 0.05, "P6": 0.05,
           "F1": 0.1, "F2": 0.05, "E1": 0.1}


@dataclass(frozen=True)
class Goal:
    """A ratio to a column's median, or a bound on the figure itself (`against` empty)."""
    against: str
    value: float
    of: str = ""  # Sillok's column, where it is not the figure's


@dataclass(frozen=True)
class Figure:
    key: str  # PART.name
    title: str
    unit: str
    better: str
    sillok: str  # the column that is judged
    kafka: Tuple[str, ...] = ("kafka",)
    floor: Tuple[str, ...] = ("floor",)
    goals: Tuple[Goal, ...] = ()
    is_short: bool = False  # also a row of the short table
    short_title: Optional[str] = None

    @property
    def part(self):
        return self.key.split(".")[0]


def cached(key, title, unit, better, kafka=None, floor=None, **more):
    goals = tuple(Goal(column, value) for column, value in (("kafka", kafka), ("floor", floor)) if value is not None)
    return Figure(key, title, unit, better, "sillok-kafka", goals=goals, **more)


def on_disk(key, title, unit, better, *goals, **more):
    return Figure(key, title, unit, better, "sillok", ("kafka", "kafka-disk"), ("floor-direct", "floor-journal"),
                  goals=goals, **more)


def alone(key, title, unit, *goals, kafka=("kafka",), floor=(), **more):
    return Figure(key, title, unit, LESS, "sillok", kafka, floor, goals=goals, **more)


FIGURES = [
    cached("P1.cpu", "P1 produce 100 B x 150 a request, acks=1, 4 connections: server CPU", "CPU s/GB", LESS, 0.28, 1.2,
           is_short=True, short_title="produce 100 B x 150 a request, acks=1: server CPU"),
    cached("P1.records", "P1 records", "M records/s", MORE),
    cached("P2.cpu", "P2 produce 1 KiB x 16: server CPU", "CPU s/GB", LESS, 0.28, 1.2),
    cached("P2.rate", "P2 throughput", "MB/s", MORE),
    cached("P3.cpu", "P3 produce 1 KiB x 1,000: server CPU", "CPU s/GB", LESS, 0.55, 1.15),
    cached("P3.rate", "P3 throughput", "MB/s", MORE),
    cached("P4.cpu", "P4 one 100 B record a request, 10 connections x 5: server CPU", "us/request", LESS, 0.2, 1.4,
           is_short=True, short_title="one 100 B record a request, acks=1: server CPU"),
    cached("P4.rate", "P4 rate", "requests/s", MORE, 4.5,
           is_short=True, short_title="the same: rate"),
    cached("P5.p50", "P5 one request at a time: p50", "ms", LESS, 0.65, 1.15),
    on_disk("P6.rate", "P6 acks=all on disk, 1 KiB x 16, 4 partitions", "MB/s", MORE, Goal("kafka", 1.2),
            Goal("kafka-disk", 8), Goal("floor-direct", 1.4), is_short=True,
            short_title="acks=all on disk, 1 KiB x 16: throughput"),
    on_disk("P6.cpu", "P6 server CPU", "CPU s/GB", LESS),
    on_disk("P6.p99", "P6 p99 of an answer", "ms", LESS),
    on_disk("P7.rate", "P7 acks=all on disk, one 100 B record, 10 connections x 5", "requests/s", MORE, Goal("kafka", 2),
            Goal("kafka-disk", 22), Goal("floor-direct", 1.7), is_short=True,
            short_title="acks=all on disk, one 100 B record a request: rate"),
    on_disk("P7.cpu", "P7 server CPU", "us/request", LESS),
    on_disk("P7.p99", "P7 p99 of an answer", "ms", LESS),
    on_disk("P8.rate", "P8 acks=all on disk, 1 KiB, 1,000 partitions, 20 connections x 5", "requests/s", MORE,
            Goal("kafka", 1.5), Goal("floor-direct", 4), is_short=True,
            short_title="acks=all on disk, 1 KiB over 1,000 partitions: rate"),
    on_disk("P8.cpu", "P8 server CPU", "us/request", LESS),
    on_disk("P8.p99", "P8 p99 of an answer", "ms", LESS),
    cached("F1.cpu", "F1 fetch 1 MiB, one consumer: server CPU", "CPU s/GB", LESS, 0.75, 1.1, is_short=True,
           short_title="fetch of 1 MiB, one consumer: server CPU"),
    cached("F1.rate", "F1 throughput", "GB/s", MORE, 1.4),
    cached("F2.cpu", "F2 fetch 1 MiB, eight consumers: server CPU", "CPU s/GB", LESS, 0.75, 1.1),
    cached("F2.rate", "F2 throughput", "GB/s", MORE, 1.4),
    cached("F3.rate", "F3 fetch 64 KiB, four consumers", "GB/s", MORE, 1.08, 0.88),
    cached("F3.cpu", "F3 server CPU", "CPU s/GB", LESS),
    cached("E1.p50", "E1 end to end at 1,000/s, acks=1: p50", "ms", LESS, 0.4, is_short=True,
           short_title="end to end at 1,000/s, acks=1: p50"),
    cached("E1.p99", "E1 p99", "ms", LESS, None, 1.2),
    cached("E1.p999", "E1 p99.9", "ms", LESS, None, 1.2),
    on_disk("E2.p50", "E2 end to end at 1,000/s, acks=all on disk: p50", "ms", LESS, Goal("", 0.45)),
    on_disk("E2.p99", "E2 p99", "ms", LESS, Goal("floor-direct", 0.7)),
    on_disk("E2.p999", "E2 p99.9", "ms", LESS, Goal("floor-direct", 0.7)),
    alone("M1.rss", "M1 memory after all of it", "MB", Goal("kafka", 0.05), floor=("floor",), is_short=True,
          short_title="resident memory after all loads"),
    alone("M1.connection", "M1 a further idle connection", "KB", Goal("", 4), floor=("floor",)),
    alone("M1.partition", "M1 a further idle partition", "KB", Goal("", 4)),
    alone("S1.empty", "S1 start to first ack, empty", "s", Goal("", 0.03), floor=("floor",), is_short=True,
          short_title="start of the process to the first acknowledged record"),
    alone("S1.full", "S1 start to first ack, {partitions:,} partitions and {gb:g} GB, after a clean stop", "s", Goal("", 0.5)),
    alone("R1.acks1", "R1 kill -9 with {gb:g} GB (Kafka: {kafka_gb:g} GB), acks=1 load, to first ack", "s", Goal("", 0.5),
          is_short=True, short_title="kill -9 with {gb:g} GB in the log (Kafka: {kafka_gb:g} GB), to the first acknowledged record"),
    alone("R1.all", "R1 kill -9 with {gb:g} GB, acks=all load, to first ack", "s", Goal("", 1.2)),
]
FIGURE = {figure.key: figure for figure in FIGURES}


@dataclass(frozen=True)
class ForeignTitle:
    """A row of the second table: a server, how it is set, and whether what it confirms is on disk."""
    server: str
    setting: str
    confirmed: str


MEMORY, DISK = "page cache", "disk"
RAW = "sillok_load, one record a request"
PERFORMANCE = "ProducerPerformance"

# The tool, then how the server is set; figures are rate (messages/s), mb and cpu (us a message).
FOREIGN = {
    "nats": ForeignTitle("NATS JetStream 2.15.1", "nats bench js pub async, file storage", MEMORY),
    "nats-sync": ForeignTitle("NATS JetStream 2.15.1", "the same, sync_interval always", DISK),
    "rabbitmq-stream": ForeignTitle("RabbitMQ 3.10.8", "PerfTest, stream queue, confirms (no fsync)", MEMORY),
    "rabbitmq-quorum": ForeignTitle("RabbitMQ 3.10.8", "PerfTest, quorum queue, persistent, confirms", DISK),
    "artemis": ForeignTitle("ActiveMQ Artemis 2.40.0", "perf producer, persistent, journal-datasync false", MEMORY),
    "artemis-sync": ForeignTitle("ActiveMQ Artemis 2.40.0", "the same, journal-datasync true", DISK),
    "raw-sillok-1": ForeignTitle("Sillok", RAW + ", acks=1", MEMORY),
    "raw-sillok-all": ForeignTitle("Sillok", RAW + ", acks=all", DISK),
    "raw-kafka-1": ForeignTitle("Apache Kafka 4.4.0", RAW + ", acks=1", MEMORY),
    "java-sillok-1": ForeignTitle("Sillok", PERFORMANCE + ", acks=1", MEMORY),
    "java-sillok-all": ForeignTitle("Sillok", PERFORMANCE + ", acks=all", DISK),
    "java-kafka-1": ForeignTitle("Apache Kafka 4.4.0", PERFORMANCE + ", acks=1", MEMORY),
    "java-kafka-all": ForeignTitle("Apache Kafka 4.4.0", PERFORMANCE + ", acks=all", MEMORY),
    "java-kafka-disk": ForeignTitle("Apache Kafka 4.4.0", PERFORMANCE + ", acks=all, flush.messages=1", DISK),
}
FOREIGN_SIZES = [100, 1024]
FOREIGN_SECONDS = 4
FOREIGN_CONNECTIONS = 4
# Messages under way at most, over all connections, where the tool has such a setting.
FOREIGN_WINDOW = 2000


def foreign_key(name, size, figure):
    return f"X.{size}.{name}.{figure}"
