"""The servers of other protocols, each under its own load tool, and beside them Sillok and Kafka under the loads that
are nearest to those: one record a request of sillok_load, and Kafka's own ProducerPerformance.

Producers only: nobody consumes meanwhile. Rates are the tool's own; server CPU is that of all its processes.
"""

import json
import os
import re
import signal
import time

import machine
import parts
import servers
from machine import Failed
from workloads import FOREIGN_CONNECTIONS, FOREIGN_SECONDS, FOREIGN_SIZES, FOREIGN_WINDOW, foreign_key

# One process runs all of a group; the peers that it needs.
GROUPS = {
    "nats": (["nats"], ["nats"]), "nats-sync": (["nats-sync"], ["nats"]),
    "rabbitmq": (["rabbitmq-stream", "rabbitmq-quorum"], ["rabbitmq"]),
    "artemis": (["artemis"], ["artemis"]), "artemis-sync": (["artemis-sync"], ["artemis"]),
    "sillok": (["raw-sillok-1", "raw-sillok-all", "java-sillok-1", "java-sillok-all"], ["sillok"]),
    "kafka": (["raw-kafka-1", "java-kafka-1", "java-kafka-all", "java-kafka-disk"], ["kafka"]),
}
PROBE_MESSAGES = 4000
WARM_SHARE = 0.4  # of the measured length, right before it, where a tool goes by the clock
LONG_ENOUGH = 0.6  # of the wanted length
GROWTH_MAX = 30
ATTEMPTS_MAX = 6
MESSAGES_MAX = 20_000_000
BATCH = FOREIGN_WINDOW // FOREIGN_CONNECTIONS
TOOL_SECONDS_MAX = 300


class Broker:
    """A server of its own kind on an empty folder, with processes that are all counted."""

    def __init__(self, options, folder):
        self.options = options
        self.folder = folder
        self.port = machine.free_port()
        self.process = None
        os.makedirs(folder)

    def launch(self, command, env=None, cwd=None):
        self.process = machine.start(command, self.options.server_core, os.path.join(self.folder, "server.log"),
                                     {**os.environ, **(env or {})}, cwd)

    def pids(self):
        return machine.tree(self.process.pid)

    def cpu_seconds(self):
        return machine.cpu_seconds(self.pids())

    def stop(self):
        if self.process is not None:
            ours = self.pids()
            machine.end(self.process.pid, signal.SIGKILL)
            self.process.wait()
            for pid in ours[1:]:
                machine.end(pid, signal.SIGKILL)

    def tool(self, command, env=None, cwd=None):
        return machine.run(command, self.options.load_core, {**os.environ, "HOME": self.folder, **(env or {})}, cwd,
                           timeout=TOOL_SECONDS_MAX)

    def send(self, name, size, count):
        """Runs the load tool for so many messages; messages a second as the tool says."""
        raise NotImplementedError

    def measure(self, name, size, seconds):
        """(detail, messages, messages/s, CPU s) of a load of about so many seconds.

        The tools count messages and do not look at the clock: each load is longer than the one before, until one is long
        enough. Those before it warm server and tool up.
        """
        count = PROBE_MESSAGES
        for attempt in range(ATTEMPTS_MAX):
            os.sync()
            before = self.cpu_seconds()
            rate = self.send(name, size, count)
            cpu = self.cpu_seconds() - before
            if count / rate >= seconds * LONG_ENOUGH or count >= MESSAGES_MAX:
                break
            count = next_count(count, rate, seconds)
        return {"messages": count, "attempt": attempt}, count, rate, cpu


def next_count(count, rate, seconds):
    """A multiple of the connections, as the tools share the messages out."""
    wanted = min(MESSAGES_MAX, max(count * 2, min(int(rate * seconds), count * GROWTH_MAX)))
    return wanted - wanted % FOREIGN_CONNECTIONS


def found(pattern, text):
    match = re.search(pattern, text)
    if match is None:
        raise Failed(f"the load tool printed no rate: {text[-400:]}")
    return float(match.group(1).replace(",", ""))


class Nats(Broker):
    sync = '"2m"'  # its default: fsync every two minutes

    def start(self):
        config = os.path.join(self.folder, "nats.conf")
        with open(config, "w") as file:
            file.write(f'listen: "127.0.0.1:{self.port}"\n'
                       f'jetstream {{ store_dir: "{self.folder}/data", max_file_store: 64GB, sync_interval: {self.sync} }}\n')
        self.launch([os.path.join(machine.PEERS, "nats/bin/nats-server"), "-c", config])
        machine.wait_for_port(self.port)
        time.sleep(0.5)

    def send(self, name, size, count):
        command = [os.path.join(machine.PEERS, "nats/bin/nats"), "bench", "js", "pub", "async", "peers", "--no-context",
                   "-s", f"nats://127.0.0.1:{self.port}", "--timeout", "60s", "--create", "--maxbytes", "8GB",
                   "--clients", FOREIGN_CONNECTIONS, "--batch", BATCH, "--size", size, "--msgs", count, "--no-progress"]
        return found(r"aggregated stats: ([\d,.]+) msgs/sec", self.tool(command))


class NatsSync(Nats):
    sync = "always"


class RabbitMq(Broker):
    def start(self):
        root = os.path.join(machine.PEERS, "rabbitmq/usr/lib/rabbitmq/lib")
        [version] = os.listdir(root)
        write(self.folder, "rabbitmq.conf", f"listeners.tcp.1 = 127.0.0.1:{self.port}\n"
              f"stream.listeners.tcp.1 = 127.0.0.1:{machine.free_port()}\n"
              "disk_free_limit.absolute = 100MB\nlog.console = false\n")
        write(self.folder, "enabled_plugins", "[rabbitmq_stream].\n")
        write(self.folder, "env.conf", "")
        names = machine.free_port()
        env = {"HOME": self.folder, "RUNNING_UNDER_SYSTEMD": "1", "RABBITMQ_NODENAME": f"peers{self.port}@localhost",
               "RABBITMQ_CONFIG_FILE": f"{self.folder}/rabbitmq.conf", "RABBITMQ_CONF_ENV_FILE": f"{self.folder}/env.conf",
               "RABBITMQ_ENABLED_PLUGINS_FILE": f"{self.folder}/enabled_plugins",
               "RABBITMQ_MNESIA_BASE": f"{self.folder}/data", "RABBITMQ_LOG_BASE": f"{self.folder}/log",
               "RABBITMQ_PID_FILE": f"{self.folder}/pid", "RABBITMQ_DIST_PORT": str(machine.free_port()),
               "ERL_EPMD_ADDRESS": "127.0.0.1", "ERL_EPMD_PORT": str(names), "NOTIFY_SOCKET": "",
               "RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS": "-kernel inet_dist_use_interface {127,0,0,1}"}
        # Erlang would start its name service as a daemon that outlives the server.
        self.names = machine.start(["epmd", "-address", "127.0.0.1", "-port", names], self.options.server_core,
                                   os.path.join(self.folder, "epmd.log"))
        machine.wait_for_port(names)
        self.launch([os.path.join(root, version, "sbin/rabbitmq-server")], env)
        machine.wait_for_port(self.port, 90)
        time.sleep(1)

    def stop(self):
        super().stop()
        machine.end(self.names.pid, signal.SIGKILL)
        self.names.wait()

    def send(self, name, size, count):
        kind = "--stream-queue" if name == "rabbitmq-stream" else "--quorum-queue"
        command = servers.java("rabbitmq/perf-test", "com.rabbitmq.perf.PerfTest", "--uri", f"amqp://127.0.0.1:{self.port}",
                               kind, "-ad", "false", "-u", f"{name}-{size}", "-x", FOREIGN_CONNECTIONS, "-y", 0, "-c", BATCH,
                               "-f", "persistent", "-s", size, "-C", count // FOREIGN_CONNECTIONS, options=["-Xmx512M"])
        return found(r"sending rate avg: ([\d,.]+) msg/s", self.tool(command))


class Artemis(Broker):
    """Measured by time: its tool tells what it did each second."""
    is_synced = False

    def start(self):
        self.home = os.path.join(self.folder, "instance")
        home = os.path.join(machine.PEERS, "artemis")
        machine.run([os.path.join(home, "bin/artemis"), "create", "--silent", "--user", "peers", "--password", "peers",
                     "--allow-anonymous", "--host", "127.0.0.1", "--default-port", self.port, "--no-web", "--nio",
                     "--no-amqp-acceptor", "--no-mqtt-acceptor", "--no-stomp-acceptor", "--no-hornetq-acceptor",
                     "--java-memory", "1G", self.home], self.options.server_core)
        config = os.path.join(self.home, "etc/broker.xml")
        with open(config) as file:
            text = file.read()
        text = re.sub(r"<journal-datasync>\w+<", f"<journal-datasync>{'true' if self.is_synced else 'false'}<", text)
        # It stops taking messages where the disk is 90 per cent full, whatever is free.
        text = re.sub(r"<max-disk-usage>\d+<", "<max-disk-usage>100<", text)
        with open(config, "w") as file:
            file.write(text)
        # What the script `artemis run` does, with no shell to stay between.
        self.launch([os.path.join(self.home, "bin/artemis"), "run"])
        machine.wait_for_port(self.port, 90)
        time.sleep(1)

    def command(self, size, warm_up, seconds, answer):
        # Without a confirmation window the tool waits for the server at each message.
        url = f"tcp://127.0.0.1:{self.port}?confirmationWindowSize=10485760"
        return [os.path.join(self.home, "bin/artemis"), "perf", "producer", "--silent", "--user", "peers", "--password",
                "peers", "--url", url, "--persistent", "--producers", FOREIGN_CONNECTIONS, "--threads",
                FOREIGN_CONNECTIONS, "--max-pending", BATCH, "--message-size", size, "--warmup", warm_up, "--duration",
                seconds, "--json", answer, f"queue://peers-{size}"]

    def measure(self, name, size, seconds):
        answer = os.path.join(self.folder, f"{size}.json")
        # A JIT compiler again: a run before the one that counts.
        self.tool(self.command(size, 0, max(2, round(self.options.warm_up * WARM_SHARE / 2)), answer + ".warm"))
        command = self.command(size, 1, max(3, round(seconds)), answer)
        os.sync()
        before = self.cpu_seconds()
        self.tool(command)
        cpu = self.cpu_seconds() - before
        with open(answer) as file:
            samples = json.load(file)
        summary = next(sample for sample in samples if sample["sampleType"] == "summary")
        if summary["result"] != "success":
            raise Failed(f"artemis perf producer: {summary}")
        return {"summary": summary}, summary["totalCompleted"], self.rate_of(samples), cpu

    @staticmethod
    def rate_of(samples):
        """Over the intervals after the warm-up. What an interval calls sent and completed is its rate; its count is of
        messages, its time in ms."""
        messages = seconds = 0
        for before, sample in zip(samples, samples[1:]):
            if sample["sampleType"] == "interval" and not sample["warmup"]:
                messages += sample["sendTime"]["count"]
                seconds += (sample["time"] - before["time"]) / 1e3
        if seconds == 0:
            raise Failed("artemis perf producer: too few intervals")
        return messages / seconds


class ArtemisSync(Artemis):
    is_synced = True


class KafkaProtocol(Broker):
    """Sillok (defaults) or Kafka, by one record a request or by Kafka's own ProducerPerformance."""

    def __init__(self, options, folder, column):
        super().__init__(options, folder)
        self.server = servers.PROCESSES[column](column, options, os.path.join(folder, column))

    def start(self):
        self.server.start()
        if self.server.column == "kafka":
            parts.warm_up(self.server, self.options.warm_up)
        self.process = self.server.process

    def stop(self):
        self.server.kill()

    @staticmethod
    def acks_of(name):
        return "1" if name.endswith("-1") else "all"

    def measure(self, name, size, seconds):
        topic = f"{name}-{size}"
        words = ["--topic", topic, "--records", 1, "--record-bytes", size]
        settings = ["--config", "flush.messages=1"] if name.endswith("-disk") else []
        servers.load(self.server, "produce", *words, *settings, "--requests", 1)
        if name.startswith("java"):
            return super().measure(name, size, seconds)
        words += ["--connections", FOREIGN_CONNECTIONS, "--in-flight", BATCH, "--acks", -1 if name.endswith("all") else 1]
        servers.load(self.server, "produce", *words, "--seconds", max(0.5, seconds * WARM_SHARE))
        answer = servers.measured(self.server, "produce", *words, "--seconds", seconds)
        return answer, answer["requests"], answer["requests"] / answer["seconds"], answer["cpu_s"]

    def send(self, name, size, count):
        command = servers.java("kafka-tools", "org.apache.kafka.tools.ProducerPerformance", "--bootstrap-server",
                               self.server.address, "--topic", f"{name}-{size}", "--num-records", count, "--record-size",
                               size, "--throughput", -1, "--command-property", f"acks={self.acks_of(name)}",
                               options=["-Xmx512M", "-Dorg.slf4j.simpleLogger.defaultLogLevel=error"])
        # The last line sums up; those before are of five seconds each.
        return found(r"records sent, ([\d.]+) records/sec", self.tool(command).strip().splitlines()[-1])


KINDS = {"nats": Nats, "nats-sync": NatsSync, "rabbitmq": RabbitMq, "artemis": Artemis, "artemis-sync": ArtemisSync,
         "sillok": lambda options, folder: KafkaProtocol(options, folder, "sillok"),
         "kafka": lambda options, folder: KafkaProtocol(options, folder, "kafka")}


def write(folder, name, text):
    with open(os.path.join(folder, name), "w") as file:
        file.write(text)


def groups_of(peers):
    return [group for group, (_, needed) in GROUPS.items() if all(peer in peers for peer in needed)]


def names_of(group):
    return GROUPS[group][0]


def start(group, options, folder):
    broker = KINDS[group](options, folder)
    try:
        broker.start()
    except BaseException:
        broker.stop()
        raise
    return broker


def measure(broker, name, size):
    """One row of the second table; its detail and figures."""
    seconds = max(1.0, FOREIGN_SECONDS * broker.options.scale)
    detail, messages, rate, cpu = broker.measure(name, size, seconds)
    return detail, {foreign_key(name, size, "rate"): rate, foreign_key(name, size, "mb"): rate * size / 1e6,
                    foreign_key(name, size, "cpu"): cpu / messages * 1e6}


def estimate(group, options):
    """Seconds: of the start, and of each load with the start of its tool."""
    warm = 12 + options.warm_up * WARM_SHARE / 2 * len(FOREIGN_SIZES)
    begin = {"kafka": 8 + options.warm_up, "rabbitmq": 10, "artemis": warm, "artemis-sync": warm}.get(group, 1)
    tool = 1 if group.startswith("nats") else 5
    return begin + len(names_of(group)) * len(FOREIGN_SIZES) * (FOREIGN_SECONDS * 1.8 * options.scale + tool)
