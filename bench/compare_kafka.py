#!/usr/bin/env python3
"""Sillok beside Apache Kafka 4.3.1 on this machine: CPU time, throughput, memory and start-up under one load.

The server runs on one core and the load on another. Both servers of a round are up; the one that is not being
measured is stopped with SIGSTOP. Rounds alternate the order, and every figure is the median of the rounds.

  bench/compare_kafka.py                        both servers, everything, three rounds
  bench/compare_kafka.py --server kafka --only produce-150,fetch --rounds 1
  bench/compare_kafka.py --ballast 24           fills the page cache with one clean file of 24 GB before each part

Prints a Markdown table, and with --json FILE writes every single figure.
"""

import argparse
import json
import os
import shutil
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import time

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
CACHE = os.environ.get("SILLOK_CACHE", os.path.expanduser("~/.cache/sillok"))
TICKS = os.sysconf("SC_CLK_TCK")
NEVER_MS = 9223372036854775807
GB = 1e9

# What Kafka's own start script gives the JVM.
KAFKA_JVM = ["-Xmx1G", "-Xms1G", "-server", "-XX:+UseG1GC", "-XX:MaxGCPauseMillis=20",
             "-XX:InitiatingHeapOccupancyPercent=35", "-XX:+ExplicitGCInvokesConcurrent", "-Djava.awt.headless=true"]

# name: (title, unit, target as a ratio of Kafka's figure or an absolute number, whether less is better)
FIGURES = {
    "produce-150 cpu": ("server CPU per GB: produce, 150 x 100 B a request, acks=1, 4 connections", "CPU s/GB", "0.35x"),
    "produce-150 rate": ("the same, throughput", "MB/s", ""),
    "produce-1 rate": ("produce, one 100 B record a request, 10 connections x 5 in flight", "requests/s", "3x"),
    "produce-1 cpu": ("the same, server CPU", "us/request", "0.3x"),
    "fetch rate": ("fetch of 1 MiB, one consumer, page cache", "GB/s", "1.3x"),
    "fetch cpu": ("the same, server CPU", "CPU s/GB", "0.8x"),
    "memory rss": ("resident memory after these", "MB", "60 MB"),
    "start first-ack": ("start of the process to the first acknowledged record", "s", "0.1 s"),
    "restart first-ack": ("restart after kill -9 with {gb:g} GB in the log, to the first acknowledged record", "s", "1 s"),
}
PARTS = ["produce-150", "produce-1", "fetch", "memory", "start", "restart"]


def say(text):
    print(f"[{time.strftime('%H:%M:%S')}] {text}", file=sys.stderr, flush=True)


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Server:
    """One broker process on a folder of its own, pinned to the server core."""

    def __init__(self, options, folder):
        self.options = options
        self.folder = folder
        self.data = os.path.join(folder, "data")
        self.address = f"127.0.0.1:{free_port()}"
        self.pid = None
        os.makedirs(self.data)

    def command(self):
        return ["taskset", "-c", str(self.options.server_core)] + self.server_command()

    def start(self, topic="first"):
        """Starts the process; returns the seconds from fork to its first acknowledged record."""
        log = os.path.join(self.folder, "server.log")
        shell = " ".join(f"'{word}'" for word in self.command()) + f" >>'{log}' 2>&1"
        answer = load(self, "first-ack", "--topic", topic, "--exec", shell, "--keep", "--timeout", 300)
        self.pid = answer["pid"]
        return answer["ms"] / 1000

    def signal(self, number):
        os.kill(self.pid, number)

    def resume(self):
        """After SIGSTOP. Kafka's controller may have given the broker up meanwhile: no topic can be made until it is back."""
        self.signal(signal.SIGCONT)
        load(self, "first-ack", "--topic", f"resumed-{time.monotonic_ns()}", "--timeout", 60)

    def kill(self):
        if self.pid is None:
            return
        self.signal(signal.SIGKILL)
        while os.path.exists(f"/proc/{self.pid}") and not is_gone(self.pid):
            time.sleep(0.01)
        self.pid = None

    def cpu_seconds(self):
        with open(f"/proc/{self.pid}/stat") as stat:
            fields = stat.read().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / TICKS

    def resident_mb(self):
        with open(f"/proc/{self.pid}/status") as status:
            for line in status:
                if line.startswith("VmRSS:"):
                    return int(line.split()[1]) * 1024 / 1e6
        raise RuntimeError("no VmRSS")


def is_gone(pid):
    """Whether a killed process holds nothing any more. Its first thread may be a zombie long before its last one, which
    can sit in an fdatasync and hold lock and port until that returns."""
    try:
        with open(f"/proc/{pid}/stat") as stat:
            is_zombie = stat.read().rpartition(")")[2].split()[0] == "Z"
        return is_zombie and len(os.listdir(f"/proc/{pid}/task")) <= 1
    except FileNotFoundError:
        return True


class Sillok(Server):
    name = "sillok"

    def server_command(self):
        # Kafka leaves flushing to the kernel; these two settings make Sillok do the same.
        return [self.options.sillokd,
                "--set", f"listeners=PLAINTEXT://{self.address}", "--set", f"log.dirs={self.data}",
                "--set", f"log.flush.interval.ms={NEVER_MS}", "--set", "write.caching=true"]


class Kafka(Server):
    name = "kafka"

    def __init__(self, options, folder):
        super().__init__(options, folder)
        controller = free_port()
        self.config = os.path.join(folder, "kafka.properties")
        settings = {
            "process.roles": "broker,controller", "node.id": 1,
            "controller.quorum.voters": f"1@127.0.0.1:{controller}",
            "listeners": f"PLAINTEXT://{self.address},CONTROLLER://127.0.0.1:{controller}",
            "controller.listener.names": "CONTROLLER", "log.dirs": self.data,
            "offsets.topic.replication.factor": 1,
        }
        with open(self.config, "w") as file:
            file.writelines(f"{name}={value}\n" for name, value in settings.items())
        subprocess.run(self.java("kafka.tools.StorageTool", "format", "-t", "c2lsbG9rc2lsbG9rc2lsbA",
                                 "-c", self.config), check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    def java(self, *words):
        jars = os.path.join(CACHE, "java", "broker", "*")
        return ["java", *KAFKA_JVM, "-Dorg.slf4j.simpleLogger.defaultLogLevel=warn", "-cp", jars, *words]

    def server_command(self):
        return self.java("kafka.Kafka", self.config)


KINDS = {"sillok": Sillok, "kafka": Kafka}


def load(server, mode, *words):
    command = ["taskset", "-c", str(server.options.load_core), server.options.load, mode,
               "--brokers", server.address, *map(str, words)]
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=3600)
    if done.returncode != 0:
        raise RuntimeError(f"{' '.join(command)}: {done.stderr.decode()[-2000:]}{done.stdout.decode()[-500:]}")
    return json.loads(done.stdout)


def measured(server, mode, *words):
    """A load, with the CPU seconds that the server spent on it."""
    os.sync()
    before = server.cpu_seconds()
    answer = load(server, mode, *words)
    answer["cpu_s"] = server.cpu_seconds() - before
    return answer


def produce_150(server, options, topic, gigabytes):
    requests = max(1, int(gigabytes * GB / (150 * 100)))
    return measured(server, "produce", "--topic", topic, "--connections", 4, "--in-flight", 5, "--records", 150,
                    "--record-bytes", 100, "--acks", 1, "--seconds", 3600, "--requests", requests)


def part_produce_150(server, options, round_number):
    answer = produce_150(server, options, f"batches-{round_number}", options.produce_gb)
    return {"produce-150 cpu": answer["cpu_s"] / (answer["bytes"] / GB), "produce-150 rate": answer["mb_per_s"]}


def part_produce_1(server, options, round_number):
    answer = measured(server, "produce", "--topic", f"singles-{round_number}", "--connections", 10, "--in-flight", 5,
                      "--records", 1, "--record-bytes", 100, "--acks", 1, "--seconds", options.seconds)
    return {"produce-1 rate": answer["requests_per_s"], "produce-1 cpu": answer["cpu_s"] / answer["requests"] * 1e6}


def part_fetch(server, options, round_number):
    topic = f"batches-{round_number}"
    if "produce-150" not in options.only:
        produce_150(server, options, topic, options.produce_gb)
    load(server, "fetch", "--topic", topic, "--seconds", 2)  # what the page cache lost comes back
    answer = measured(server, "fetch", "--topic", topic, "--max-bytes", 1 << 20, "--seconds", options.seconds)
    return {"fetch rate": answer["bytes"] / answer["seconds"] / GB, "fetch cpu": answer["cpu_s"] / (answer["bytes"] / GB)}


def part_memory(server, options, round_number):
    return {"memory rss": server.resident_mb()}


def part_restart(server, options, round_number):
    produce_150(server, options, "restart", options.restart_gb)
    os.sync()
    server.kill()
    return {"restart first-ack": server.start("restart")}


STEPS = {"produce-150": part_produce_150, "produce-1": part_produce_1, "fetch": part_fetch, "memory": part_memory}


def warm_up(server, options):
    """A JIT compiler needs some seconds of each kind of load; what is measured is the steady state."""
    produce_150(server, options, "warm", options.warm_up_gb)
    load(server, "produce", "--topic", "warm", "--connections", 10, "--in-flight", 5, "--seconds", options.warm_up_seconds)
    load(server, "fetch", "--topic", "warm", "--seconds", options.warm_up_seconds)


def run_round(options, folder, round_number, results):
    kinds = options.servers if round_number % 2 == 0 else options.servers[::-1]
    servers = []
    try:
        for kind in kinds:
            server = KINDS[kind](options, os.path.join(folder, f"{kind}-{round_number}"))
            servers.append(server)
            note(results, server, {"start first-ack": server.start()} if "start" in options.only else {})
            if server.pid is None:
                server.start()
            if any(part in STEPS for part in options.only):
                warm_up(server, options)
            server.signal(signal.SIGSTOP)
        for part in [part for part in STEPS if part in options.only]:
            for server in servers:
                ballast(options)
                server.resume()
                note(results, server, STEPS[part](server, options, round_number))
                server.signal(signal.SIGSTOP)
        if "restart" in options.only:
            for server in servers:
                ballast(options)
                server.resume()
                note(results, server, part_restart(server, options, round_number))
                server.signal(signal.SIGSTOP)
    finally:
        for server in servers:
            server.kill()
            shutil.rmtree(server.folder, ignore_errors=True)


def note(results, server, figures):
    for figure, value in figures.items():
        say(f"{server.name}: {figure} {value:.4g} {FIGURES[figure][1]}")
        results.setdefault(figure, {}).setdefault(server.name, []).append(value)


def ballast(options):
    """One clean file in the page cache, so that fresh pages are recycled ones and not faults of the machine."""
    if options.ballast <= 0:
        return
    path = os.path.join(options.dir or tempfile.gettempdir(), "sillok-bench-ballast")
    size = int(options.ballast * GB)
    if not os.path.exists(path) or os.path.getsize(path) != size:
        say(f"writing a ballast of {options.ballast:g} GB")
        block = os.urandom(1 << 20)
        with open(path, "wb") as file:
            for start in range(0, size, len(block)):
                file.write(block[:size - start])
            os.fsync(file.fileno())
    with open(path, "rb", buffering=0) as file:
        buffer = bytearray(1 << 20)
        while file.readinto(buffer):
            pass


def table(results, options):
    lines = ["| what | Apache Kafka 4.3.1 | Sillok | ratio | to reach |", "|---|---|---|---|---|"]
    for figure, (title, unit, target) in FIGURES.items():
        if figure not in results:
            continue
        medians = {name: statistics.median(values) for name, values in results[figure].items()}
        cell = {name: f"{value:,.4g} {unit}" if value < 1000 else f"{value:,.0f} {unit}" for name, value in medians.items()}
        ratio = f"{medians['sillok'] / medians['kafka']:.2f}x" if len(medians) == 2 else "-"
        lines.append(f"| {title.format(gb=options.restart_gb)} | {cell.get('kafka', '-')} | {cell.get('sillok', '-')} "
                     f"| {ratio} | {target} |")
    return "\n".join(lines)


def parse():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--server", default="kafka,sillok", help="which to run (default both)")
    parser.add_argument("--only", default=",".join(PARTS), help=f"parts, of {','.join(PARTS)}")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--sillokd", default=os.path.join(ROOT, "build/release/bin/sillokd"))
    parser.add_argument("--load", default=os.path.join(ROOT, "build/release/bin/sillok_load"))
    parser.add_argument("--server-core", type=int, default=0)
    parser.add_argument("--load-core", type=int, default=1)
    parser.add_argument("--seconds", type=float, default=10, help="length of the loads that run by time")
    parser.add_argument("--produce-gb", type=float, default=2, help="how much produce-150 writes")
    parser.add_argument("--restart-gb", type=float, default=5, help="how much the restarted log holds")
    parser.add_argument("--warm-up-gb", type=float, default=1)
    parser.add_argument("--warm-up-seconds", type=float, default=5)
    parser.add_argument("--ballast", type=float, default=0, metavar="GB",
                        help="size of the clean file, best the machine's memory: what is free then is given out again, "
                             "and not fetched anew from the host (default none)")
    parser.add_argument("--dir", default=None, help="where data folders are made (default the system's)")
    parser.add_argument("--json", default=None, metavar="FILE")
    options = parser.parse_args()
    options.servers = options.server.split(",")
    options.only = options.only.split(",")
    for name in options.servers:
        if name not in KINDS:
            parser.error(f"--server {name}: of {','.join(KINDS)}")
    for part in options.only:
        if part not in PARTS:
            parser.error(f"--only {part}: of {','.join(PARTS)}")
    return options


def main():
    options = parse()
    results = {}
    folder = tempfile.mkdtemp(prefix="sillok-bench-", dir=options.dir)
    try:
        for round_number in range(options.rounds):
            say(f"round {round_number + 1} of {options.rounds}")
            run_round(options, folder, round_number, results)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
        if options.json:
            with open(options.json, "w") as file:
                json.dump({"time": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()), "rounds": options.rounds,
                           "figures": results}, file, indent=1)
    print(table(results, options))


if __name__ == "__main__":
    main()
