// A consumer of many partitions with the Java client, and the admin calls of which the command-line tools have no verb.
//
//   JavaClient follow BROKER TOPIC PARTITIONS COUNT    prints "ready", then as many records as they come to these
//                                            partitions, as "PARTITION OFFSET TEXT"
//   JavaClient admin BROKER                  describes the cluster and a topic's configuration
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.NewTopic;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.config.ConfigResource;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;

public class JavaClient {
  public static void main(String[] args) throws Exception {
    switch (args[0]) {
      case "follow": follow(args[1], args[2], Integer.parseInt(args[3]), Integer.parseInt(args[4])); break;
      case "admin": admin(args[1]); break;
      default: throw new IllegalArgumentException(args[0]);
    }
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
}
