// Plays all scenarios against two servers, and writes what each answered, one JSON line an exchange, behind one of
// what the second server advertises: {"advertised": {key: [first, last]}}.
//
// Usage: Differential OUTPUT ADDRESS ADDRESS PATTERN SCENARIO_FILE...
// Only scenarios in whose "file: name" the pattern is found.
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.PrintWriter;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import org.apache.kafka.common.protocol.ApiKeys;

public final class Differential {
  private static final ObjectMapper JSON = new ObjectMapper();

  private Differential() {}

  public static void main(String[] args) throws Exception {
    String[] servers = {args[1], args[2]};
    Map<Short, int[]> rights = advertised(args[2]);
    Map<Short, int[]> common = common(advertised(args[1]), rights);
    List<Scenarios.Scenario> scenarios = new ArrayList<>();
    for (int i = 4; i < args.length; ++i) {
      for (Scenarios.Scenario scenario : Scenarios.read(Path.of(args[i]), common)) {
        if ((scenario.file + ": " + scenario.name).contains(args[3])) scenarios.add(scenario);
      }
    }
    List<CompletableFuture<List<List<Player.Exchange>>>> runs = new ArrayList<>();
    for (String server : servers) {
      runs.add(CompletableFuture.supplyAsync(() -> playAll(new Player(server, common), scenarios)));
    }
    try (PrintWriter out = new PrintWriter(args[0])) {
      out.println(JSON.createObjectNode().set("advertised", JSON.valueToTree(served(rights))));
      write(out, scenarios, runs.get(0).get(), runs.get(1).get());
    }
  }

  private static List<List<Player.Exchange>> playAll(Player player, List<Scenarios.Scenario> scenarios) {
    List<List<Player.Exchange>> all = new ArrayList<>();
    for (Scenarios.Scenario scenario : scenarios) {
      try {
        all.add(scenario.lacks == null ? player.play(scenario) : List.of());
      } catch (Exception wrong) {
        throw new IllegalStateException(scenario.name, wrong);
      }
    }
    return all;
  }

  private static void write(PrintWriter out, List<Scenarios.Scenario> scenarios,
      List<List<Player.Exchange>> left, List<List<Player.Exchange>> right) throws Exception {
    for (int i = 0; i < scenarios.size(); ++i) {
      Scenarios.Scenario scenario = scenarios.get(i);
      ObjectNode line = JSON.createObjectNode().put("file", scenario.file).put("scenario", scenario.name);
      if (scenario.lacks != null) out.println(line.put("lacks", scenario.lacks));
      List<Player.Exchange> a = left.get(i);
      List<Player.Exchange> b = right.get(i);
      for (int at = 0; at < Math.max(a.size(), b.size()); ++at) {
        Player.Exchange named = at < a.size() ? a.get(at) : b.get(at);
        line = JSON.createObjectNode().put("file", scenario.file).put("scenario", scenario.name);
        line.put("at", at).put("call", named.call).set("request", named.request);
        if (named.api != null) line.put("key", Messages.key(named.api));
        line.set("left", at < a.size() ? a.get(at).answer : null);
        line.set("right", at < b.size() ? b.get(at).answer : null);
        out.println(line.put("now", Scenarios.NOW));
      }
    }
  }

  private static Map<Short, int[]> advertised(String server) throws Exception {
    try (Connection connection = new Connection(server)) {
      JsonNode clientId = JSON.nullNode();
      connection.sendFrame(Messages.header((short) 18, (short) 0, false, 1, clientId), new byte[0]);
      ByteBuffer frame = connection.receive().frame;
      Map<Short, int[]> versions = new HashMap<>();
      for (JsonNode api : Messages.response("ApiVersions", (short) 0, false, frame).get("apiKeys")) {
        versions.put((short) api.get("apiKey").asInt(),
            new int[] {api.get("minVersion").asInt(), api.get("maxVersion").asInt()});
      }
      return versions;
    }
  }

  // Without versions that are advertised and have no layout any more: Produce is from 0, and served from 3.
  private static Map<Short, int[]> served(Map<Short, int[]> advertised) {
    Map<Short, int[]> served = new HashMap<>();
    advertised.forEach((key, range) ->
        served.put(key, new int[] {Math.max(range[0], ApiKeys.forId(key).oldestVersion()), range[1]}));
    return served;
  }

  private static Map<Short, int[]> common(Map<Short, int[]> a, Map<Short, int[]> b) {
    Map<Short, int[]> both = new HashMap<>();
    a.forEach((key, range) -> {
      int[] other = b.get(key);
      if (other == null) return;
      both.put(key, new int[] {Math.max(range[0], other[0]), Math.min(range[1], other[1])});
    });
    return both;
  }
}
