// Prints what a broker says of its configs: DescribeConfigs BROKER NODE_ID.
// One line per config, parts separated by tabs: resource type, name, value, type, source, "read-only" or "live",
// "sensitive" or "-", synonyms as NAME=VALUE@SOURCE separated by spaces. Of a topic that is made for it, and of
// the broker.
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.ConfigEntry;
import org.apache.kafka.clients.admin.DescribeConfigsOptions;
import org.apache.kafka.clients.admin.NewTopic;
import org.apache.kafka.common.config.ConfigResource;

public class DescribeConfigs {
  public static void main(String[] args) throws Exception {
    try (Admin admin = Admin.create(Map.of("bootstrap.servers", args[0]))) {
      admin.createTopics(List.of(new NewTopic("configs", 1, (short) 1))).all().get();
      print(admin, new ConfigResource(ConfigResource.Type.TOPIC, "configs"));
      print(admin, new ConfigResource(ConfigResource.Type.BROKER, args[1]));
    }
  }

  private static void print(Admin admin, ConfigResource resource) throws Exception {
    var options = new DescribeConfigsOptions().includeSynonyms(true).includeDocumentation(true);
    var entries = admin.describeConfigs(List.of(resource), options).all().get().get(resource).entries();
    for (ConfigEntry entry : entries.stream().sorted(Comparator.comparing(ConfigEntry::name)).toList()) {
      if (entry.documentation() == null || entry.documentation().isEmpty())
        throw new IllegalStateException(entry.name() + " has no documentation");
      String synonyms = entry.synonyms().stream()
          .map(synonym -> synonym.name() + "=" + synonym.value() + "@" + synonym.source())
          .collect(Collectors.joining(" "));
      System.out.println(String.join("\t", resource.type().toString(), entry.name(), String.valueOf(entry.value()),
          entry.type().toString(), entry.source().toString(), entry.isReadOnly() ? "read-only" : "live",
          entry.isSensitive() ? "sensitive" : "-", synonyms));
    }
  }
}
