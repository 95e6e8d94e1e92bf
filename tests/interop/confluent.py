"""The confluent-kafka client (librdkafka 2.16) as the tests use it: no groups, no commits, explicit offsets."""

import time

import confluent_kafka
from confluent_kafka import KafkaError, TopicPartition
from confluent_kafka.admin import AdminClient, AlterConfigOpType, ConfigEntry, ConfigResource, NewTopic

from harness import Failure, check


def create_topic(address, topic, partitions=1, config=None):
    admin = AdminClient({"bootstrap.servers": address})
    new = NewTopic(topic, num_partitions=partitions, replication_factor=1, config=config or {})
    admin.create_topics([new])[topic].result(30)


def alter_topic(address, topic, changes):
    """`changes` of None take a config away."""
    resource = ConfigResource(ConfigResource.Type.TOPIC, topic)
    for name, value in changes.items():
        operation = AlterConfigOpType.DELETE if value is None else AlterConfigOpType.SET
        resource.add_incremental_config(ConfigEntry(name, None if value is None else str(value),
                                                    incremental_operation=operation))
    admin = AdminClient({"bootstrap.servers": address})
    admin.incremental_alter_configs([resource])[resource].result(30)


def producer(address, **settings):
    """Settings with underscores for dots. Never gives up on a record by itself: a test says when it is over."""
    base = {"bootstrap.servers": address, "acks": "all", "message.timeout.ms": 300_000,
            "reconnect.backoff.ms": 20, "reconnect.backoff.max.ms": 200, "retry.backoff.ms": 20, "log_level": 2}
    return confluent_kafka.Producer({**base, **{name.replace("_", "."): value for name, value in settings.items()}})


def consumer(address, **settings):
    base = {"bootstrap.servers": address, "group.id": "unused", "log_level": 2, "enable.auto.commit": False,
            "enable.partition.eof": True, "check.crcs": True, "auto.offset.reset": "error"}
    return confluent_kafka.Consumer({**base, **{name.replace("_", "."): value for name, value in settings.items()}})


def _watermarks(client, place):
    """Log start and end. A broker may say for a moment after its start that it does not lead the partition yet."""
    deadline = time.monotonic() + 30
    while True:
        try:
            return client.get_watermark_offsets(place, timeout=30)
        except confluent_kafka.KafkaException as error:
            if not error.args[0].retriable() and error.args[0].code() != KafkaError.NOT_LEADER_FOR_PARTITION:
                raise
            check(time.monotonic() < deadline, f"watermarks of {place.topic}: {error}")
            time.sleep(0.1)


def watermarks(address, topic, partition=0):
    client = consumer(address)
    try:
        return _watermarks(client, TopicPartition(topic, partition))
    finally:
        client.close()


def read_all(address, topic, partition=0, start=None, **settings):
    """Every message from `start` (the log start if None) to the end at the time of the call."""
    client = consumer(address, **settings)
    try:
        place = TopicPartition(topic, partition)
        low, high = _watermarks(client, place)
        place.offset = low if start is None else start
        client.assign([place])
        messages, quiet, is_at_end = [], 0, place.offset >= high
        # The last offsets may be marks of transactions, which are no messages.
        while not is_at_end and (not messages or messages[-1].offset() < high - 1):
            # Asking for no more than is left, since the call waits for the whole number.
            left = high - (messages[-1].offset() + 1 if messages else place.offset)
            batch = client.consume(min(left, 10_000), timeout=1)
            quiet = 0 if batch else quiet + 1
            check(quiet < 30, f"{topic}-{partition}: nothing more after {len(messages)} records, end is {high}")
            for message in batch:
                error = message.error()
                if error is None:
                    messages.append(message)
                elif error.code() != KafkaError._PARTITION_EOF:
                    raise Failure(f"consuming {topic}-{partition}: {error}")
                else:
                    is_at_end = message.offset() >= high
        return messages
    finally:
        client.close()


class Acknowledged:
    """Produces numbered records to the partitions of a topic in turn and notes where each was acknowledged.

    The value of a record is its number, then filler; the number alone identifies it.
    """

    def __init__(self, address, topic, partitions, **settings):
        self.topic = topic
        self.partitions = partitions
        self.sent = 0
        self.offsets = [{} for _ in range(partitions)]  # per partition: number -> offset
        self.errors = []
        self._producer = producer(address, **{"enable_idempotence": True, "linger_ms": 2, **settings})

    def send(self, count=1, filler=b"x" * 90):
        for _ in range(count):
            while not self._take(filler):
                self._producer.poll(0.1)
        self._producer.poll(0)

    def send_what_fits(self, count):
        """While no broker is up, which would let nobody wait for room in the client's queue."""
        while count > 0 and self._take(b"sent to nobody"):
            count -= 1

    def _take(self, filler):
        try:
            self._producer.produce(self.topic, b"%012d %s" % (self.sent, filler),
                                   partition=self.sent % self.partitions, on_delivery=self._delivered)
        except BufferError:
            return False
        self.sent += 1
        return True

    def give_up(self):
        """Forgets what is on its way; no acknowledgement counts any more."""
        self._producer.purge()
        self._producer = None

    def poll(self, seconds):
        self._producer.poll(seconds)

    def flush(self, timeout_s=180):
        left = self._producer.flush(timeout_s)
        check(left == 0, f"{left} records were not acknowledged within {timeout_s} s")
        check(not self.errors, f"{len(self.errors)} records failed, first: {self.errors[:1]}")

    def count(self):
        return sum(map(len, self.offsets))

    def check_log(self, address):
        """Every acknowledged record is there once, at its offset, and all stand in the order of sending."""
        for partition in range(self.partitions):
            self.check_messages(partition, read_all(address, self.topic, partition))

    def check_messages(self, partition, messages):
        numbers = [int(message.value()[:12]) for message in messages]
        for earlier, later in zip(numbers, numbers[1:]):
            check(earlier < later, f"partition {partition}: {later} stands after {earlier}")
        found = {number: message.offset() for number, message in zip(numbers, messages)}
        for number, offset in self.offsets[partition].items():
            check(found.get(number) == offset, f"partition {partition}: {number} was acknowledged at {offset}, "
                                               f"found at {found.get(number)}")

    def _delivered(self, error, message):
        if error is not None:
            self.errors.append(str(error))
            return
        number = int(message.value()[:12])
        offsets = self.offsets[message.partition()]
        if number in offsets:
            self.errors.append(f"{number} acknowledged twice")
        offsets[number] = message.offset()
