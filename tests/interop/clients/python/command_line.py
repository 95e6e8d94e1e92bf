"""The command line that every client program has (../README.md describes it), for those written in Python."""

import sys

import records


class Refused(Exception):
    """The broker answered an admin call with this error."""


def main(client):
    """client has version(), write(address, records, codecs), read(address, counts) and steps(address, topic)."""
    verb, *arguments = sys.argv[1:]
    if verb == "version":
        print(client.version())
    elif verb == "write":
        address, scenario, *topics = arguments
        with open(scenario, "rb") as file:
            client.write(address, records.from_lines(file.read()), _pairs(topics, str))
    elif verb == "read":
        address, *topics = arguments
        for topic, found in client.read(address, _pairs(topics, int)):
            sys.stdout.write(f"topic {topic}\n{records.found_to_lines(found)}")
    elif verb == "admin":
        address, topic, *steps = arguments
        with client.steps(address, topic) as known:
            for step in steps:
                print(step, _outcome(known, step), flush=True)
    else:
        sys.exit(f"unknown verb {verb}")


def _outcome(known, step):
    if step not in known:
        return "unknown"
    try:
        return known[step]() or "ok"
    except Refused as refusal:
        return f"refused: {refusal}"


def _pairs(words, kind):
    return {topic: kind(value) for topic, value in (word.split("=") for word in words)}
