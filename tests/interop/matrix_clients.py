"""The clients of the matrix, each with the same verbs.

    version()                         a word for the compatibility table
    sends(records)                    those that it can express
    codec_in_log(codec, offered)      what a broker that offers these APIs gets in its place
    chooses_timestamp(record)         whether the timestamp that it sends is the record's
    write(address, scenario, codecs)  sends the records of the scenario file to partition 0 of each topic of
                                      {topic: codec}
    read(address, counts)             {topic: [(offset, Record)]} of the first records of each topic of {topic: count}
    seen(record)                      a record as this reader shows it
    admin(address, topic, steps)      the outcome of each of these admin calls on the topic

Programs of clients/ have them by their command line (clients/README.md); kcat, the console tools and rsyslog are not
ours, and are called here as their users do.
"""

import os
import sys

import harness
from harness import CACHE, HERE, Skip, run
from records import found_by_topic

FIND_COORDINATOR = 10
CLIENTS = os.path.join(HERE, "clients")


def without_null_headers(records):
    return [record for record in records if all(value is not None for _, value in record.headers)]


class Program:
    """A client of clients/."""

    writes = reads = reads_null_headers = reads_all_codecs = idempotent = True
    admin_steps = ("create", "list", "describe", "configs", "partitions", "alter", "truncate", "delete")
    alter_api = 44  # IncrementalAlterConfigs; older clients use 33, AlterConfigs
    name = None

    def __init__(self):
        self.command = self.find_command()
        self.complaints = []  # what it wrote to stderr

    def version(self):
        return self._call("version").decode().strip()

    def write(self, address, scenario, codecs):
        self._call("write", address, scenario, *(f"{topic}={codec}" for topic, codec in codecs.items()))

    def read(self, address, counts):
        return found_by_topic(self._call("read", address, *(f"{topic}={n}" for topic, n in counts.items())))

    def admin(self, address, topic, steps):
        lines = self._call("admin", address, topic, *steps).decode().splitlines()
        return [line.split(" ", 1)[1] for line in lines]

    def sends(self, records):
        return records

    def chooses_timestamp(self, record):
        return True

    def codec_in_log(self, codec, offered):
        return codec

    def seen(self, record):
        return record

    def _call(self, *arguments):
        done = run([*self.command, *map(str, arguments)])
        self.complaints += done.stderr.decode(errors="replace").splitlines()
        return done.stdout

    @staticmethod
    def installed(*path):
        """A file that install_clients.sh makes."""
        whole = os.path.join(CACHE, "clients", *path)
        if not os.path.exists(whole):
            raise Skip(f"{whole} is not there ('./dev setup' makes it where the registries serve it)")
        return whole


class Java(Program):
    name = "java"

    def find_command(self):
        return harness.own_java("clients/java/MatrixClient.java",
                                options=["-Dorg.slf4j.simpleLogger.defaultLogLevel=warn"])


class LibrdkafkaRules:
    """What clients on librdkafka have in common."""

    def codec_in_log(self, codec, offered):
        # It takes a broker without FindCoordinator for one that is too old for lz4, and sends without.
        return "none" if codec == "lz4" and FIND_COORDINATOR not in offered else codec


class Confluent(LibrdkafkaRules, Program):
    name = "confluent"

    def find_command(self):
        return [sys.executable, os.path.join(CLIENTS, "python/confluent_client.py")]

    def chooses_timestamp(self, record):
        return record.timestamp != 0  # which means "now" to librdkafka


class Rdkafka(LibrdkafkaRules, Program):
    """librdkafka 2.0 of Debian."""

    name = "rdkafka"
    admin_steps = ()

    def find_command(self):
        program = os.environ.get("SILLOK_RDKAFKA_CLIENT", "")
        if not os.access(program, os.X_OK):
            raise Skip("rdkafka_client was not built (librdkafka-dev)")
        return [program]

    chooses_timestamp = Confluent.chooses_timestamp


class KafkaPython(Program):
    name = "kafka_python"

    def find_command(self):
        return [self.installed("python/bin/python"), os.path.join(CLIENTS, f"python/{self.name}_client.py")]

    def sends(self, records):
        # It refuses a record of nulls, and headers of null.
        return [record for record in without_null_headers(records) if (record.key, record.value) != (None, None)]


class Aiokafka(KafkaPython):
    name = "aiokafka"
    alter_api = 33


class FranzGo(Program):
    name = "franz_go"

    def find_command(self):
        return [self.installed("go", self.name)]


class Sarama(FranzGo):
    name = "sarama"
    alter_api = 33


class KafkaGo(FranzGo):
    name = "kafka_go"
    idempotent = False
    chooses_timestamp = Confluent.chooses_timestamp
    admin_steps = ("create", "list", "describe", "configs", "partitions", "alter", "delete")

    def seen(self, record):
        # It reads what is empty as null.
        headers = tuple((name, value or None) for name, value in record.headers)
        return record._replace(key=record.key or None, value=record.value or None, headers=headers)


class Rskafka(Program):
    name = "rskafka"
    idempotent = False
    reads_null_headers = False  # it fails on one
    # It creates without configs.
    admin_steps = ("create", "list", "describe", "truncate", "delete")

    def find_command(self):
        return [self.installed("rust/rskafka_client")]

    def sends(self, records):
        return [record for record in without_null_headers(records)
                if len(dict(record.headers)) == len(record.headers)]

    def seen(self, record):
        # Its headers are a sorted map.
        return record._replace(headers=tuple(sorted(dict(record.headers).items())))


class Kafkajs(Program):
    name = "kafkajs"
    reads = False  # its consumer needs a group
    alter_api = 33

    def find_command(self):
        return ["env", f"NODE_PATH={self.installed('node/node_modules')}", "KAFKAJS_NO_PARTITIONER_WARNING=1",
                self.installed("node/bin/node"), os.path.join(CLIENTS, f"node/{self.name}_client.mjs")]

    def sends(self, records):
        return without_null_headers(records)


class Platformatic(Kafkajs):
    name = "platformatic"
    reads = True
    alter_api = 44

    def sends(self, records):
        # It writes other timestamps than it was given where they are more than 2^31 ms before or after the first.
        return [record for record in records if abs(record.timestamp - records[0].timestamp) < 2**31]
