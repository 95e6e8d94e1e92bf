"""Two answers to one request, made comparable and compared field by field."""

import json
import re

PRESENT = "(present)"
AN_ANSWER = "(an answer)"
# Words of allowed.json.
SOMETHING = "(something)"  # neither null nor empty
A_NUMBER = "(a number)"  # 0 or more
# What is each server's own. The value says what is left of a field for the comparison.
OWN_FIELDS = {
    "clusterId": PRESENT,
    "host": PRESENT,
    "port": PRESENT,
    # The words are each server's own; whether there are any is not.
    "errorMessage": PRESENT,
    "batchIndexErrorMessage": PRESENT,
    "documentation": PRESENT,
    "logDir": PRESENT,
    "totalBytes": PRESENT,
    "usableBytes": PRESENT,
    "throttleTimeMs": PRESENT,
}
# Numbers that each server gives out, of which only those above 0 (and the first producer id) are such.
OWN_NUMBERS = {("InitProducerId", "producerId"), ("Fetch", "sessionId"),
               ("ApiVersions", "finalizedFeaturesEpoch"), ("DescribeQuorum", "logEndOffset"),
               ("DescribeQuorum", "highWatermark"),
               ("DescribeQuorum", "leaderEpoch")}
# Arrays whose order is that of a hash table in Kafka, and what their elements are sorted by.
UNORDERED = {
    "ApiVersions": {"apiKeys": ["apiKey"], "supportedFeatures": ["name"], "finalizedFeatures": ["name"]},
    "Metadata": {"topics": ["name", "topicId"], "partitions": ["partitionIndex"]},
    "CreateTopics": {"topics": ["name"], "configs": ["name"]},
    "DeleteTopics": {"responses": ["name", "topicId"]},
    "Produce": {"responses": ["name", "topicId"], "partitionResponses": ["index"]},
    "Fetch": {"responses": ["topic", "topicId"], "partitions": ["partitionIndex"]},
    "ListOffsets": {"topics": ["name"], "partitions": ["partitionIndex"]},
    "OffsetForLeaderEpoch": {"topics": ["topic"], "partitions": ["partition"]},
    "DescribeConfigs": {"results": ["resourceType", "resourceName"], "configs": ["name"]},
    "AlterConfigs": {"responses": ["resourceType", "resourceName"]},
    "IncrementalAlterConfigs": {"responses": ["resourceType", "resourceName"]},
    "CreatePartitions": {"results": ["name"]},
    "DeleteRecords": {"topics": ["name"], "partitions": ["partitionIndex"]},
    "DescribeLogDirs": {"topics": ["name"], "partitions": ["partitionIndex"]},
    "AlterReplicaLogDirs": {"results": ["topicName"], "partitions": ["partitionIndex"]},
    "DescribeProducers": {"activeProducers": ["producerId"]},
    "ListConfigResources": {"configResources": ["resourceType", "resourceName"]},
    "ElectLeaders": {"replicaElectionResults": ["topic"], "partitionResult": ["partitionId"]},
}
# A time this near to the present is a server's own.
OWN_CLOCK_BEFORE_MS = 60_000
OWN_CLOCK_AFTER_MS = 7_200_000


def comparable(answer, api, now):
    """The answer with what is a server's own replaced by a word for it. `now` is $now of the scenarios."""
    return _comparable(answer, api, "", now)


def _comparable(value, api, field, now):
    if isinstance(value, dict):
        return {name: _comparable(inner, api, name, now) for name, inner in value.items()}
    if isinstance(value, list):
        elements = [_comparable(inner, api, field, now) for inner in value]
        if field == "records" and len(elements) > 1 and "cut" in elements[-1]:
            elements.pop()  # the beginning of a batch that did not fit, which consumers drop
        keys = UNORDERED.get(api, {}).get(field)
        if keys:
            elements.sort(key=lambda element: [str(element.get(key, "")) for key in keys])
        return elements
    if field == "errorMessage" and value == "":
        return None  # no client tells the two apart
    if field in OWN_FIELDS:
        return value if value in (None, "") else OWN_FIELDS[field]
    first_id = (api, field, value) == ("InitProducerId", "producerId", 0)
    if first_id or ((api, field) in OWN_NUMBERS and value > 0):
        return PRESENT
    if isinstance(value, int) and not isinstance(value, bool):
        # $now is an hour ago: what is nearer to the present comes from the server's own clock.
        if now + 3_600_000 - OWN_CLOCK_BEFORE_MS < value < now + OWN_CLOCK_AFTER_MS:
            return "(the server's time)"
    return value


def differences(left, right, path=""):
    """Pairs of values that differ, as (path, left, right); what one side lacks is None there."""
    if isinstance(left, dict) and isinstance(right, dict) and ("!" in left) != ("!" in right):
        yield "!", left.get("!", AN_ANSWER), right.get("!", AN_ANSWER)
    elif isinstance(left, dict) and isinstance(right, dict):
        for name in sorted({*left, *right}):
            yield from differences(left.get(name), right.get(name), f"{path}/{name}" if path else name)
    elif isinstance(left, list) and isinstance(right, list) and _aligned(left, right):
        for at, (one, other) in enumerate(_pairs(left, right)):
            label = _label(one if one is not None else other, at)
            yield from differences(one, other, f"{path}/{label}")
    elif left != right or type(left) is not type(right):
        yield path, left, right


def _aligned(left, right):
    return len(left) == len(right) or all(_name(one) is not None for one in left + right)


def _pairs(left, right):
    """Elements of one name beside each other, where they have names; else by position."""
    names = [_name(one) for one in left], [_name(one) for one in right]
    unique = all(None not in side and len(set(side)) == len(side) for side in names)
    if not unique or names[0] == names[1]:
        longest = max(len(left), len(right))
        return [(left[at] if at < len(left) else None, right[at] if at < len(right) else None)
                for at in range(longest)]
    by_name = dict(zip(names[0], left)), dict(zip(names[1], right))
    return [(by_name[0].get(name), by_name[1].get(name)) for name in dict.fromkeys(names[0] + names[1])]


def _name(element):
    if not isinstance(element, dict):
        return None
    for field in ("name", "apiKey", "resourceName"):
        if element.get(field) not in (None, ""):
            return str(element[field])
    return None


def _label(element, at):
    name = _name(element)
    return name.replace("/", "%2F") if name is not None else str(at)


class Exceptions:
    """Entries of allowed.json: which differences are meant, and why. README.md has their form."""

    def __init__(self, entries):
        self.rules = [_Rule(entry, field, pair) for entry in entries
                      for field, pairs in entry["fields"].items() for pair in pairs]
        for entry in entries:
            unknown = entry.keys() - {"scenario", "apis", "fields", "reason"}
            if unknown or not entry["apis"] or not entry["reason"] or not all(entry["fields"].values()):
                raise ValueError(f"not an entry of allowed.json: {entry}")

    def match(self, line, path, left, right):
        """Whether some entry is about this difference."""
        found = [rule for rule in self.rules if rule.match(line, path, left, right)]
        for rule in found:
            rule.used += 1
        return bool(found)

    def unused(self, waiting):
        """Rules that nothing needed, but for those of scenarios that could not be played."""
        return [str(rule) for rule in self.rules if not rule.used and not any(map(rule.is_about, waiting))]


class _Rule:
    """One pair of values that one field may have, in the answers of some APIs."""

    def __init__(self, entry, field, pair):
        self.entry, self.field, self.pair, self.used = entry, field, pair, 0
        self.scenario = re.compile(_expression(entry.get("scenario", "*"), ".*"))
        self.path = re.compile(_expression(field, "[^/]*"))

    def __str__(self):
        return f"{self.entry.get('scenario', 'everywhere')}, {self.field}: {json.dumps(self.pair)}"

    def is_about(self, scenario):
        return "scenario" in self.entry and self.scenario.fullmatch(scenario) is not None

    def match(self, line, path, left, right):
        return (line.get("key") in self.entry["apis"] and self._match_path(path)
                and self.scenario.fullmatch(f"{line['file']}: {line['scenario']}") is not None
                and _is(left, self.pair[0]) and _is(right, self.pair[1]))

    def _match_path(self, path):
        # No answer at all, or one that is no answer, is never among what a pattern means.
        if path == "" or path.startswith("!"):
            return path == self.field
        return self.path.fullmatch(path) is not None


def _expression(pattern, star):
    """The regular expression of a pattern: * is anything that `star` says, {a,b} is a or b."""
    parts = re.split(r"(\*|\{[^}]*\})", pattern)
    for at, part in enumerate(parts):
        if part == "*":
            parts[at] = star
        elif part.startswith("{"):
            parts[at] = f"(?:{'|'.join(map(re.escape, part[1:-1].split(',')))})"
        else:
            parts[at] = re.escape(part)
    return "".join(parts)


def _is(value, wanted):
    if wanted == SOMETHING:
        return value not in (None, [], {}, "")
    if wanted == A_NUMBER:
        return type(value) is int and value >= 0
    return type(value) is type(wanted) and value == wanted


def api_of(call):
    return re.match(r"\w+", call).group()
