"""Fetch sessions (KIP-227): what is in an answer, request by request; and a Java consumer of 200 partitions, which
uses one by itself. SILLOK_INTEROP_TARGET=kafka shows that Apache Kafka answers the same."""

import os
import re
import subprocess
import time

from confluent_kafka import TopicCollection
from confluent_kafka.admin import AdminClient

import confluent
import harness
from fetch_wire import BY_ID, BY_NAME, FetchClient
from harness import check, check_equal, say
from sillok_server import server

NOT_FOUND, INVALID_EPOCH, TOPIC_ID_ERROR = 70, 71, 106
OUT_OF_RANGE, UNKNOWN_PARTITION, UNKNOWN_ID, INCONSISTENT_ID = 1, 3, 100, 103
JAVA_PARTITIONS, JAVA_ROUNDS, JAVA_BUSY = 200, 20, 5


class Topics:
    """Topics by short names: the name that a test made them with is their name in what it prints."""

    def __init__(self, address, client):
        self.address, self.client = address, client
        self.admin = AdminClient({"bootstrap.servers": address})
        self.producer = confluent.producer(address, acks="1", linger_ms=50)
        self.ids = {}
        self.names = {}

    def create(self, name, partitions):
        confluent.create_topic(self.address, name, partitions)
        harness.eventually(lambda: self._find(name), f"the id of topic {name}")
        everything = [(self.ids[name], list(range(partitions)))]
        harness.eventually(lambda: not any(part.error for part in self.client.fetch(0, -1, everything).partitions),
                           f"topic {name} can be fetched")
        return self.ids[name]

    def _find(self, name):
        try:
            uuid = self.admin.describe_topics(TopicCollection([name]))[name].result(30).topic_id
        except Exception:  # it may be unknown for a moment
            return False
        halves = [uuid.get_most_significant_bits(), uuid.get_least_significant_bits()]
        self.ids[name] = b"".join((half % (1 << 64)).to_bytes(8, "big") for half in halves)
        self.names[self.ids[name]] = name
        return True

    def delete(self, name):
        self.admin.delete_topics([name])[name].result(30)

    def append(self, name, partition, count=1):
        """One batch of `count` records."""
        for i in range(count):
            self.producer.produce(name, b"value %d" % i, partition=partition)
        check_equal(self.producer.flush(30), 0, "records that were not sent")

    def shown(self, answer):
        """"a:0* b:1!3": partitions in order, a star for records, the error behind the mark."""
        return " ".join(f"{self.names.get(part.topic, part.topic if isinstance(part.topic, str) else '?')}:{part.index}"
                        + ("*" if part.records else "") + (f"!{part.error}" if part.error else "") for part in answer.partitions)


class Session:
    """A client that counts its epochs."""

    def __init__(self, client, topics, wanted, version=BY_ID):
        self.client, self.topics, self.version, self.epoch = client, topics, version, 0
        first = client.fetch(0, 0, wanted, version=version)
        check_equal(first.error, 0, "error of the first fetch")
        check(first.session > 0, f"the first fetch has session {first.session}")
        self.id, self.first = first.session, topics.shown(first)

    def answer(self, wanted=(), **more):
        self.epoch += 1
        return self.client.fetch(self.id, self.epoch, wanted, version=self.version, **more)

    def expect(self, what, text, wanted=(), **more):
        answer = self.answer(wanted, **more)
        check_equal((answer.error, answer.session), (0, self.id), f"{what}: error and session")
        check_equal(self.topics.shown(answer), text, what)
        return answer.partitions


def check_contents(client, topics):
    a, b = topics.create("a", 3), topics.create("b", 2)
    sessionless = client.fetch(0, -1, [(a, [0])])
    check_equal((sessionless.error, sessionless.session, topics.shown(sessionless)), (0, 0, "a:0"), "without a session")
    session = Session(client, topics, [(a, [0, 1, 2])])
    check_equal(session.first, "a:0 a:1 a:2", "the first answer")
    session.expect("nothing new", "")
    topics.append("a", 1)
    session.expect("records", "a:1*")
    session.expect("records that the client has not taken", "a:1*")
    session.expect("records that it has", "", [(a, [(1, 1)])])
    topics.append("a", 2, 5)
    found = session.expect("a high watermark alone", "a:2", [(a, [(2, 5)])])
    check_equal(found[0].high_watermark, 5, "high watermark")
    session.expect("a high watermark that was told", "")
    session.expect("an offset past the end", f"a:0!{OUT_OF_RANGE}", [(a, [(0, 7)])])
    session.expect("the error again", f"a:0!{OUT_OF_RANGE}")
    session.expect("its end", "a:0", [(a, [(0, 0)])])
    session.expect("nothing after it", "")
    for _ in range(2):
        found = session.expect("a diverging epoch", "a:2", [(a, [(2, 9, 0)])] if found[0].diverging is None else [])
        check_equal(found[0].diverging, (0, 5), "epoch and end")
    session.expect("no divergence any more", "", [(a, [(2, 5)])])
    session.expect("partitions that are added", "b:0 b:1", [(b, [0, 1])])
    for name, partition in (("a", 0), ("b", 0), ("b", 1)):
        topics.append(name, partition)
    session.expect("partitions that are forgotten", "b:0*", forget=[(a, [0]), (b, [1, 17])])
    session.expect("named and forgotten", "", [(b, [(0, 1), 1])], forget=[(b, [1])])
    session.expect("what comes again", "a:0", [(a, [(0, 1)])])
    say("contents of answers: as they should be")


def check_order(client, topics):
    c, d = topics.create("c", 3), topics.create("d", 1)
    session = Session(client, topics, [(c, [0, 1, 2])])
    for partition in range(3):
        topics.append("c", partition)
    session.expect("room for one", "c:0* c:1 c:2", max_bytes=1)
    session.expect("the next", "c:1*", max_bytes=1)
    session.expect("the third", "c:2*", max_bytes=1)
    session.expect("the first again", "c:0*", max_bytes=1)
    session.expect("all of them", "c:1* c:2* c:0*")
    session.expect("a topic between", "c:1* c:2* c:0* d:0", [(d, [0])])
    topics.append("d", 0)
    session.expect("neighbours, the one without records before first", "d:0* c:1* c:2* c:0*")
    twice = Session(client, topics, [(c, [(0, 9), 1, (0, 1)]), (b"\x07" * 16, [0]), (d, [0])])
    check_equal(twice.first, "c:0 c:1* d:0* ?:0!100", "a partition that is named twice, and one that does not exist")
    say("order of answers: as it should be")


def check_refusals(client, topics):
    e = topics.create("e", 2)
    session = Session(client, topics, [(e, [0, 1])])

    def refused(what, code, *request, **more):
        answer = client.fetch(*request, **more)
        check_equal((answer.error, answer.session, answer.partitions), (code, 0, []), what)

    refused("an unknown id", NOT_FOUND, session.id ^ 1, 1)
    refused("id 0", NOT_FOUND, 0, 1)
    refused("a later epoch", INVALID_EPOCH, session.id, 2)
    refused("an epoch below -1", INVALID_EPOCH, session.id, -2)
    refused("names in a session by id", TOPIC_ID_ERROR, session.id, 1, version=BY_NAME)
    session.expect("after refusals all is as before", "")
    refused("an earlier epoch", INVALID_EPOCH, session.id, 1)
    by_name = Session(client, topics, [("e", [0])], BY_NAME)
    check_equal(by_name.first, "e:0", "the first answer by name")
    refused("an id in a session by name", TOPIC_ID_ERROR, by_name.id, 1, version=BY_ID)
    by_name.expect("an unknown name", f"none:0!{UNKNOWN_PARTITION}", [("none", [0])])
    by_name.expect("the same", f"none:0!{UNKNOWN_PARTITION}")

    emptied = session.answer(forget=[(e, [0, 1])])
    check_equal((emptied.error, emptied.session, emptied.partitions), (0, 0, []), "a session that forgets everything")
    refused("and is gone", NOT_FOUND, session.id, session.epoch + 1)
    session = Session(client, topics, [(e, [0])])
    closed = client.fetch(session.id, -1, [(e, [1])])
    check_equal((closed.error, closed.session, topics.shown(closed)), (0, 0, "e:1"), "epoch -1 with an id")
    refused("a closed one", NOT_FOUND, session.id, 1)
    session = Session(client, topics, [(e, [0])])
    other = client.fetch(session.id, 0, [(e, [1])])
    check(other.session not in (0, session.id), f"a full fetch in a session got session {other.session}")
    check_equal(topics.shown(other), "e:1", "a full fetch in a session")
    refused("the session before it", NOT_FOUND, session.id, 1)
    say("refusals, and sessions that end: as they should be")


def check_deletion(client, topics):
    f, g = topics.create("f", 2), topics.create("g", 1)
    session = Session(client, topics, [(f, [0]), (g, [0])])
    session.expect("an unknown topic id", f"?:0!{UNKNOWN_ID}", [(b"\x07" * 16, [0])])
    session.expect("an unknown partition", f"?:0!{UNKNOWN_ID} f:9!{UNKNOWN_PARTITION}", [(f, [9])])
    began = time.monotonic()
    session.expect("what does not exist is no reason to hurry", f"?:0!{UNKNOWN_ID} f:9!{UNKNOWN_PARTITION}", max_wait_ms=700)
    check(time.monotonic() - began > 0.6, "an unknown topic was answered at once, though others were waited for")
    topics.delete("f")
    unknown = f"?:0!{UNKNOWN_ID} f:0!{UNKNOWN_PARTITION} f:9!{UNKNOWN_PARTITION}"
    harness.eventually(lambda: topics.shown(session.answer()) == unknown, "the deleted topic is unknown")
    topics.create("f", 2)
    inconsistent = f"f:0!{INCONSISTENT_ID} ?:0!{UNKNOWN_ID} f:9!{UNKNOWN_PARTITION}"
    harness.eventually(lambda: topics.shown(session.answer()) == inconsistent, "the one of the same name is inconsistent")
    began = time.monotonic()
    session.expect("which is told at once", inconsistent, max_wait_ms=10_000)
    check(time.monotonic() - began < 5, "an inconsistent id was waited with")
    say("deleted and remade topics: as they should be")


class Follower:
    """JavaClient follow, with the log lines of its sessions."""

    def __init__(self, folder, address, topic, partitions, count):
        self.log = os.path.join(folder, "follower.log")
        with open(self.log, "wb") as log:
            self.process = subprocess.Popen(
                harness.own_java("JavaClient.java", "follow", address, topic, partitions, count, options=(
                    "-Dorg.slf4j.simpleLogger.log.org.apache.kafka.clients.FetchSessionHandler=debug",)),
                stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=log)
        check_equal(self.process.stdout.readline(), b"ready\n", "first line of the follower")

    def lines(self):
        out, _ = self.process.communicate(timeout=120)
        check_equal(self.process.returncode, 0, "exit code of the follower")
        return out.decode().splitlines()

    def answers(self):
        """How many partitions were in each incremental answer."""
        with open(self.log) as log:
            return [int(count) for count in re.findall(r"sent an incremental fetch response .*?session \d+ with (\d+) response", log.read())]


def check_java_consumer(folder, address):
    topic = "followed"
    confluent.create_topic(address, topic, JAVA_PARTITIONS)
    sent = {}
    follower = Follower(folder, address, topic, JAVA_PARTITIONS, JAVA_ROUNDS * JAVA_BUSY)
    client = confluent.producer(address, acks="1", linger_ms=0)
    for number in range(JAVA_ROUNDS):
        for i in range(JAVA_BUSY):
            # Some partitions get records again and again, others once, most never.
            partition = i if i < 3 else 7 * number + i
            client.produce(topic, b"%d" % number, partition=partition)
            sent.setdefault(partition, []).append(str(number))
        check_equal(client.flush(30), 0, "records that were not sent")
        time.sleep(0.03)
    found = {}
    for line in follower.lines():
        partition, offset, value = line.split()
        check_equal(int(offset), len(found.setdefault(int(partition), [])), f"offset in partition {partition}")
        found[int(partition)].append(value)
    check_equal(found, sent, "what the consumer read")
    answers = follower.answers()
    check(len(answers) >= JAVA_ROUNDS / 2, f"{len(answers)} incremental answers: the consumer used no session")
    check(max(answers[1:]) <= 4 * JAVA_BUSY, f"an incremental answer has {max(answers[1:])} partitions")
    say(f"Java consumer of {JAVA_PARTITIONS} partitions: all read, {len(answers)} incremental answers of at most {max(answers[1:])}")


def test(folder):
    skipped = harness.Skipped()
    with server(folder) as broker:
        client = FetchClient(broker.address)
        topics = Topics(broker.address, client)
        check_contents(client, topics)
        check_order(client, topics)
        check_refusals(client, topics)
        check_deletion(client, topics)
        if skipped.attempt(lambda: harness.own_java("JavaClient.java")):
            check_java_consumer(folder, broker.address)
        broker.check_running()
    skipped.finish()


harness.main(test)
