"""The clients of the matrix that are not programs of ours: kcat, the console tools of Kafka, and rsyslog. They have
the verbs that matrix_clients.py describes, and send what their input can say."""

import glob
import itertools
import os
import re
import subprocess

from confluent_kafka import KafkaException

import confluent
import harness
from harness import eventually, run
from matrix_clients import LibrdkafkaRules, Program, without_null_headers
from records import Record, from_lines


def fits_a_line(record, separator=b"\t"):
    parts = [record.key, record.value, *itertools.chain.from_iterable(record.headers)]
    return not any(character in part for part in parts if part for character in (separator, b"\n", b"\r", b"\0"))


def scenario(path):
    with open(path, "rb") as file:
        return from_lines(file.read())


class Tool(Program):
    admin_steps = ()

    def chooses_timestamp(self, record):
        return False


class Kcat(LibrdkafkaRules, Tool):
    """kcat of Debian: one set of headers a call, and a call of its own for values of null."""

    name = "kcat"
    idempotent = False
    END = "\n=====\n"

    def find_command(self):
        return [harness.tool("kcat")]

    def version(self):
        return re.search(rb"Version ([\d.]+)", run([*self.command, "-V"]).stdout).group(1).decode()

    def sends(self, records):
        return [record for record in without_null_headers(records)
                if record.key and record.value != b"" and fits_a_line(record)]

    def write(self, address, scenario_path, codecs):
        for topic, codec in codecs.items():
            for (headers, is_null), group in itertools.groupby(scenario(scenario_path), self._call_of):
                options = [word for name, value in headers for word in ("-H", name + b"=" + value)]
                lines = b"".join(record.key + b"\t" + (record.value or b"") + b"\n" for record in group)
                run([*self.command, "-P", "-b", address, "-t", topic, "-p", "0", "-z", codec, "-K", "\\t",
                     *(["-Z"] if is_null else []), *options], lines)

    @staticmethod
    def _call_of(record):
        return record.headers, record.value is None

    def read(self, address, counts):
        return {topic: list(self._read(address, topic, count)) for topic, count in counts.items()}

    def _read(self, address, topic, count):
        # Lengths, with -1 for null, stand before the bytes; headers, which have none, before a line of their own.
        text = run([*self.command, "-C", "-q", "-b", address, "-t", topic, "-p", "0", "-o", "beginning",
                    "-X", "fetch.wait.max.ms=50", "-c", str(count), "-f", "%o %T %K %S\\n%k%s%h" + self.END.replace("\n", "\\n")]).stdout
        while text:
            line, text = text.split(b"\n", 1)
            offset, timestamp, key_size, value_size = map(int, line.split(b" "))
            key, text = self._take(text, key_size)
            value, text = self._take(text, value_size)
            headers, text = text.split(self.END.encode(), 1)
            yield offset, Record(timestamp, key, value, headers)

    @staticmethod
    def _take(text, size):
        return (None, text) if size < 0 else (text[:size], text[size:])

    def seen(self, record):
        # It prints header values as C strings, up to the first zero byte.
        headers = b",".join(name + b"=" + (b"NULL" if value is None else value.split(b"\0")[0])
                            for name, value in record.headers)
        return record._replace(headers=headers)


class Console(Tool):
    """The console producer and consumer of Kafka, which print one after the other what kcat tells apart."""

    name = "console"
    reads_all_codecs = False  # a virtual machine for each topic takes its time

    def find_command(self):
        return []

    def version(self):
        text = run(harness.java("broker", "org.apache.kafka.tools.TopicCommand", "--version")).stdout
        return text.split()[0].decode()

    def sends(self, records):
        return [record for record in records if fits_a_line(record) and self._headers_are_plain(record)]

    @staticmethod
    def _headers_are_plain(record):
        return not any(character in part for header in record.headers for part in header if part
                       for character in b",:")

    def write(self, address, scenario_path, codecs):
        properties = {"parse.key": "true", "parse.headers": "true", "null.marker": "NIL"}
        options = [word for name, value in properties.items() for word in ("--reader-property", f"{name}={value}")]
        for topic, codec in codecs.items():
            run(harness.java("broker", "org.apache.kafka.tools.ConsoleProducer", "--bootstrap-server", address,
                             "--topic", topic, "--compression-codec", codec, *options),
                b"".join(self._line(record) for record in scenario(scenario_path)))

    @staticmethod
    def _line(record):
        def text(part):
            return b"NIL" if part is None else part

        headers = b",".join(name + b":" + text(value) for name, value in record.headers)
        return b"\t".join([headers or b"NIL", text(record.key), text(record.value)]) + b"\n"

    def read(self, address, counts):
        return {topic: self._read(address, topic, count) for topic, count in counts.items()}

    @staticmethod
    def _read(address, topic, count):
        properties = ["timestamp", "offset", "headers", "key", "value"]
        options = [word for name in properties for word in ("--formatter-property", f"print.{name}=true")]
        text = run(harness.java("broker", "org.apache.kafka.tools.consumer.ConsoleConsumer", "--bootstrap-server",
                                address, "--topic", topic, "--partition", 0, "--offset", "earliest",
                                "--max-messages", count, *options)).stdout
        parts = re.split(rb"^CreateTime:(\d+)\tOffset:(\d+)\t", text, flags=re.MULTILINE)[1:]
        return [(int(offset), Record(int(timestamp), None, rest))
                for timestamp, offset, rest in zip(parts[::3], parts[1::3], parts[2::3])]

    def seen(self, record):
        def text(part):
            return b"null" if part is None else part

        headers = b",".join(name + b":" + text(value) for name, value in record.headers) or b"NO_HEADERS"
        return Record(record.timestamp, None, b"%s\t%s\t%s\n" % (headers, text(record.key), text(record.value)))


class Rsyslog(LibrdkafkaRules, Tool):
    """rsyslog's output to Kafka (librdkafka of Debian), fed from a file. Its input from Kafka needs a group."""

    name = "rsyslog"
    reads = False

    def find_command(self):
        root = self.installed("rsyslog")
        # Of the machine's kind: usr/lib/x86_64-linux-gnu, usr/lib/aarch64-linux-gnu.
        [modules] = glob.glob(os.path.join(root, "usr/lib/*-linux-gnu*/rsyslog"))
        self.modules = os.path.dirname(modules)
        return ["env", f"LD_LIBRARY_PATH={self.modules}", os.path.join(root, "usr/sbin/rsyslogd")]

    def version(self):
        return run([*self.command, "-v"]).stdout.split()[1].decode()

    def sends(self, records):
        # A value from a line is never null, and headers came later.
        return [record for record in records
                if record.key and record.value and not record.headers and fits_a_line(record)]

    def write(self, address, scenario_path, codecs):
        records = scenario(scenario_path)
        config = self._write_config(address, scenario_path, codecs)
        with open(f"{scenario_path}.lines", "wb") as file:
            file.writelines(record.key + b"\t" + record.value + b"\n" for record in records)
        daemon = subprocess.Popen([*self.command, "-n", "-i", f"{scenario_path}.pid", "-f", config,
                                   "-M", os.path.join(self.modules, "rsyslog")], stderr=subprocess.PIPE)
        try:
            for topic in codecs:
                eventually(lambda topic=topic: self._size(address, topic) >= len(records),
                           f"{len(records)} records of rsyslog in {topic}")
        finally:
            daemon.terminate()
            self.complaints += daemon.communicate()[1].decode(errors="replace").splitlines()

    @staticmethod
    def _size(address, topic):
        try:
            return confluent.watermarks(address, topic)[1]
        except KafkaException:  # rsyslog has not made the topic yet
            return 0

    @staticmethod
    def _write_config(address, scenario_path, codecs):
        host, port = address.rsplit(":", 1)
        actions = "\n".join(
            f'action(type="omkafka" broker=["{host}:{port}"] topic="{topic}" template="value" dynaKey="on" key="key"'
            f' partitions.useFixed="0" confParam=["compression.codec={codec}", "enable.idempotence=true"])'
            for topic, codec in codecs.items())
        path = f"{scenario_path}.conf"
        with open(path, "w", encoding="utf-8") as file:
            file.write(f"""global(workDirectory="{os.path.dirname(scenario_path)}" maxMessageSize="1m")
module(load="imfile")
module(load="omkafka")
template(name="key" type="string" string="%msg:F,9:1%")
template(name="value" type="string" string="%msg:F,9:2%")
input(type="imfile" file="{scenario_path}.lines" tag="lines" freshStartTail="off")
{actions}
""")
        return path
