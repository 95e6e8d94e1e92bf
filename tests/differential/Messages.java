// Kafka's messages by name and version: a request from JSON that names only the fields that matter, an answer
// as JSON. Names, defaults and versions come from the definitions in the kafka-clients jar, the bytes from
// its own message classes.
import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.BinaryNode;
import com.fasterxml.jackson.databind.node.BooleanNode;
import com.fasterxml.jackson.databind.node.DoubleNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.LongNode;
import com.fasterxml.jackson.databind.node.NullNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import com.fasterxml.jackson.databind.node.TextNode;
import java.io.InputStream;
import java.lang.reflect.InvocationTargetException;
import java.nio.ByteBuffer;
import java.util.HashMap;
import java.util.HashSet;
import java.util.Iterator;
import java.util.Map;
import java.util.Set;
import org.apache.kafka.common.Uuid;
import org.apache.kafka.common.message.RequestHeaderData;
import org.apache.kafka.common.message.ResponseHeaderData;
import org.apache.kafka.common.protocol.ByteBufferAccessor;
import org.apache.kafka.common.protocol.Message;
import org.apache.kafka.common.protocol.ObjectSerializationCache;
import org.apache.kafka.common.protocol.Readable;
import org.apache.kafka.common.record.internal.MemoryRecords;

final class Messages {
  private static final ObjectMapper JSON = new ObjectMapper().enable(JsonParser.Feature.ALLOW_COMMENTS);
  private static final JsonNode NOTHING = JsonNodeFactory.instance.objectNode();
  private static final Map<String, Definition> DEFINITIONS = new HashMap<>();

  private Messages() {}

  // One message's definition, with the structs that it names.
  private static final class Definition {
    final JsonNode root;
    final Map<String, JsonNode> structs = new HashMap<>();

    Definition(JsonNode root) {
      this.root = root;
      collect(root);
    }

    private void collect(JsonNode node) {
      for (JsonNode struct : node.path("commonStructs")) {
        structs.put(struct.get("name").asText(), struct.get("fields"));
        collect(struct);
      }
      for (JsonNode field : node.path("fields")) {
        if (!field.has("fields")) continue;
        structs.put(element(field.get("type").asText()), field.get("fields"));
        collect(field);
      }
    }
  }

  private static synchronized Definition definition(String message) throws Exception {
    Definition found = DEFINITIONS.get(message);
    if (found != null) return found;
    try (InputStream file = Messages.class.getResourceAsStream("/common/message/" + message + ".json")) {
      if (file == null) throw new IllegalArgumentException("no message " + message);
      found = new Definition(JSON.readTree(file));
    }
    DEFINITIONS.put(message, found);
    return found;
  }

  static short key(String api) throws Exception {
    return (short) definition(api + "Request").root.get("apiKey").asInt();
  }

  // The version whose layout a request of `version` has: itself, or the nearest that there is.
  static short layout(String api, int version) throws Exception {
    String[] range = definition(api + "Request").root.get("validVersions").asText().split("-");
    int last = Integer.parseInt(range[range.length - 1]);
    return (short) Math.max(Integer.parseInt(range[0]), Math.min(last, version));
  }

  static boolean flexible(String api, short layout) throws Exception {
    return within(definition(api + "Request").root.get("flexibleVersions").asText(), layout);
  }

  static byte[] header(short key, short version, boolean flexible, int correlation, JsonNode clientId) {
    RequestHeaderData header = new RequestHeaderData().setRequestApiKey(key).setRequestApiVersion(version)
        .setCorrelationId(correlation).setClientId(clientId.isNull() ? null : clientId.asText());
    return encode(header, (short) (flexible ? 2 : 1));
  }

  static byte[] request(String api, short layout, JsonNode given) throws Exception {
    Definition definition = definition(api + "Request");
    JsonNode complete = complete(definition, definition.root.get("fields"), layout, given);
    Class<?> converter = Class.forName("org.apache.kafka.common.message." + api + "RequestDataJsonConverter");
    return encode((Message) call(converter, "read", JsonNode.class, complete, layout), layout);
  }

  // A response with its header; what is left in the buffer afterwards is said as "!trailing".
  static ObjectNode response(String api, short version, boolean flexible, ByteBuffer bytes) throws Exception {
    Readable in = new ByteBufferAccessor(bytes);
    new ResponseHeaderData(in, (short) (flexible ? 1 : 0));
    Class<?> type = Class.forName("org.apache.kafka.common.message." + api + "ResponseData");
    Object data = type.getConstructor(Readable.class, short.class).newInstance(in, version);
    Class<?> converter = Class.forName(type.getName() + "JsonConverter");
    ObjectNode answer = (ObjectNode) call(converter, "write", type, data, version);
    Definition definition = definition(api + "Response");
    readRecords(definition, definition.root.get("fields"), answer, data);
    if (bytes.hasRemaining()) answer.put("!trailing", bytes.remaining());
    return answer;
  }

  private static Object call(Class<?> converter, String name, Class<?> type, Object value, short version)
      throws Exception {
    try {
      return converter.getMethod(name, type, short.class).invoke(null, value, version);
    } catch (InvocationTargetException wrapped) {
      throw new IllegalArgumentException(wrapped.getCause());
    }
  }

  private static byte[] encode(Message data, short version) {
    ObjectSerializationCache cache = new ObjectSerializationCache();
    ByteBuffer buffer = ByteBuffer.allocate(data.size(cache, version));
    data.write(new ByteBufferAccessor(buffer), cache, version);
    return buffer.array();
  }

  // `given` with the default of every field that it does not name, and without those that the version lacks.
  private static ObjectNode complete(Definition definition, JsonNode fields, short version, JsonNode given)
      throws Exception {
    ObjectNode node = JsonNodeFactory.instance.objectNode();
    Set<String> known = new HashSet<>();
    for (JsonNode field : fields) {
      String name = name(field);
      known.add(name);
      boolean tagged = field.has("tag") && within(field.get("taggedVersions").asText(), version);
      if (!within(field.get("versions").asText(), version) || (tagged && !given.has(name))) continue;
      JsonNode value = given.has(name) ? value(definition, field, version, given.get(name)) : absent(field);
      if (value == null) value = complete(definition, structs(definition, field), version, NOTHING);
      node.set(name, value);
    }
    for (Iterator<String> names = given.fieldNames(); names.hasNext();) {
      String name = names.next();
      if (!known.contains(name)) throw new IllegalArgumentException("no field " + name + " among " + known);
    }
    return node;
  }

  private static JsonNode value(Definition definition, JsonNode field, short version, JsonNode given)
      throws Exception {
    String type = field.get("type").asText();
    if (given.isNull()) return given;
    if (type.equals("records")) return new BinaryNode(Batches.build(given));
    if (type.equals("bytes")) return new BinaryNode(Batches.bytes(given));
    JsonNode fields = structs(definition, field);
    if (fields == null) return given;
    if (!type.startsWith("[]")) return complete(definition, fields, version, given);
    ArrayNode array = JsonNodeFactory.instance.arrayNode();
    for (JsonNode one : given) array.add(complete(definition, fields, version, one));
    return array;
  }

  // Null (Java's) for a struct.
  private static JsonNode absent(JsonNode field) {
    String type = field.get("type").asText();
    String text = field.path("default").asText("");
    if (text.equals("null")) return NullNode.instance;
    if (type.startsWith("[]")) return JsonNodeFactory.instance.arrayNode();
    switch (type) {
      case "bool": return BooleanNode.valueOf(text.equals("true"));
      case "string": return new TextNode(text);
      case "uuid": return new TextNode(Uuid.ZERO_UUID.toString());
      case "bytes": case "records": return new BinaryNode(new byte[0]);
      case "float64": return new DoubleNode(0);
      case "int8": case "int16": case "uint16": case "int32": case "uint32": case "int64":
        return new LongNode(text.isEmpty() ? 0 : Long.decode(text));
      default: return null;
    }
  }

  // The converter leaves records out: they come from the message itself.
  private static void readRecords(Definition definition, JsonNode fields, ObjectNode answer, Object data)
      throws Exception {
    for (JsonNode field : fields) {
      String name = name(field);
      JsonNode nested = structs(definition, field);
      boolean records = field.get("type").asText().equals("records");
      if (!answer.has(name) || (nested == null && !records)) continue;
      Object value = data.getClass().getMethod(name).invoke(data);
      if (records && value != null) {
        answer.set(name, Batches.describe(((MemoryRecords) value).buffer()));
      } else if (value instanceof Iterable) {
        Iterator<JsonNode> elements = answer.get(name).elements();
        for (Object one : (Iterable<?>) value) {
          readRecords(definition, nested, (ObjectNode) elements.next(), one);
        }
      } else if (value != null && nested != null) {
        readRecords(definition, nested, (ObjectNode) answer.get(name), value);
      }
    }
  }

  private static JsonNode structs(Definition definition, JsonNode field) {
    return definition.structs.get(element(field.get("type").asText()));
  }

  private static String element(String type) { return type.startsWith("[]") ? type.substring(2) : type; }

  private static String name(JsonNode field) {
    String name = field.get("name").asText();
    return Character.toLowerCase(name.charAt(0)) + name.substring(1);
  }

  private static boolean within(String range, int version) {
    if (range.equals("none")) return false;
    if (range.endsWith("+")) return version >= Integer.parseInt(range.substring(0, range.length() - 1));
    String[] ends = range.split("-");
    return version >= Integer.parseInt(ends[0]) && version <= Integer.parseInt(ends[ends.length - 1]);
  }
}
