// kafka-clients (Java): partitions by assignment, no group. The command line is described in ../README.md.
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.Properties;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Future;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.AlterConfigOp;
import org.apache.kafka.clients.admin.ConfigEntry;
import org.apache.kafka.clients.admin.NewPartitions;
import org.apache.kafka.clients.admin.NewTopic;
import org.apache.kafka.clients.admin.RecordsToDelete;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.config.ConfigResource;
import org.apache.kafka.common.header.Header;
import org.apache.kafka.common.header.internals.RecordHeaders;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;
import org.apache.kafka.common.serialization.ByteArraySerializer;

public class MatrixClient {
  private static final Duration PATIENCE = Duration.ofSeconds(60);

  public static void main(String[] args) throws Exception {
    List<String> rest = Arrays.asList(args).subList(1, args.length);
    switch (args[0]) {
      case "version": System.out.println(version()); break;
      case "write": write(rest.get(0), Files.readAllLines(Path.of(rest.get(1))), rest.subList(2, rest.size())); break;
      case "read": read(rest.get(0), rest.subList(1, rest.size())); break;
      case "admin": admin(rest.get(0), rest.get(1), rest.subList(2, rest.size())); break;
      default: throw new IllegalArgumentException(args[0]);
    }
  }

  private static String version() throws Exception {
    Properties properties = new Properties();
    try (var file = KafkaProducer.class.getResourceAsStream("/kafka/kafka-version.properties")) {
      properties.load(file);
    }
    return properties.getProperty("version");
  }

  // Idempotent and acks=all, as it comes.
  private static void write(String broker, List<String> scenario, List<String> topics) throws Exception {
    for (String word : topics) {
      String[] pair = word.split("=");
      Map<String, Object> settings =
          Map.of("bootstrap.servers", broker, "compression.type", pair[1], "linger.ms", 20);
      List<Future<?>> sent = new ArrayList<>();
      try (var producer = new KafkaProducer<>(settings, new ByteArraySerializer(), new ByteArraySerializer())) {
        for (String line : scenario) sent.add(producer.send(record(pair[0], line.split(" "))));
        producer.flush();
        for (Future<?> result : sent) result.get();
      }
    }
  }

  private static ProducerRecord<byte[], byte[]> record(String topic, String[] words) throws Exception {
    RecordHeaders headers = new RecordHeaders();
    for (int i = 3; i < words.length; i++) {
      int equals = words[i].indexOf('=');
      headers.add(new String(bytes(words[i].substring(0, equals)), "UTF-8"), bytes(words[i].substring(equals + 1)));
    }
    return new ProducerRecord<>(topic, 0, Long.parseLong(words[0]), bytes(words[1]), bytes(words[2]), headers);
  }

  private static void read(String broker, List<String> topics) throws Exception {
    Map<String, Object> settings = Map.of("bootstrap.servers", broker, "enable.auto.commit", false,
        "fetch.max.wait.ms", 50, "auto.offset.reset", "none");
    StringBuilder out = new StringBuilder();
    try (var consumer = new KafkaConsumer<>(settings, new ByteArrayDeserializer(), new ByteArrayDeserializer())) {
      for (String word : topics) {
        String[] pair = word.split("=");
        TopicPartition partition = new TopicPartition(pair[0], 0);
        consumer.assign(List.of(partition));
        consumer.seekToBeginning(List.of(partition));
        out.append("topic ").append(pair[0]).append('\n');
        long deadline = System.nanoTime() + PATIENCE.toNanos();
        for (int left = Integer.parseInt(pair[1]); left > 0;) {
          if (System.nanoTime() > deadline) throw new IllegalStateException(pair[0] + ": " + left + " are left");
          for (var record : consumer.poll(Duration.ofMillis(500))) {
            print(out, record);
            --left;
          }
        }
      }
    }
    System.out.print(out);
  }

  private static void print(StringBuilder out, ConsumerRecord<byte[], byte[]> record) throws Exception {
    out.append(record.offset()).append(' ').append(record.timestamp()).append(' ')
        .append(hex(record.key())).append(' ').append(hex(record.value()));
    for (Header header : record.headers()) {
      out.append(' ').append(hex(header.key().getBytes("UTF-8"))).append('=').append(hex(header.value()));
    }
    out.append('\n');
  }

  private static void admin(String broker, String topic, List<String> steps) throws Exception {
    try (Admin admin = Admin.create(Map.of("bootstrap.servers", broker))) {
      for (String step : steps) {
        try {
          System.out.println(step + " " + call(admin, topic, step));
        } catch (ExecutionException error) {
          System.out.println(step + " refused: " + error.getCause().getClass().getSimpleName());
        }
      }
    }
  }

  private static String call(Admin admin, String topic, String step) throws Exception {
    var resource = new ConfigResource(ConfigResource.Type.TOPIC, topic);
    var first = new TopicPartition(topic, 0);
    switch (step) {
      case "create":
        var created = new NewTopic(topic, 2, (short) 1).configs(Map.of("retention.ms", "123456789"));
        admin.createTopics(List.of(created)).all().get();
        return "ok";
      case "list":
        return admin.listTopics().names().get().contains(topic) ? "found" : "absent";
      case "describe":
        var found = admin.describeTopics(List.of(topic)).allTopicNames().get().get(topic);
        return String.valueOf(found.partitions().size());
      case "configs":
        return admin.describeConfigs(List.of(resource)).all().get().get(resource).get("retention.ms").value();
      case "partitions":
        admin.createPartitions(Map.of(topic, NewPartitions.increaseTo(3))).all().get();
        return "ok";
      case "alter":
        var change = new AlterConfigOp(new ConfigEntry("retention.ms", "987654321"), AlterConfigOp.OpType.SET);
        admin.incrementalAlterConfigs(Map.of(resource, List.of(change))).all().get();
        return "ok";
      case "truncate":
        var truncated = admin.deleteRecords(Map.of(first, RecordsToDelete.beforeOffset(2)));
        return String.valueOf(truncated.lowWatermarks().get(first).get().lowWatermark());
      case "delete":
        admin.deleteTopics(List.of(topic)).all().get();
        return "ok";
      default:
        return "unknown";
    }
  }

  private static byte[] bytes(String text) {
    return text.equals("-") ? null : HexFormat.of().parseHex(text.substring(1));
  }

  private static String hex(byte[] bytes) { return bytes == null ? "-" : "x" + HexFormat.of().formatHex(bytes); }
}
