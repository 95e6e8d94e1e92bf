"""Every client writes with every codec, and every client reads what every other wrote: equal in key, value,
headers, timestamp and offset."""

import harness
from harness import check_equal, say
from matrix_clients import CLIENTS
from sillok_server import server


def check_written(found, written, what):
    """What a reader got is what the writer says it sent, wherever the writer could choose."""
    check_equal([offset for offset, _ in found], list(range(len(written))), f"{what}, offsets")
    got = [record._replace(timestamp=None) if sent.timestamp is None else record
           for (_, record), sent in zip(found, written)]
    check_equal(got, written, what)


def test(folder):
    skipped = harness.Skipped()
    clients = []
    for make in CLIENTS:
        skipped.attempt(lambda make=make: clients.append(make()))
    # The timestamps of the records are years old: retention would take them within the minute.
    with server(folder, {"log.retention.ms": -1}) as broker:
        written = {}
        for client in clients:
            for codec in harness.CODECS:
                topic = f"{client.name}-{codec}"
                written[topic] = client.write(broker.address, topic, codec)
            say(f"{client.name} wrote {len(harness.CODECS)} topics")
        reference = None
        for client in clients:
            if hasattr(client, "read"):
                found = client.read(broker.address, list(written))
                for topic, records in written.items():
                    check_written(found[topic], records, f"{topic} read by {client.name}")
                    # Timestamps that the writer did not choose must still be the same for all readers.
                    if reference:
                        check_equal(found[topic], reference[topic], f"{topic} read by {client.name}")
                reference = reference or found
            else:
                if not reference:
                    raise harness.Skip("no client that hands over records")
                for topic in written:
                    check_equal(client.read_text(broker.address, topic), client.expected_text(reference[topic]),
                                f"{topic} read by {client.name}")
            say(f"{client.name} read {len(written)} topics: equal")
        broker.check_running()
    skipped.finish()


harness.main(test)
