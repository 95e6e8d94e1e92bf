"""The servers that speak Kafka's protocol: Apache Kafka, Sillok and the floor, each a process on a folder of its own.

One class a program; a column of the table is a server with its settings (COLUMNS). "kafka-disk" is no process of its
own: the topic of the load carries flush.messages=1.
"""

import json
import os
import shutil
import signal
import time

import machine

NEVER_MS = 9223372036854775807
START_SECONDS = 300
DROP_SECONDS_MAX = 30
# What Kafka's own start script gives the JVM.
KAFKA_JVM = ["-Xmx1G", "-Xms1G", "-server", "-XX:+UseG1GC", "-XX:MaxGCPauseMillis=20",
             "-XX:InitiatingHeapOccupancyPercent=35", "-XX:+ExplicitGCInvokesConcurrent", "-Djava.awt.headless=true",
             "-Dorg.slf4j.simpleLogger.defaultLogLevel=warn"]


class Server:
    """A process pinned to the server's core. Stopped (SIGSTOP) except while it is measured."""
    # Whether what the warm-up wrote is given back at once, or with the first parts.
    drops_warm_up = True

    def __init__(self, column, options, folder, data=None):
        self.column = column
        self.options = options
        self.folder = folder
        self.data = data or os.path.join(folder, "data")
        self.port = machine.free_port()
        self.address = f"127.0.0.1:{self.port}"
        self.process = None
        self.topics = set()  # what a part has filled for another one to read
        self.written = []  # what a part has filled and nobody reads any more
        os.makedirs(folder, exist_ok=True)
        os.makedirs(self.data)

    def command(self):
        raise NotImplementedError

    @property
    def log(self):
        return os.path.join(self.folder, "server.log")

    @property
    def pid(self):
        return self.process.pid

    def start(self):
        self.process = machine.start(self.command(), self.options.server_core, self.log, self.environment())
        try:
            load(self, "first-ack", "--topic", "first", "--timeout", START_SECONDS)
        except machine.Failed as failed:
            raise machine.Failed(f"{self.column} did not start: {self.log_tail()} {failed}") from None

    def environment(self):
        return None

    def log_tail(self):
        with open(self.log, "rb") as file:
            return " / ".join(file.read()[-1500:].decode(errors="replace").splitlines()[-6:])

    def start_measured(self, topic):
        """Seconds from the fork of the process to its first acknowledged record; the process is ended again.

        The load tool forks it: starting it from here would add this interpreter's time.
        """
        shell = " ".join(f"'{word}'" for word in self.command())
        try:
            answer = load(self, "first-ack", "--topic", topic, "--timeout", START_SECONDS, "--exec",
                          f"taskset -c {self.options.server_core} {shell} >>'{self.log}' 2>&1")
        except machine.Failed:
            raise machine.Failed(f"{self.column} did not start: {self.log_tail()}") from None
        return answer["ms"] / 1000

    def pause(self):
        if self.process is not None:
            os.kill(self.pid, signal.SIGSTOP)

    def resume(self):
        os.kill(self.pid, signal.SIGCONT)

    def kill(self):
        self.stop(signal.SIGKILL)

    def stop(self, number=signal.SIGTERM):
        if self.process is not None:
            machine.end(self.pid, number)
            self.process.wait()
            self.process = None

    def discard(self):
        self.kill()
        shutil.rmtree(self.folder, ignore_errors=True)

    def renew(self):
        """Starts anew on an empty folder."""
        self.kill()
        shutil.rmtree(self.data, ignore_errors=True)
        os.makedirs(self.data)
        self.topics, self.written = set(), []
        self.start()

    def drop_written(self):
        """Gives the disk space of `written` back."""
        raise NotImplementedError

    def cpu_seconds(self):
        return machine.cpu_seconds([self.pid])

    def resident_bytes(self):
        return machine.resident_bytes([self.pid])


class WithTopicDeletion(Server):
    def drop_written(self):
        cli = os.path.join(self.options.bin, "sillok")
        machine.run([cli, "topic", "delete", *self.written, "-b", self.address], self.options.load_core, timeout=120,
                    check=False)
        # Both give the files another name, and remove them some time later: Sillok within 10 s.
        names = tuple(f"{topic}-" for topic in self.written)
        give_up = time.monotonic() + DROP_SECONDS_MAX
        while time.monotonic() < give_up and any(name.startswith(names) for name in os.listdir(self.data)):
            time.sleep(0.2)
        self.written = []


class Sillok(WithTopicDeletion):
    settings = {}
    drops_warm_up = False  # its deletions take 10 s, and a tenth of the warm-up is little

    def command(self):
        settings = {"listeners": f"PLAINTEXT://{self.address}", "log.dirs": self.data,
                    "log.segment.delete.delay.ms": 500, **self.settings}
        words = [os.path.join(self.options.bin, "sillokd")]
        for name, value in settings.items():
            words += ["--set", f"{name}={value}"]
        return words


class SillokAsKafka(Sillok):
    """Kafka leaves flushing to the kernel; these two settings make Sillok do the same."""
    settings = {"log.flush.interval.ms": NEVER_MS, "write.caching": "true"}


class Floor(Server):
    flush = "none"

    def command(self):
        return [os.path.join(self.options.bin, "sillok_floor"), "--listen", self.address, "--dir", self.data,
                "--flush", self.flush]

    def drop_written(self):
        # It keeps everything; its start costs nothing.
        self.renew()


class FloorDirect(Floor):
    flush = "direct"


class FloorJournal(Floor):
    flush = "journal"


def java(peer, *words, options=KAFKA_JVM):
    return ["java", *options, "-cp", os.path.join(machine.PEERS, peer, "*"), *words]


class Kafka(WithTopicDeletion):
    # While it is stopped its controller would take the broker for dead, and no topic could be made afterwards.
    settings = {"broker.session.timeout.ms": 3600000}

    def __init__(self, column, options, folder, data=None):
        super().__init__(column, options, folder, data)
        controller = machine.free_port()
        self.config = os.path.join(folder, "kafka.properties")
        settings = {
            "process.roles": "broker,controller", "node.id": 1,
            "controller.quorum.voters": f"1@127.0.0.1:{controller}",
            "listeners": f"PLAINTEXT://{self.address},CONTROLLER://127.0.0.1:{controller}",
            "controller.listener.names": "CONTROLLER", "log.dirs": self.data,
            "offsets.topic.replication.factor": 1, "log.segment.delete.delay.ms": 500,            **self.settings,
        }
        with open(self.config, "w") as file:
            file.writelines(f"{name}={value}\n" for name, value in settings.items())
        self.format()

    def format(self):
        machine.run(java("kafka", "kafka.tools.StorageTool", "format", "-t", "c2lsbG9rc2lsbG9rc2lsbA", "-c", self.config),
                    log=self.log)

    def command(self):
        return java("kafka", "kafka.Kafka", self.config)

    def resume(self):
        """Its controller may have given the broker up while it was stopped: no topic can be made until it is back."""
        super().resume()
        load(self, "first-ack", "--topic", f"resumed-{time.monotonic_ns()}", "--timeout", 60)

    def renew(self):
        raise machine.Failed("a warm Kafka is not started anew")


class KafkaAlone(Kafka):
    """Never stopped, but killed: until the session of the killed process is over the next one is not let in."""
    settings = {}


# The columns that have a process of their own, in the order in which the first round runs them.
PROCESSES = {"kafka": Kafka, "sillok-kafka": SillokAsKafka, "sillok": Sillok, "floor": Floor,
             "floor-direct": FloorDirect, "floor-journal": FloorJournal}
# What is started to be killed or stopped.
RESTARTED = {**PROCESSES, "kafka": KafkaAlone}
# Which process answers a column, and the settings of its topics.
TOPIC_SETTINGS = {"kafka-disk": ["flush.messages=1"]}
COLUMN_PROCESS = {**{name: name for name in PROCESSES}, "kafka-disk": "kafka"}
PEER_COLUMNS = {"kafka": ["kafka", "kafka-disk"], "sillok": ["sillok-kafka", "sillok"],
                "floor": ["floor", "floor-direct", "floor-journal"]}


def load_command(options, mode, address, *words):
    return [os.path.join(options.bin, "sillok_load"), mode, "--brokers", address, *map(str, words)]


def load(server, mode, *words, timeout=3600):
    """Runs the load generator to its end; its JSON."""
    text = machine.run(load_command(server.options, mode, server.address, *words), server.options.load_core, timeout=timeout)
    return json.loads(text)


def measured(server, mode, *words):
    """A load, with the CPU seconds that the server spent on it. The sync keeps a run from paying for another's writes."""
    os.sync()
    before = server.cpu_seconds()
    answer = load(server, mode, *words)
    answer["cpu_s"] = server.cpu_seconds() - before
    return answer
