// Encodes every message that Sillok speaks, at every version, with the Java client's own message classes:
// an oracle that shares no code and no author with protocol/.
//
// Usage: java -cp 'CLIENT_JARS/*' GoldenEncoder.java DEFINITIONS_FOLDER OUTPUT_FOLDER
//
// A message is filled by walking its JSON definition, so that no field of a version can be forgotten. Two
// fillings are written: "java" has something other than the default in every field, "javanull" has null
// wherever null is allowed, empty strings, negative numbers, and no tagged field.
// Beside each NAME.hex stands NAME.json, the same message as the Java client prints it.
import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.BinaryNode;
import com.fasterxml.jackson.databind.node.BooleanNode;
import com.fasterxml.jackson.databind.node.IntNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.LongNode;
import com.fasterxml.jackson.databind.node.NullNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import com.fasterxml.jackson.databind.node.TextNode;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.Map;
import org.apache.kafka.common.Uuid;
import org.apache.kafka.common.compress.Compression;
import org.apache.kafka.common.header.Header;
import org.apache.kafka.common.header.internals.RecordHeader;
import org.apache.kafka.common.protocol.ByteBufferAccessor;
import org.apache.kafka.common.protocol.Message;
import org.apache.kafka.common.protocol.ObjectSerializationCache;
import org.apache.kafka.common.record.internal.MemoryRecords;
import org.apache.kafka.common.record.internal.SimpleRecord;

public class GoldenEncoder {
  // Lowest and highest version that protocol/ speaks.
  private static final Map<String, int[]> VERSIONS = Map.ofEntries(
      Map.entry("ApiVersions", new int[] {0, 4}),
      Map.entry("Metadata", new int[] {0, 13}),
      Map.entry("Produce", new int[] {3, 13}),
      Map.entry("Fetch", new int[] {4, 18}),
      Map.entry("ListOffsets", new int[] {1, 11}),
      Map.entry("CreateTopics", new int[] {2, 7}),
      Map.entry("DeleteTopics", new int[] {1, 6}),
      Map.entry("InitProducerId", new int[] {0, 5}),
      Map.entry("DescribeConfigs", new int[] {1, 4}),
      Map.entry("DescribeCluster", new int[] {0, 2}),
      Map.entry("OffsetForLeaderEpoch", new int[] {2, 4}),
      Map.entry("DeleteRecords", new int[] {0, 2}),
      Map.entry("AlterConfigs", new int[] {0, 2}),
      Map.entry("AlterReplicaLogDirs", new int[] {1, 2}),
      Map.entry("DescribeLogDirs", new int[] {1, 5}),
      Map.entry("CreatePartitions", new int[] {0, 3}),
      Map.entry("ElectLeaders", new int[] {0, 2}),
      Map.entry("IncrementalAlterConfigs", new int[] {0, 1}),
      Map.entry("AlterPartitionReassignments", new int[] {0, 1}),
      Map.entry("ListPartitionReassignments", new int[] {0, 0}),
      Map.entry("DescribeQuorum", new int[] {0, 2}),
      Map.entry("UpdateFeatures", new int[] {0, 2}),
      Map.entry("DescribeProducers", new int[] {0, 0}),
      Map.entry("GetTelemetrySubscriptions", new int[] {0, 0}),
      Map.entry("PushTelemetry", new int[] {0, 0}),
      Map.entry("ListConfigResources", new int[] {0, 1}),
      Map.entry("DescribeTopicPartitions", new int[] {0, 0}));

  private static final ObjectMapper JSON = new ObjectMapper().enable(JsonParser.Feature.ALLOW_COMMENTS);

  public static void main(String[] args) throws Exception {
    Path definitions = Path.of(args[0]);
    Path output = Path.of(args[1]);
    for (var api : VERSIONS.entrySet()) {
      for (String direction : new String[] {"Request", "Response"}) {
        for (int version = api.getValue()[0]; version <= api.getValue()[1]; version++) {
          write(definitions, output, api.getKey() + direction, version,
              api.getKey() + ".v" + version + "." + direction.toLowerCase());
        }
      }
    }
    for (int version = 1; version <= 2; version++) {
      write(definitions, output, "RequestHeader", version, "Header.v" + version + ".request");
    }
    for (int version = 0; version <= 1; version++) {
      write(definitions, output, "ResponseHeader", version, "Header.v" + version + ".response");
    }
  }

  private static void write(Path definitions, Path output, String message, int version, String stem)
      throws Exception {
    JsonNode definition = JSON.readTree(definitions.resolve(message + ".json").toFile());
    for (boolean sparse : new boolean[] {false, true}) {
      JsonNode filled = new Filler(definition, version, sparse).message();
      Class<?> converter = Class.forName("org.apache.kafka.common.message." + message + "DataJsonConverter");
      Message data = (Message) converter.getMethod("read", JsonNode.class, short.class)
          .invoke(null, filled, (short) version);
      byte[] bytes = encode(data, (short) version);
      JsonNode printed = (JsonNode) converter.getMethod("write", data.getClass(), short.class)
          .invoke(null, data, (short) version);
      String name = stem + (sparse ? ".javanull" : ".java");
      String comment = "# Java kafka-clients 4.4.0, message class, body only"
          + (sparse ? "; null, empty or negative" : "; every field filled") + "\n";
      Files.writeString(output.resolve(name + ".hex"), comment + hex(bytes));
      Files.writeString(output.resolve(name + ".json"), JSON.writeValueAsString(printed) + "\n");
    }
  }

  private static byte[] encode(Message data, short version) {
    ObjectSerializationCache cache = new ObjectSerializationCache();
    ByteBuffer buffer = ByteBuffer.allocate(data.size(cache, version));
    data.write(new ByteBufferAccessor(buffer), cache, version);
    if (buffer.hasRemaining()) throw new IllegalStateException("size and bytes written differ");
    return buffer.array();
  }

  private static String hex(byte[] bytes) {
    StringBuilder text = new StringBuilder();
    for (int i = 0; i < bytes.length; i++) {
      text.append(String.format("%02x", bytes[i]));
      if (i % 32 == 31 || i == bytes.length - 1) text.append('\n');
    }
    return text.toString();
  }

  // Builds the JSON form of one message at one version from its definition.
  private static class Filler {
    private final JsonNode definition;
    private final int version;
    private final boolean sparse;
    private final Map<String, JsonNode> structs = new HashMap<>();
    private int count = 0;  // makes every value of a message distinct

    Filler(JsonNode definition, int version, boolean sparse) {
      this.definition = definition;
      this.version = version;
      this.sparse = sparse;
      collect(definition);
    }

    private void collect(JsonNode node) {
      for (JsonNode struct : node.path("commonStructs")) {
        structs.put(struct.get("name").asText(), struct.get("fields"));
        collect(struct);
      }
      for (JsonNode field : node.path("fields")) {
        if (!field.has("fields")) continue;
        structs.put(elementType(field.get("type").asText()), field.get("fields"));
        collect(field);
      }
    }

    JsonNode message() { return struct(definition.get("fields")); }

    private ObjectNode struct(JsonNode fields) {
      ObjectNode node = JsonNodeFactory.instance.objectNode();
      for (JsonNode field : fields) {
        if (!within(field.get("versions").asText())) continue;
        boolean tagged = field.has("tag") && within(field.get("taggedVersions").asText());
        if (tagged && sparse) continue;
        String name = field.get("name").asText();
        node.set(Character.toLowerCase(name.charAt(0)) + name.substring(1), value(field));
      }
      return node;
    }

    private JsonNode value(JsonNode field) {
      String type = field.get("type").asText();
      boolean nullable = field.has("nullableVersions") && within(field.get("nullableVersions").asText());
      if (sparse && nullable) return NullNode.instance;
      if (!type.startsWith("[]")) return scalar(field, type);
      ArrayNode array = JsonNodeFactory.instance.arrayNode();
      for (int i = 0; i < (sparse ? 1 : 2); i++) array.add(scalar(field, type.substring(2)));
      return array;
    }

    private JsonNode scalar(JsonNode field, String type) {
      int k = ++count;
      switch (type) {
        case "bool": return BooleanNode.valueOf(!sparse && !field.path("default").asText().equals("true"));
        case "int8": return new IntNode(sparse ? -1 - k % 100 : 1 + k % 100);
        case "int16": return new IntNode(sparse ? -1 - k % 100 : 1 + k % 100);
        case "uint16": return new IntNode(sparse ? 65535 - k : k);
        case "int32": return new IntNode(sparse ? -0x01020304 - k : 0x01020304 + k);
        case "int64": return new LongNode(sparse ? -0x0102030405060708L - k : 0x0102030405060708L + k);
        case "string": return new TextNode(sparse ? "" : field.get("name").asText() + "-\u00e9-" + k);
        case "uuid": return new TextNode(sparse ? Uuid.ZERO_UUID.toString() : new Uuid(0x1122334455667788L, k).toString());
        case "bytes": return new BinaryNode(sparse ? new byte[0] : new byte[] {(byte) k, 0, -1, 127});
        case "records": return new BinaryNode(batch(k));
        default: return struct(structs.get(type));
      }
    }

    private boolean within(String range) {
      if (range.equals("none")) return false;
      if (range.endsWith("+")) return version >= Integer.parseInt(range.substring(0, range.length() - 1));
      int dash = range.indexOf('-');
      if (dash < 0) return version == Integer.parseInt(range);
      return version >= Integer.parseInt(range.substring(0, dash))
          && version <= Integer.parseInt(range.substring(dash + 1));
    }
  }

  private static String elementType(String type) { return type.startsWith("[]") ? type.substring(2) : type; }

  private static byte[] batch(int k) {
    Header[] headers = {new RecordHeader("h", new byte[] {1, 2}), new RecordHeader("h", null)};
    MemoryRecords records = MemoryRecords.withRecords(Compression.NONE,
        new SimpleRecord(1700000000000L + k, "key".getBytes(), "value".getBytes(), headers),
        new SimpleRecord(1700000000001L + k, (byte[]) null, (byte[]) null));
    ByteBuffer buffer = records.buffer();
    byte[] bytes = new byte[buffer.remaining()];
    buffer.get(bytes);
    return bytes;
  }
}
