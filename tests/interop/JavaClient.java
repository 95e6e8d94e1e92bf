// A produce and a consume with the Java client, and the admin calls of which the command-line tools have no verb.
//
//   JavaClient produce BROKER TOPIC CODEC    reads records from stdin
//   JavaClient consume BROKER TOPIC...       prints partition 0 of each topic from its beginning to its end
//   JavaClient follow BROKER TOPIC PARTITIONS COUNT    prints "ready", then as many records as they come to these
//                                            partitions, as "PARTITION OFFSET TEXT"
//   JavaClient admin BROKER                  describes the cluster and a topic's configuration
//
// A record is one line: "TIMESTAMP KEY VALUE [NAME=VALUE]...". Each part but the timestamp is "-" for null, or
// "x" and hexadecimal digits. consume puts the offset before it, and a line "topic NAME" before each topic.
import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Future;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.NewTopic;
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

public class JavaClient {
  public static void main(String[] args) throws Exception {
    switch (args[0]) {
      case "produce": produce(args[1], args[2], args[3]); break;
      case "consume": consume(args[1], Arrays.copyOfRange(args, 2, args.length)); break;
      case "follow": follow(args[1], args[2], Integer.parseInt(args[3]), Integer.parseInt(args[4])); break;
      case "admin": admin(args[1]); break;
      default: throw new IllegalArgumentException(args[0]);
    }
  }

  private static void produce(String broker, String topic, String codec) throws Exception {
    Map<String, Object> settings = Map.of("bootstrap.servers", broker, "compression.type", codec, "linger.ms", 20);
    List<Future<?>> sent = new ArrayList<>();
    try (var producer = new KafkaProducer<>(settings, new ByteArraySerializer(), new ByteArraySerializer());
        var lines = new BufferedReader(new InputStreamReader(System.in))) {
      for (String line = lines.readLine(); line != null; line = lines.readLine()) {
        String[] words = line.split(" ");
        RecordHeaders headers = new RecordHeaders();
        for (int i = 3; i < words.length; i++) {
          int equals = words[i].indexOf('=');
          headers.add(new String(bytes(words[i].substring(0, equals)), "UTF-8"), bytes(words[i].substring(equals + 1)));
        }
        sent.add(producer.send(new ProducerRecord<>(
            topic, 0, Long.parseLong(words[0]), bytes(words[1]), bytes(words[2]), headers)));
      }
      producer.flush();
      for (Future<?> result : sent) result.get();
    }
  }

  private static void consume(String broker, String[] topics) throws Exception {
    Map<String, Object> settings = Map.of("bootstrap.servers", broker, "enable.auto.commit", false,
        "fetch.max.wait.ms", 50, "auto.offset.reset", "none");
    StringBuilder out = new StringBuilder();
    try (var consumer = new KafkaConsumer<>(settings, new ByteArrayDeserializer(), new ByteArrayDeserializer())) {
      for (String topic : topics) {
        TopicPartition partition = new TopicPartition(topic, 0);
        consumer.assign(List.of(partition));
        consumer.seekToBeginning(List.of(partition));
        long end = consumer.endOffsets(List.of(partition)).get(partition);
        out.append("topic ").append(topic).append('\n');
        long deadline = System.nanoTime() + 30_000_000_000L;
        while (consumer.position(partition) < end) {
          if (System.nanoTime() > deadline) throw new IllegalStateException(topic + " was not read in 30 s");
          for (var record : consumer.poll(Duration.ofMillis(500))) print(out, record);
        }
      }
    }
    System.out.print(out);
  }

  private static void follow(String broker, String topic, int partitions, int count) throws Exception {
    Map<String, Object> settings = Map.of("bootstrap.servers", broker, "enable.auto.commit", false);
    List<TopicPartition> all = new ArrayList<>();
    for (int i = 0; i < partitions; i++) all.add(new TopicPartition(topic, i));
    try (var consumer = new KafkaConsumer<>(settings, new ByteArrayDeserializer(), new ByteArrayDeserializer())) {
      consumer.assign(all);
      consumer.seekToEnd(all);
      for (TopicPartition partition : all) consumer.position(partition);
      consumer.poll(Duration.ofMillis(100));
      System.out.println("ready");
      long deadline = System.nanoTime() + 60_000_000_000L;
      for (int found = 0; found < count;) {
        if (System.nanoTime() > deadline) throw new IllegalStateException(found + " records in 60 s");
        for (var record : consumer.poll(Duration.ofMillis(500))) {
          System.out.println(record.partition() + " " + record.offset() + " " + new String(record.value(), "UTF-8"));
          found++;
        }
      }
    }
  }

  private static void print(StringBuilder out, ConsumerRecord<byte[], byte[]> record) throws Exception {
    out.append(record.offset()).append(' ').append(record.timestamp()).append(' ')
        .append(hex(record.key())).append(' ').append(hex(record.value()));
    for (Header header : record.headers()) {
      out.append(' ').append(hex(header.key().getBytes("UTF-8"))).append('=').append(hex(header.value()));
    }
    out.append('\n');
  }

  // Prints what it found as "NAME VALUE" lines, for the script to judge.
  private static void admin(String broker) throws Exception {
    try (Admin admin = Admin.create(Map.of("bootstrap.servers", broker))) {
      var cluster = admin.describeCluster();
      System.out.println("cluster " + cluster.clusterId().get());
      System.out.println("controller " + cluster.controller().get().idString());
      for (var node : cluster.nodes().get()) System.out.println("node " + node.host() + ":" + node.port());
      var topic = new NewTopic("described", 3, (short) 1).configs(Map.of("retention.ms", "123456789"));
      var created = admin.createTopics(List.of(topic));
      created.all().get();
      System.out.println("partitions " + created.numPartitions("described").get());
      var description = admin.describeTopics(List.of("described")).allTopicNames().get().get("described");
      System.out.println("same-id " + description.topicId().equals(created.topicId("described").get()));
      var resource = new ConfigResource(ConfigResource.Type.TOPIC, "described");
      var config = admin.describeConfigs(List.of(resource)).all().get().get(resource);
      for (String name : List.of("retention.ms", "segment.bytes", "cleanup.policy", "max.message.bytes")) {
        var entry = config.get(name);
        System.out.println("config " + name + "=" + entry.value() + " " + entry.source());
      }
      var node = new ConfigResource(ConfigResource.Type.BROKER, cluster.controller().get().idString());
      var brokerConfig = admin.describeConfigs(List.of(node)).all().get().get(node);
      System.out.println("broker-config log.dirs " + (brokerConfig.get("log.dirs") != null));
      admin.deleteTopics(List.of("described")).all().get();
    }
  }

  private static byte[] bytes(String text) {
    return text.equals("-") ? null : HexFormat.of().parseHex(text.substring(1));
  }

  private static String hex(byte[] bytes) { return bytes == null ? "-" : "x" + HexFormat.of().formatHex(bytes); }
}
