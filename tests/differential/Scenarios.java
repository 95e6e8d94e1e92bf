// The scenario files: read, and spread over the versions that both servers serve. README.md has the format.
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.IntNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.LongNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import com.fasterxml.jackson.databind.node.TextNode;
import com.fasterxml.jackson.dataformat.yaml.YAMLFactory;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

final class Scenarios {
  // An hour ago, so that what a server's own clock says can be told from what a request said.
  static final long NOW = System.currentTimeMillis() / 1000 * 1000 - 3_600_000;

  private static final ObjectMapper YAML = new ObjectMapper(new YAMLFactory());
  private static final Pattern VARIABLE =
      Pattern.compile("\\$\\{(\\w+)([+-]\\d+)?\\}|\\$(id\\([^)]*\\)|times\\([^)]*\\)|[a-z_]+)");

  private Scenarios() {}

  // One run of a scenario, at one version where it is for several.
  static final class Scenario {
    final String file;
    final String name;
    final JsonNode body;
    final Map<String, JsonNode> variables = new HashMap<>();
    String lacks;  // an API that not both servers have

    Scenario(String file, String name, JsonNode body) {
      this.file = file;
      this.name = name;
      this.body = body;
      variables.put("now", new LongNode(NOW));
      variables.put("zero_id", new TextNode("AAAAAAAAAAAAAAAAAAAAAA"));
      variables.put("unknown_id", new TextNode("c2lsbG9rLXVua25vd24tIA"));
    }
  }

  // `common`: the versions that both servers advertise, by API key.
  static List<Scenario> read(Path path, Map<Short, int[]> common) throws Exception {
    List<Scenario> all = new ArrayList<>();
    String file = path.getFileName().toString();
    for (JsonNode body : YAML.readTree(path.toFile())) {
      String name = body.get("is").asText();
      if (!body.has("versions_of")) {
        all.add(checked(new Scenario(file, name, body), common));
        continue;
      }
      String[] call = body.get("versions_of").asText().split(" ");
      if (!common.containsKey(Messages.key(call[0]))) {
        Scenario skipped = new Scenario(file, name, body);
        skipped.lacks = call[0];
        all.add(skipped);
        continue;
      }
      for (int version : versions(call[0], call.length > 1 ? call[1] : "all", common)) {
        Scenario one = new Scenario(file, name + " [" + call[0] + " v" + version + "]", body);
        one.variables.put("v", new IntNode(version));
        all.add(checked(one, common));
      }
    }
    return all;
  }

  private static Scenario checked(Scenario scenario, Map<Short, int[]> common) throws Exception {
    for (JsonNode step : scenario.body.path("steps")) {
      String call = call(step);
      if (call == null) continue;
      String api = call.split(" ")[0];
      if (!common.containsKey(Messages.key(api))) scenario.lacks = api;
    }
    return scenario;
  }

  // The "Api versions" of a step that is a request, else null.
  static String call(JsonNode step) {
    String first = step.fieldNames().next();
    if (first.equals("Frame") || first.equals("Answer")) return null;
    return Character.isUpperCase(first.charAt(0)) ? first : null;
  }

  // "all", "3", "3-8", "5+", "latest", "first"; numbers may lie outside of what is served.
  static List<Integer> versions(String api, String spec, Map<Short, int[]> common) throws Exception {
    int[] range = common.getOrDefault(Messages.key(api), new int[] {0, 0});
    int first = Messages.layout(api, range[0]);  // Produce is advertised from 0, and served from 3
    int last = range[1];
    if (spec.equals("latest")) first = last;
    else if (spec.equals("first")) last = first;
    else if (spec.endsWith("+")) first = Integer.parseInt(spec.substring(0, spec.length() - 1));
    else if (spec.indexOf('-') > 0) {
      first = Math.max(first, Integer.parseInt(spec.substring(0, spec.indexOf('-'))));
      last = Math.min(last, Integer.parseInt(spec.substring(spec.indexOf('-') + 1)));
    } else if (!spec.equals("all")) {
      first = Integer.parseInt(spec);
      last = first;
    }
    List<Integer> versions = new ArrayList<>();
    for (int version = first; version <= last; ++version) versions.add(version);
    return versions;
  }

  // What `given` says once $names have their values. Text that is one variable alone becomes of its type.
  static JsonNode substitute(JsonNode given, Map<String, JsonNode> variables) {
    if (given.isTextual()) return substitute(given.asText(), variables);
    if (given.isArray()) {
      var array = JsonNodeFactory.instance.arrayNode();
      for (JsonNode one : given) array.add(substitute(one, variables));
      return array;
    }
    if (!given.isObject()) return given;
    ObjectNode object = JsonNodeFactory.instance.objectNode();
    for (Iterator<Map.Entry<String, JsonNode>> fields = given.fields(); fields.hasNext();) {
      Map.Entry<String, JsonNode> field = fields.next();
      object.set(substitute(field.getKey(), variables).asText(), substitute(field.getValue(), variables));
    }
    return object;
  }

  private static JsonNode substitute(String text, Map<String, JsonNode> variables) {
    Matcher found = VARIABLE.matcher(text);
    if (!found.find()) return new TextNode(text);
    StringBuilder changed = new StringBuilder();
    do {
      String name = found.group(1) != null ? found.group(1) : found.group(3);
      if (name.startsWith("times(")) {
        int space = name.indexOf(' ');
        String repeated = name.substring(space + 1, name.length() - 1);
        int count = Integer.parseInt(name.substring("times(".length(), space));
        found.appendReplacement(changed, Matcher.quoteReplacement(repeated.repeat(count)));
        continue;
      }
      if (name.startsWith("id(")) name = substitute(name, variables).asText();
      JsonNode value = variables.get(name);
      if (value == null) throw new IllegalArgumentException("no variable $" + name + " in " + text);
      if (found.group(2) != null) value = new LongNode(value.asLong() + Long.parseLong(found.group(2)));
      if (found.start() == 0 && found.end() == text.length()) return value;
      found.appendReplacement(changed, Matcher.quoteReplacement(value.asText()));
    } while (found.find());
    return new TextNode(found.appendTail(changed).toString());
  }

  // "topics/0/name": an index, or the text of any field of the wanted element.
  static JsonNode find(JsonNode in, String path) {
    for (String part : path.split("/")) {
      JsonNode next = in.isArray() && part.matches("\\d+") ? in.path(Integer.parseInt(part)) : in.path(part);
      if (in.isArray() && next.isMissingNode()) {
        for (JsonNode element : in) {
          for (JsonNode field : element) if (field.isTextual() && field.asText().equals(part)) next = element;
        }
      }
      in = next;
    }
    return in;
  }
}
