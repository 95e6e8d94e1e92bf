// Plays scenarios against one server, and keeps what it answered.
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import com.fasterxml.jackson.databind.node.TextNode;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.HexFormat;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import java.util.regex.Pattern;

final class Player {
  private static final long PATIENCE_MS = 10_000;
  private static final long POLL_MS = 10;
  private static final String ZERO_ID = "AAAAAAAAAAAAAAAAAAAAAA";
  private static final Pattern ID = Pattern.compile("[\\w-]{22}");
  private static final String PROBE = "ApiVersions";

  // One request and what came back, or a fault of the scenario itself.
  static final class Exchange {
    final String api;
    final String call;
    final JsonNode request;
    final ObjectNode answer;

    Exchange(String api, String call, JsonNode request, ObjectNode answer) {
      this.api = api;
      this.call = call;
      this.request = request;
      this.answer = answer;
    }
  }

  private static final class Sent {
    String api;
    short version;
    boolean flexible;
    int correlation;
    long at;
    long waits;  // the answer says whether it took that long, in ms; 0: it does not say
  }

  private final String address;
  private final Map<Short, int[]> common;
  private final Map<String, String> idNames = new HashMap<>();
  private final Map<String, Integer> idCounts = new HashMap<>();
  private final Connection control;
  private Map<String, Connection> connections;
  private Map<String, Sent> sent;
  private Map<String, JsonNode> variables;
  private List<Exchange> exchanges;

  Player(String address, Map<Short, int[]> common) {
    this.address = address;
    this.common = common;
    control = new Connection(address);
  }

  List<Exchange> play(Scenarios.Scenario scenario) throws Exception {
    exchanges = new ArrayList<>();
    connections = new HashMap<>();
    sent = new HashMap<>();
    variables = new HashMap<>(scenario.variables);
    try {
      JsonNode topics = scenario.body.get("topics");
      if (topics != null) makeTopics(Scenarios.substitute(topics, variables));
      for (JsonNode step : scenario.body.path("steps")) play(step);
    } catch (Exception wrong) {
      exchanges.add(new Exchange(null, "fault", null, object("!fault", wrong.toString())));
    }
    for (Connection connection : connections.values()) connection.close();
    return exchanges;
  }

  private void play(JsonNode step) throws Exception {
    String call = Scenarios.call(step);
    if (call != null) {
      String[] words = Scenarios.substitute(new TextNode(call), variables).asText().split(" ");
      String spec = words.length > 1 ? words[1] : "latest";
      JsonNode request = step.get(call);
      for (int version : Scenarios.versions(words[0], spec, common)) {
        if (call.endsWith("$v")) ask(words[0], version, Scenarios.substitute(request, variables), step);
        else askAt(words[0], version, request, step);
      }
    } else if (step.has("Frame")) {
      playFrame(step);
    } else if (step.has("Answer")) {
      String on = step.get("Answer").asText();
      Sent request = sent.remove(on);
      ObjectNode answer = receive(connection(on), request);
      nameIds(answer, false);
      exchanges.add(new Exchange(request.api, request.api + " v" + request.version + " on " + on, null, answer));
    } else if (step.has("fill")) {
      fill(Scenarios.substitute(step.get("fill"), variables));
    } else if (step.has("gone")) {
      for (JsonNode name : Scenarios.substitute(step.get("gone"), variables)) awaitGone(name.asText());
    } else {
      throw new IllegalArgumentException("what is this step: " + step);
    }
  }

  // A step for several versions sees its own as $v.
  private void askAt(String api, int version, JsonNode request, JsonNode step) throws Exception {
    Map<String, JsonNode> outer = variables;
    variables = new HashMap<>(outer);
    if (!outer.containsKey("v")) variables.put("v", JsonNodeFactory.instance.numberNode(version));
    JsonNode substituted = Scenarios.substitute(request, variables);
    variables = outer;
    ask(api, version, substituted, step);
  }

  private void ask(String api, int version, JsonNode request, JsonNode step) throws Exception {
    String on = step.path("on").asText("a");
    long deadline = System.currentTimeMillis() + PATIENCE_MS;
    while (true) {
      Sent request_sent = send(connection(on), api, version, request, step);
      if (step.path("later").asBoolean()) {
        sent.put(on, request_sent);
        return;
      }
      ObjectNode answer = step.path("silent").asBoolean() ? receiveSilence(connection(on), request_sent)
          : receive(connection(on), request_sent);
      boolean early = step.has("await") && System.currentTimeMillis() < deadline
          && !holds(Scenarios.substitute(step.get("await"), variables), answer);
      if (early) {
        Thread.sleep(POLL_MS);
        continue;
      }
      Map<String, JsonNode> kept = keep(step.path("keep"), answer);
      nameIds(answer, request.path("validateOnly").asBoolean());
      nameKeptIds(kept, answer);
      exchanges.add(new Exchange(api, api + " v" + version, request, answer));
      return;
    }
  }

  private Sent send(Connection connection, String api, int version, JsonNode request, JsonNode step)
      throws Exception {
    short layout = Messages.layout(api, step.path("as").asInt(version));
    Sent made = new Sent();
    made.api = api;
    made.version = api.equals("ApiVersions") && layout != version ? 0 : layout;
    made.flexible = Messages.flexible(api, layout);
    made.correlation = connection.nextCorrelation();
    made.waits = step.path("waits").asLong();
    byte[] header = Messages.header(Messages.key(api), (short) version, made.flexible, made.correlation,
        step.has("client_id") ? step.get("client_id") : new TextNode("differential"));
    byte[] body = step.has("body") ? HexFormat.of().parseHex(step.get("body").asText().replace(" ", ""))
        : Messages.request(api, layout, Shorthand.expand(api, request, variables));
    if (step.has("cut")) body = Arrays.copyOf(body, body.length - step.get("cut").asInt());
    if (step.has("append")) {
      byte[] more = HexFormat.of().parseHex(step.get("append").asText());
      body = Arrays.copyOf(body, body.length + more.length);
      System.arraycopy(more, 0, body, body.length - more.length, more.length);
    }
    made.at = System.nanoTime();
    connection.sendFrame(header, body);
    return made;
  }

  private ObjectNode receive(Connection connection, Sent request) throws Exception {
    Connection.Answer answer = connection.receive();
    if (answer.instead != null) return object("!", answer.instead);
    return read(answer.frame, request);
  }

  private ObjectNode read(ByteBuffer frame, Sent request) throws Exception {
    if (frame.remaining() < 4 || frame.getInt(0) != request.correlation) {
      return object("!", "an answer to another request");
    }
    boolean flexible = request.flexible && !request.api.equals("ApiVersions");
    ObjectNode answer;
    try {
      answer = Messages.response(request.api, request.version, flexible, frame);
    } catch (Exception malformed) {
      return object("!unreadable", String.valueOf(malformed.getCause()));
    }
    if (request.waits > 0) {
      answer.put("!waited", System.nanoTime() - request.at >= request.waits * 900_000);
    }
    return answer;
  }

  // Requests of one connection are answered in order: what answers a later one has not answered this one.
  private ObjectNode receiveSilence(Connection connection, Sent request) throws Exception {
    Sent probe = send(connection, PROBE, 0, object(), object());
    Connection.Answer first = connection.receive();
    if (first.instead != null) return object("!", first.instead);
    if (first.frame.getInt(0) == probe.correlation) return object("!", "silence");
    ObjectNode answer = read(first.frame, request);
    connection.receive();
    return answer;
  }

  // Bytes as they are: `Frame` behind their length, or `length` in its place. `answer` is what comes back.
  private void playFrame(JsonNode step) throws Exception {
    byte[] bytes = HexFormat.of().parseHex(step.get("Frame").asText().replace(" ", ""));
    Connection connection = connection(step.path("on").asText("a"));
    ByteBuffer frame = ByteBuffer.allocate(4 + bytes.length);
    connection.send(frame.putInt(step.path("length").asInt(bytes.length)).put(bytes).array());
    if (step.path("end").asBoolean()) connection.endOutput();
    Connection.Answer answer = connection.receive();
    String[] call = step.path("answer").asText("ApiVersions 0").split(" ");
    Sent request = new Sent();
    request.api = call[0];
    request.version = Short.parseShort(call[1]);
    request.flexible = Messages.flexible(call[0], request.version);
    request.correlation = bytes.length >= 8 ? ByteBuffer.wrap(bytes).getInt(4) : 0;
    ObjectNode result = answer.instead != null ? object("!", answer.instead) : read(answer.frame, request);
    exchanges.add(new Exchange(call[0], call[0] + " v" + call[1] + " as a frame", step.get("Frame"), result));
  }

  private Connection connection(String name) {
    return connections.computeIfAbsent(name, unused -> new Connection(address));
  }

  private Map<String, JsonNode> keep(JsonNode paths, JsonNode answer) {
    Map<String, JsonNode> kept = new HashMap<>();
    for (Iterator<String> names = paths.fieldNames(); names.hasNext();) {
      String name = names.next();
      JsonNode value = Scenarios.find(answer, Scenarios.substitute(paths.get(name), variables).asText());
      if (value.isMissingNode()) throw new IllegalArgumentException("nothing to keep as $" + name);
      kept.put(name, value);
    }
    variables.putAll(kept);
    return kept;
  }

  private static boolean holds(JsonNode conditions, JsonNode answer) {
    for (Iterator<Map.Entry<String, JsonNode>> all = conditions.fields(); all.hasNext();) {
      Map.Entry<String, JsonNode> one = all.next();
      if (!Scenarios.find(answer, one.getKey()).asText().equals(one.getValue().asText())) return false;
    }
    return true;
  }

  // Topic ids are each server's own. They are compared as what they stand for on their side: the first id that
  // a topic has is "id(topic)", and another one "id(topic) 2"; so the same id on one side is the same on the
  // other. An id that nothing gave a name stays as it is.
  private void nameIds(ObjectNode answer, boolean tried) {
    learnAll(answer, tried);
    replaceIds(answer);
  }

  private void learnAll(JsonNode node, boolean tried) {
    for (JsonNode inner : node) learnAll(inner, tried);
    if (!node.path("topicId").isTextual() || !node.path("name").isTextual()) return;
    String id = node.get("topicId").asText();
    String name = node.get("name").asText();
    if (name.isEmpty() || id.equals(ZERO_ID)) return;
    if (tried) ((ObjectNode) node).put("topicId", "(a made-up id)");
    else learn(name, id);
  }

  private void learn(String name, String id) {
    if (idNames.containsKey(id)) return;
    int number = idCounts.merge(name, 1, Integer::sum);
    idNames.put(id, "id(" + name + ")" + (number == 1 ? "" : " " + number));
  }

  // An id that a server makes up for something other than a topic is the word that it is kept as.
  private void nameKeptIds(Map<String, JsonNode> kept, ObjectNode answer) {
    kept.forEach((name, value) -> {
      if (value.isTextual() && ID.matcher(value.asText()).matches()) idNames.putIfAbsent(value.asText(), "$" + name);
    });
    replaceIds(answer);
  }

  private void replaceIds(JsonNode node) {
    if (node.isArray()) for (JsonNode one : node) replaceIds(one);
    if (!node.isObject()) return;
    for (Iterator<Map.Entry<String, JsonNode>> fields = node.fields(); fields.hasNext();) {
      Map.Entry<String, JsonNode> field = fields.next();
      String name = field.getValue().isTextual() ? idNames.get(field.getValue().asText()) : null;
      if (name != null) field.setValue(new TextNode(name));
      else replaceIds(field.getValue());
    }
  }

  // Preparation: through a connection of its own, not compared, and only done when the server serves it.

  private ObjectNode prepare(String api, int version, JsonNode request) throws Exception {
    return receive(control, send(control, api, version, request, object()));
  }

  private void makeTopics(JsonNode topics) throws Exception {
    ObjectNode request = object().put("timeoutMs", PATIENCE_MS);
    ArrayNode list = request.putArray("topics");
    for (Iterator<Map.Entry<String, JsonNode>> all = topics.fields(); all.hasNext();) {
      Map.Entry<String, JsonNode> one = all.next();
      ObjectNode topic = list.addObject().put("name", one.getKey());
      topic.put("numPartitions", one.getValue().path("partitions").asInt(1)).put("replicationFactor", 1);
      ArrayNode configs = topic.putArray("configs");
      for (Iterator<String> names = one.getValue().fieldNames(); names.hasNext();) {
        String name = names.next();
        if (name.equals("partitions")) continue;
        configs.addObject().put("name", name).put("value", one.getValue().get(name).asText());
      }
    }
    ObjectNode made = prepare("CreateTopics", 7, request);
    for (JsonNode topic : made.path("topics")) {
      if (topic.path("errorCode").asInt() != 0) throw new IllegalStateException("not made: " + topic);
      String name = topic.get("name").asText();
      variables.put("id(" + name + ")", topic.get("topicId"));
      learn(name, topic.get("topicId").asText());
      awaitServed(name, topic.get("numPartitions").asInt());
    }
  }

  private void awaitServed(String topic, int partitions) throws Exception {
    ObjectNode request = object().put("replicaId", -1);
    ArrayNode list = request.putArray("topics").addObject().put("name", topic).putArray("partitions");
    for (int i = 0; i < partitions; ++i) list.addObject().put("partitionIndex", i).put("timestamp", -2);
    await("ListOffsets", 7, request, answer -> {
      for (JsonNode partition : answer.path("topics").path(0).path("partitions")) {
        if (partition.path("errorCode").asInt() != 0) return false;
      }
      return true;
    });
  }

  private void awaitGone(String topic) throws Exception {
    ObjectNode request = object().put("allowAutoTopicCreation", false);
    request.putArray("topics").addObject().put("name", topic);
    await("Metadata", 9, request, answer -> answer.path("topics").path(0).path("errorCode").asInt() == 3);
  }

  private void await(String api, int version, JsonNode request, java.util.function.Predicate<JsonNode> wanted)
      throws Exception {
    long deadline = System.currentTimeMillis() + PATIENCE_MS;
    while (true) {
      JsonNode answer = prepare(api, version, request);
      if (wanted.test(answer)) return;
      if (System.currentTimeMillis() > deadline) throw new IllegalStateException("not in time: " + answer);
      Thread.sleep(POLL_MS);
    }
  }

  // {topic: [batch, batch]} into partition 0, {topic/2: [...]} into another.
  private void fill(JsonNode topics) throws Exception {
    for (Iterator<Map.Entry<String, JsonNode>> all = topics.fields(); all.hasNext();) {
      Map.Entry<String, JsonNode> one = all.next();
      String[] place = one.getKey().split("/");
      for (JsonNode batch : one.getValue()) {
        ObjectNode request = object().put("acks", -1).put("timeoutMs", PATIENCE_MS);
        ObjectNode partition = request.putArray("topicData").addObject().put("name", place[0])
            .putArray("partitionData").addObject();
        partition.put("index", place.length > 1 ? Integer.parseInt(place[1]) : 0).set("records", batch);
        ObjectNode answer = prepare("Produce", 9, request);
        if (Scenarios.find(answer, "responses/0/partitionResponses/0/errorCode").asInt(-1) != 0) {
          throw new IllegalStateException("not filled: " + answer);
        }
      }
    }
  }

  private static ObjectNode object() { return JsonNodeFactory.instance.objectNode(); }
  private static ObjectNode object(String name, String value) { return object().put(name, value); }
}
