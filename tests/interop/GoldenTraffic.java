// One pass of everything that Sillok serves, through the Java client: the traffic that capture_golden.py records.
// A call that the broker's versions do not allow is named on stderr, and the pass goes on.
//
// Usage: GoldenTraffic BROKER TOPIC
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.NewTopic;
import org.apache.kafka.clients.admin.OffsetSpec;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.TopicCollection;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.config.ConfigResource;
import org.apache.kafka.common.serialization.StringDeserializer;
import org.apache.kafka.common.serialization.StringSerializer;

public class GoldenTraffic {
  interface Call { void run() throws Exception; }

  private static void attempt(String what, Call call) {
    try {
      call.run();
    } catch (Exception failure) {
      System.err.println(what + ": " + failure);
    }
  }

  public static void main(String[] args) {
    String broker = args[0];
    String topic = args[1];
    TopicPartition partition = new TopicPartition(topic, 0);
    attempt("admin", () -> before(broker, topic));
    attempt("producer", () -> produce(broker, topic));
    attempt("consumer", () -> consume(broker, partition));
    attempt("admin", () -> after(broker, topic, partition));
  }

  private static Map<String, Object> settings(String broker) {
    return Map.of("bootstrap.servers", broker, "default.api.timeout.ms", 4000, "request.timeout.ms", 3000);
  }

  private static void before(String broker, String topic) throws Exception {
    try (Admin admin = Admin.create(settings(broker))) {
      NewTopic assigned = new NewTopic(topic + "-assigned", Map.of(0, List.of(1)));
      NewTopic counted = new NewTopic(topic, Optional.of(2), Optional.empty());
      NewTopic fixed = new NewTopic(topic, 2, (short) 1).configs(Map.of("retention.ms", "-1"));
      attempt("createTopics", () -> admin.createTopics(List.of(fixed, assigned)).all().get());
      attempt("createTopics again", () -> admin.createTopics(List.of(counted)).all().get());
      attempt("describeCluster", () -> admin.describeCluster().clusterId().get());
    }
  }

  private static void produce(String broker, String topic) throws Exception {
    Map<String, Object> settings =
        Map.of("bootstrap.servers", broker, "max.block.ms", 4000, "delivery.timeout.ms", 4000, "linger.ms", 0,
            "request.timeout.ms", 3000);
    try (var producer = new KafkaProducer<>(settings, new StringSerializer(), new StringSerializer())) {
      var record = new ProducerRecord<>(topic, 0, 1700000000000L, "key", "value");
      record.headers().add("h", new byte[] {1}).add("h", null);
      producer.send(record).get();
    }
  }

  private static void consume(String broker, TopicPartition partition) throws Exception {
    Map<String, Object> settings = Map.of("bootstrap.servers", broker, "enable.auto.commit", false,
        "default.api.timeout.ms", 4000, "auto.offset.reset", "earliest", "fetch.max.wait.ms", 50);
    try (var consumer = new KafkaConsumer<>(settings, new StringDeserializer(), new StringDeserializer())) {
      consumer.assign(List.of(partition));
      ConsumerRecord<String, String> last = null;
      for (int i = 0; i < 20 && last == null; i++) {
        for (var record : consumer.poll(Duration.ofMillis(200))) last = record;
      }
      if (last == null) throw new IllegalStateException("nothing to read");
      // A position with an epoch is checked against the leader's epochs before it is used.
      consumer.seek(partition, new OffsetAndMetadata(last.offset() + 1, last.leaderEpoch(), ""));
      consumer.position(partition);
      attempt("offsetsForTimes", () -> consumer.offsetsForTimes(Map.of(partition, 1600000000000L)));
    }
  }

  private static void after(String broker, String topic, TopicPartition partition) throws Exception {
    try (Admin admin = Admin.create(settings(broker))) {
      for (OffsetSpec spec : List.of(OffsetSpec.latest(), OffsetSpec.earliest(), OffsetSpec.maxTimestamp(),
          OffsetSpec.earliestLocal(), OffsetSpec.latestTiered())) {
        attempt(spec.getClass().getSimpleName(), () -> admin.listOffsets(Map.of(partition, spec)).all().get());
      }
      attempt("listTopics", () -> admin.listTopics().names().get());
      var resource = new ConfigResource(ConfigResource.Type.TOPIC, topic);
      attempt("describeConfigs", () -> admin.describeConfigs(List.of(resource)).all().get());
      attempt("deleteTopics", () -> admin.deleteTopics(List.of(topic + "-assigned")).all().get());
      attempt("deleteTopics by id", () -> {
        var id = admin.describeTopics(List.of(topic)).allTopicNames().get().get(topic).topicId();
        admin.deleteTopics(TopicCollection.ofTopicIds(List.of(id))).all().get();
      });
    }
  }
}
