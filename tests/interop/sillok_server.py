"""A broker for a test: sillokd, or Apache Kafka in its place, so that a test can itself be tested.

SILLOK_BIN names the sillokd to run. SILLOK_INTEROP_TARGET=kafka runs Apache Kafka 4.3.1 instead: a test that
fails there demands something that Kafka does not do.
"""

import os
import random
import signal
import socket
import subprocess
import time

import harness
from harness import Failure, Skip

READY_TIMEOUT_S = 60
STOP_TIMEOUT_S = 60
CLUSTER_ID = "c2lsbG9rc2lsbG9rc2lsbA"


def free_port():
    # Below the ephemeral range: while a server is down, no client socket may take its port.
    while True:
        port = random.SystemRandom().randrange(20000, 32000)
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
                return port
            except OSError:
                continue


def server(folder, settings=None, wrapper=()):
    """The broker that the environment asks for, not yet started. `wrapper` is put before its command line."""
    kind = {"sillok": Sillok, "kafka": Kafka}[os.environ.get("SILLOK_INTEROP_TARGET", "sillok")]
    return kind(folder, settings or {}, wrapper)


class Broker:
    """A broker process on one data folder and port; it may be stopped, killed and started again.

    As a context manager it is started on entry and killed on the way out, whatever happened.
    """

    ready_word = None

    def __init__(self, folder, settings, wrapper):
        self.folder = folder
        self.data = os.path.join(folder, "data")
        self.settings = settings
        self.wrapper = list(wrapper)
        self.port = free_port()
        self.address = f"127.0.0.1:{self.port}"
        self.output = os.path.join(folder, "server.log")
        self.process = None
        os.makedirs(self.data, exist_ok=True)

    def __enter__(self):
        try:
            self.start()
        except BaseException:
            self.__exit__()  # which is called only where this returns
            raise
        return self

    def __exit__(self, *_):
        if self.process is not None:
            self.kill()

    def start(self):
        """Returns the seconds until the broker said that it is ready."""
        begin = time.monotonic()
        with open(self.output, "ab") as log:
            read_from = log.tell()
            # A test that ctest kills for its time must not leave its broker behind.
            tied = ["setpriv", "--pdeathsig", "KILL"]
            self.process = subprocess.Popen(self.wrapper + tied + self.command(), stdin=subprocess.DEVNULL,
                                            stdout=log, stderr=log, start_new_session=True)
        while self.ready_word not in self._output_since(read_from):
            if self.process.poll() is not None:
                raise Failure(f"the server ended with {self.process.returncode} at start\n{self.tail()}")
            if time.monotonic() - begin > READY_TIMEOUT_S:
                raise Failure(f"the server was not ready within {READY_TIMEOUT_S} s\n{self.tail()}")
            time.sleep(0.005)
        return time.monotonic() - begin

    def stop(self):
        """SIGTERM, and the wait for a clean end."""
        self.signal(signal.SIGTERM)
        try:
            code = self.process.wait(STOP_TIMEOUT_S)
        except subprocess.TimeoutExpired:
            raise Failure(f"still running {STOP_TIMEOUT_S} s after SIGTERM\n{self.tail()}") from None
        self.process = None
        if code not in self.clean_exit_codes:
            raise Failure(f"exit code {code} after SIGTERM\n{self.tail()}")

    def kill(self):
        """kill -9, with whatever wraps it."""
        if self.process.poll() is None:
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()
        self.process = None

    def signal(self, number):
        # A wrapper such as strace is the process that was started; the broker is then its child.
        os.kill(self._broker_id(), number)

    def check_running(self):
        if self.process.poll() is not None:
            raise Failure(f"the server ended by itself with {self.process.returncode}\n{self.tail()}")

    def tail(self):
        with open(self.output, "rb") as log:
            return log.read()[-4000:].decode(errors="replace")

    def partition_folder(self, topic, partition=0):
        return os.path.join(self.data, f"{topic}-{partition}")

    def _broker_id(self):
        if not self.wrapper:
            return self.process.pid
        with open(f"/proc/{self.process.pid}/task/{self.process.pid}/children") as children:
            return int(children.read().split()[0])

    def _output_since(self, position):
        with open(self.output, "rb") as log:
            log.seek(position)
            return log.read()


class Sillok(Broker):
    ready_word = b"ready"
    clean_exit_codes = (0,)

    def command(self):
        program = os.environ.get("SILLOK_BIN", os.path.join(harness.HERE, "../../build/release/bin/sillokd"))
        if not os.access(program, os.X_OK):
            raise Skip(f"{program} is not built")
        settings = {"listeners": f"PLAINTEXT://{self.address}", "log.dirs": self.data, **self.settings}
        command = [program]
        for name, value in settings.items():
            command += ["--set", f"{name}={value}"]
        return command


class Kafka(Broker):
    ready_word = b"Kafka Server started"
    clean_exit_codes = (0, 143)
    log_level = "error"
    jars = "broker"  # which set of jars runs: harness.class_path()
    classes = ()  # folders of classes beside them

    def command(self):
        config = os.path.join(self.folder, "kafka.properties")
        if not os.path.exists(config):
            self._format(config)
        return harness.java(self.jars, "kafka.Kafka", config, options=(
            "-Xmx1g", f"-Dorg.slf4j.simpleLogger.defaultLogLevel={self.log_level}", "-Dorg.slf4j.simpleLogger.log.kafka.server=info",
            "-Dorg.slf4j.simpleLogger.log.org.apache.kafka.server=info"), classes=self.classes)

    def _format(self, config):
        controller = free_port()
        settings = {
            "process.roles": "broker,controller",
            "node.id": 1,
            "controller.quorum.voters": f"{self.settings.get('node.id', 1)}@127.0.0.1:{controller}",
            "listeners": f"PLAINTEXT://{self.address},CONTROLLER://127.0.0.1:{controller}",
            "controller.listener.names": "CONTROLLER",
            "log.dirs": self.data,
            "offsets.topic.replication.factor": 1,
            # A kill must not cost ten seconds until the controller believes that the old process is gone.
            "broker.session.timeout.ms": 2000,
            "broker.heartbeat.interval.ms": 500,
            **self.settings,
        }
        with open(config, "w") as file:
            file.writelines(f"{name}={value}\n" for name, value in settings.items()
                            if not name.startswith(("sillok.", "write.caching")))
        harness.run(harness.java(self.jars, "kafka.tools.StorageTool", "format", "-t",
                                 CLUSTER_ID, "-c", config))
