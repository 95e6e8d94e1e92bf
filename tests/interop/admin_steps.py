"""A topic's life by a client's admin calls: created, described, changed as far as the client can, ended."""

import time

import confluent
from harness import Failure, check, check_equal

CREATE_PARTITIONS = 37
DELETE_RECORDS = 21

PATIENCE_S = 15
# How clients say it, in small letters.
EXISTS = "refused: it exists"
ABSENT = "refused: there is none"
WORDS_OF_ABSENCE = ("not exist", "unknown", "does not host")


def administer(address, client, offered):
    """Returns the steps that were made, in order."""
    topic = f"admin-{client.name}"

    def make(changes, questions):
        return carry_out(address, client, topic, changes) + ask(address, client, topic, questions)

    made = make([("list", "absent"), ("create", "ok"), ("create", EXISTS)],
                [("list", "found"), ("describe", "2"), ("configs", "123456789")])
    check_offered(client, offered)
    if "partitions" in client.admin_steps:
        made += make([("partitions", "ok")], [("describe", "3")])
    if "alter" in client.admin_steps:
        made += make([("alter", "ok")], [("configs", "987654321")])
    if "truncate" in client.admin_steps:
        fill(address, topic)
        made += make([("truncate", "2")], [])
    made += make([("delete", "ok")], [("list", "absent")])
    return made + make([("delete", ABSENT)], [])


def check_offered(client, offered):
    needed = {"partitions": CREATE_PARTITIONS, "alter": client.alter_api, "truncate": DELETE_RECORDS}
    missing = [key for step, key in needed.items() if step in client.admin_steps and key not in offered]
    check(not missing, f"{client.name} needs the APIs {missing}, which are not offered")


def carry_out(address, client, topic, changes):
    found = client.admin(address, topic, [step for step, _ in changes])
    for (step, outcome), got in zip(changes, found, strict=True):
        what = f"{client.name}, admin step {step}"
        says_absent = any(word in got.lower() for word in WORDS_OF_ABSENCE)
        if outcome == EXISTS:
            check(got.startswith("refused: ") and "exist" in got.lower() and not says_absent, f"{what}, again: {got}")
        elif outcome == ABSENT:
            check(got.startswith("refused: ") and says_absent, f"{what}, again: {got}")
        else:
            check_equal(got, outcome, what)
    return [step for step, _ in changes]


def ask(address, client, topic, questions):
    questions = [(step, outcome) for step, outcome in questions if step in client.admin_steps]
    steps = [step for step, _ in questions]
    outcomes = [outcome for _, outcome in questions]
    deadline = time.monotonic() + PATIENCE_S
    found = client.admin(address, topic, steps)
    # Kafka's broker hears of a change from its controller, a little later.
    while found != outcomes and time.monotonic() < deadline:
        found = client.admin(address, topic, steps)
    check_equal(found, outcomes, f"{client.name}, admin steps {steps}")
    return steps


def fill(address, topic):
    producer = confluent.producer(address)
    for value in (b"first", b"second", b"third"):
        producer.produce(topic, value, partition=0)
    if producer.flush(30) != 0:
        raise Failure(f"{topic} could not be written to")
