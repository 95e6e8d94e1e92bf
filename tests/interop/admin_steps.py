"""A topic's life by a client's admin calls: created, described, changed where the broker offers it, ended."""

import time

import confluent
from harness import Failure, check, check_equal

# Beyond what every broker with topics offers.
CREATE_PARTITIONS = 37
DELETE_RECORDS = 21

PATIENCE_S = 15
REFUSED = "refused: it exists"


def administer(address, client, offered):
    """Returns the steps that were made, in order."""
    topic = f"admin-{client.name}"

    def make(changes, questions):
        return carry_out(address, client, topic, changes) + ask(address, client, topic, questions)

    made = make([("list", "absent"), ("create", "ok"), ("create", REFUSED)],
                [("list", "found"), ("describe", "2"), ("configs", "123456789")])
    if knows(client, "partitions", offered):
        made += make([("partitions", "ok")], [("describe", "3")])
    if knows(client, "alter", offered):
        made += make([("alter", "ok")], [("configs", "987654321")])
    if knows(client, "truncate", offered):
        fill(address, topic)
        made += make([("truncate", "2")], [])
    return made + make([("delete", "ok")], [("list", "absent")])


def knows(client, step, offered):
    needed = {"partitions": CREATE_PARTITIONS, "alter": client.alter_api, "truncate": DELETE_RECORDS}
    return step in client.admin_steps and needed[step] in offered


def carry_out(address, client, topic, changes):
    found = client.admin(address, topic, [step for step, _ in changes])
    for (step, outcome), got in zip(changes, found, strict=True):
        what = f"{client.name}, admin step {step}"
        if outcome == REFUSED:
            check(got.startswith("refused: ") and "exist" in got.lower(), f"{what}, again: {got}")
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
