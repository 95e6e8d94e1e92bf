// Writes transactions with the Java client to partition 0 of a topic, some of them aborted.
//
//   JavaTransactions BROKER TOPIC ID COUNT    COUNT transactions of 50 records each; every third is aborted
import java.util.Map;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.serialization.StringSerializer;

public class JavaTransactions {
  public static void main(String[] args) {
    Map<String, Object> settings = Map.of("bootstrap.servers", args[0], "transactional.id", args[2],
        "compression.type", "lz4", "linger.ms", 1);
    try (var producer = new KafkaProducer<>(settings, new StringSerializer(), new StringSerializer())) {
      producer.initTransactions();
      for (int i = 0; i < Integer.parseInt(args[3]); i++) {
        producer.beginTransaction();
        for (int k = 0; k < 50; k++) {
          producer.send(new ProducerRecord<>(args[1], 0, "key" + k, args[2] + " " + i + " " + k));
        }
        if (i % 3 == 1) {
          producer.flush();
          producer.abortTransaction();
        } else {
          producer.commitTransaction();
        }
      }
    }
  }
}
