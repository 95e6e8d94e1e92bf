"""kafka-dump-log finds nothing wrong in the segments and indexes that the server wrote.

It exits 0 whatever it finds, so its output is searched for the words in which it reports a fault.
"""

import glob
import os
import re
import shutil

import confluent
import harness
from harness import CODECS, check, run, say
from sillok_server import server

FAULTS = ["mismatches in", "mismatch in", "out of order", "not found in", "invalid bytes", "isvalid: false"]
SEGMENT_BYTES = 1 << 20


def load(address):
    """Batches of many sizes and of all codecs in one partition, then one with headers and nulls."""
    for round_number in range(2):
        for codec in CODECS:
            client = confluent.producer(address, compression_type=codec, enable_idempotence=round_number == 1,
                                        linger_ms=[0, 20][round_number], batch_num_messages=500)
            for i in range(6_000):
                client.produce("dumped", b"%d %s" % (i, os.urandom(i % 300)), b"key %d" % (i % 11), 0,
                               headers=[("h", b"1"), ("h", None)] if i % 50 == 0 else None)
                if i % 1_000 == 0:
                    client.poll(0)
            check(client.flush(60) == 0, f"records left with {codec}")


def dump(paths, *options):
    return run(harness.java("broker", "org.apache.kafka.tools.DumpLogSegments", "--files", ",".join(paths),
                            *options)).stdout.decode()


def fault_in(text):
    """The words around the first fault that the tool reported, or None."""
    places = [text.lower().find(fault) for fault in FAULTS if fault in text.lower()]
    return text[max(0, min(places) - 300):min(places) + 300] if places else None


def check_that_faults_are_seen(folder, scratch):
    """The tool and the words looked for still fit together: one flipped bit in a copy is reported."""
    copy = os.path.join(scratch, "%020d.log" % 0)
    shutil.copyfile(os.path.join(folder, "%020d.log" % 0), copy)
    with open(copy, "r+b") as file:
        file.seek(500)
        byte = file.read(1)[0]
        file.seek(500)
        file.write(bytes([byte ^ 1]))
    check(fault_in(dump([copy])), "kafka-dump-log did not report a flipped bit")


def check_dump(folder):
    files = {suffix: sorted(glob.glob(os.path.join(folder, f"*.{suffix}")))
             for suffix in ("log", "index", "timeindex", "snapshot")}
    for suffix in ("log", "index", "timeindex"):
        check(len(files[suffix]) >= 4, f"{len(files[suffix])} .{suffix} files: the log was not rolled")
    output = {
        "records": dump(files["log"], "--deep-iteration"),
        "indexes": dump(files["index"] + files["timeindex"]),
        "index sanity": dump(files["index"] + files["timeindex"], "--index-sanity-check"),
        "snapshots": dump(files["snapshot"]) if files["snapshot"] else "",
    }
    for what, text in output.items():
        check(not fault_in(text), f"kafka-dump-log on {what}: ...{fault_in(text)}...")
    check("Exception" not in "".join(output.values()), "kafka-dump-log met an exception")
    return len(files["log"]), len(re.findall(r"\| offset: ", output["records"]))


def test(folder):
    harness.class_path("broker")
    with server(folder, {"log.segment.bytes": SEGMENT_BYTES}) as broker:
        confluent.create_topic(broker.address, "dumped", config={"segment.bytes": SEGMENT_BYTES})
        load(broker.address)
        low, high = confluent.watermarks(broker.address, "dumped")
        broker.stop()  # trims the files that grow ahead and writes the last index entries
        segments, records = check_dump(broker.partition_folder("dumped"))
        check(records == high - low, f"kafka-dump-log printed {records} records, there are {high - low}")
        check_that_faults_are_seen(broker.partition_folder("dumped"), folder)
        say(f"{records} records in {segments} segments: no fault found")
        broker.start()
        load(broker.address)
        broker.kill()
        broker.start()  # recovery rebuilt what the kill left behind
        broker.stop()
        segments, records = check_dump(broker.partition_folder("dumped"))
        say(f"{records} records in {segments} segments after a kill: no fault found")


harness.main(test)
