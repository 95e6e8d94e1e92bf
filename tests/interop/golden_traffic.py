"""What each client says in one pass of capture_golden.py: every call that reaches an API of Sillok's."""

import confluent_kafka
import kafka
from confluent_kafka.admin import AdminClient, ConfigResource, NewTopic, OffsetSpec
from kafka import admin as kafka_admin

import harness

TIMEOUT_S = 5


def attempt(what, call):
    """A version that a client no longer has fails here; the next step of the cap may still work."""
    try:
        return call()
    except Exception as failure:  # of whatever kind the client raises
        harness.say(f"  {what}: {type(failure).__name__} {str(failure).splitlines()[:1]}")
        return None


class JavaClient:
    name = "javaclient"
    version = "Java kafka-clients 4.4.0"
    first_step = 0

    def __init__(self, address):
        self._address = address

    def traffic(self, topic):
        done = harness.run(harness.own_java("GoldenTraffic.java", self._address, topic), check_exit=False)
        for line in done.stderr.decode().splitlines():
            harness.say(f"  {self.name} {topic} {line[:150]}")


class KafkaPython:
    name = "kafkapython"
    version = "kafka-python 3.0.12"
    first_step = 0

    def __init__(self, address):
        self._servers = {"bootstrap_servers": address, "request_timeout_ms": TIMEOUT_S * 1000}

    def traffic(self, topic):
        attempt(f"{self.name} admin", lambda: self._create(topic))
        attempt(f"{self.name} producer", lambda: self._produce(topic))
        attempt(f"{self.name} consumer", lambda: self._consume(topic))
        attempt(f"{self.name} admin", lambda: self._inspect_and_delete(topic))

    def _create(self, topic):
        client = kafka.KafkaAdminClient(**self._servers)
        attempt("create_topics", lambda: client.create_topics([kafka_admin.NewTopic(topic, 1, 1)]))
        attempt("describe_cluster", client.describe_cluster)
        attempt("list_topics", client.list_topics)
        client.close()

    def _produce(self, topic):
        for idempotent in (True, False):
            client = kafka.KafkaProducer(**self._servers, enable_idempotence=idempotent, max_block_ms=TIMEOUT_S * 1000)
            client.send(topic, b"value", b"key", headers=[("h", b"1")], partition=0,
                        timestamp_ms=1_700_000_000_000).get(TIMEOUT_S)
            client.close()

    def _consume(self, topic):
        client = kafka.KafkaConsumer(**self._servers, enable_auto_commit=False, consumer_timeout_ms=2000,
                                     auto_offset_reset="earliest", fetch_max_wait_ms=50)
        place = kafka.TopicPartition(topic, 0)
        client.assign([place])
        attempt("next", lambda: next(client))
        attempt("offsets_for_times", lambda: client.offsets_for_times({place: 1_600_000_000_000}))
        attempt("end_offsets", lambda: client.end_offsets([place]))
        client.close(autocommit=False)

    def _inspect_and_delete(self, topic):
        client = kafka.KafkaAdminClient(**self._servers)
        place = kafka.TopicPartition(topic, 0)
        resource = kafka_admin.ConfigResource("TOPIC", topic)
        attempt("describe_configs", lambda: client.describe_configs([resource]))
        attempt("list_partition_offsets",
                lambda: client.list_partition_offsets({place: kafka_admin.OffsetSpec.LATEST}))
        attempt("delete_topics", lambda: client.delete_topics([topic]))
        client.close()


class Confluent:
    name = "confluent"
    version = "confluent-kafka 2.16.1 (librdkafka 2.16.0)"
    first_step = 2  # Metadata 0 names no controller, and without a cluster id (1) describe_cluster crashes

    def __init__(self, address):
        self._settings = {"bootstrap.servers": address, "log_level": 2}

    def traffic(self, topic):
        place = confluent_kafka.TopicPartition(topic, 0, 0)
        client = AdminClient(self._settings)
        wait = {"request_timeout": TIMEOUT_S}
        attempt("create", lambda: client.create_topics([NewTopic(topic, 1, 1)], **wait)[topic].result(TIMEOUT_S))
        attempt("cluster", lambda: client.describe_cluster(**wait).result(TIMEOUT_S))
        attempt("produce", lambda: self._produce(topic))
        attempt("consume", lambda: self._consume(place))
        resource = ConfigResource(ConfigResource.Type.TOPIC, topic)
        attempt("configs", lambda: client.describe_configs([resource], **wait)[resource].result(TIMEOUT_S))
        for spec in (OffsetSpec.latest(), OffsetSpec.max_timestamp()):
            attempt("offsets", lambda spec=spec: client.list_offsets({place: spec}, **wait)[place].result(TIMEOUT_S))
        attempt("delete", lambda: client.delete_topics([topic], **wait)[topic].result(TIMEOUT_S))

    def _produce(self, topic):
        client = confluent_kafka.Producer({**self._settings, "enable.idempotence": True,
                                           "message.timeout.ms": TIMEOUT_S * 1000})
        client.produce(topic, b"value", b"key", 0, headers=[("h", b"1"), ("h", None)], timestamp=1_700_000_000_000)
        client.flush(TIMEOUT_S)

    def _consume(self, place):
        client = confluent_kafka.Consumer({**self._settings, "group.id": "unused", "enable.auto.commit": False,
                                           "fetch.wait.max.ms": 50})
        client.assign([place])
        message = client.poll(TIMEOUT_S)
        if message is not None and message.leader_epoch() is not None:
            # A position with an epoch makes the client ask for the end of that epoch.
            client.seek(confluent_kafka.TopicPartition(place.topic, 0, 1, leader_epoch=message.leader_epoch()))
            client.poll(0.3)
        attempt("times", lambda: client.offsets_for_times(
            [confluent_kafka.TopicPartition(place.topic, 0, 1_600_000_000_000)], timeout=TIMEOUT_S))
        client.close()


class Kcat:
    name = "kcat"
    version = "kcat 1.7.1 (librdkafka 2.0.2)"
    first_step = 0

    def __init__(self, address):
        self._call = [harness.tool("kcat"), "-b", address]

    def traffic(self, topic):
        run = harness.run
        run([*self._call, "-P", "-t", topic, "-K", "=", "-H", "h=1", "-X", "message.timeout.ms=5000"],
            b"key=value\n", check_exit=False)
        run([*self._call, "-C", "-t", topic, "-p", "0", "-o", "beginning", "-e", "-q"], check_exit=False)
        run([*self._call, "-C", "-t", topic, "-p", "0", "-o", "s@1600000000000", "-e", "-q"], check_exit=False)
        run([*self._call, "-L"], check_exit=False)


CLIENTS = {client.name: client for client in (JavaClient, KafkaPython, Confluent, Kcat)}
