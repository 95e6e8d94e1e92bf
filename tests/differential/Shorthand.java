// Requests about one partition, "topic/0" (or "topic", which is its partition 0), without the nesting of the
// message: Produce {to: ...}, Fetch {from: ...}, ListOffsets and OffsetForLeaderEpoch {of: ...}. The topic's
// name and id both stand in what comes out: each version takes the one that it has.
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.Map;
import java.util.Set;

final class Shorthand {
  private static final Set<String> FETCH_PARTITION = Set.of("currentLeaderEpoch", "fetchOffset",
      "lastFetchedEpoch", "logStartOffset", "partitionMaxBytes", "replicaDirectoryId", "highWatermark");

  private Shorthand() {}

  static JsonNode expand(String api, JsonNode request, Map<String, JsonNode> variables) {
    Map<String, String> markers =
        Map.of("Produce", "to", "Fetch", "from", "ListOffsets", "of", "OffsetForLeaderEpoch", "of");
    String marker = markers.getOrDefault(api, "none");
    if (!request.has(marker)) return request;
    ObjectNode given = ((ObjectNode) request).deepCopy();
    String[] place = given.remove(marker).asText().split("/");
    int index = place.length > 1 ? Integer.parseInt(place[1]) : 0;
    ObjectNode root = given.objectNode();
    ObjectNode topic = root.putArray(api.equals("Produce") ? "topicData" : "topics").addObject();
    topic.put(api.equals("Fetch") || api.equals("OffsetForLeaderEpoch") ? "topic" : "name", place[0]);
    JsonNode id = variables.get("id(" + place[0] + ")");
    if (id != null && (api.equals("Produce") || api.equals("Fetch"))) topic.set("topicId", id);
    ObjectNode partition = topic.putArray(api.equals("Produce") ? "partitionData" : "partitions").addObject();
    switch (api) {
      case "Produce":
        partition.put("index", index).set("records", given.remove("records"));
        root.put("acks", -1).put("timeoutMs", 10_000);
        break;
      case "Fetch":
        partition.put("partition", index).put("fetchOffset", 0).put("partitionMaxBytes", 1 << 20);
        root.put("maxWaitMs", 0).put("minBytes", 0).put("maxBytes", 1 << 20);
        for (String name : FETCH_PARTITION) if (given.has(name)) partition.set(name, given.remove(name));
        break;
      default:
        partition.put(api.equals("ListOffsets") ? "partitionIndex" : "partition", index).setAll(given);
        root.put("replicaId", -1);
        if (given.has("isolationLevel")) root.set("isolationLevel", partition.remove("isolationLevel"));
        if (given.has("replicaId")) root.set("replicaId", partition.remove("replicaId"));
        return root;
    }
    root.setAll(given);
    return root;
  }
}
