// Writes metadata records, a metadata log and a snapshot with Apache Kafka's own classes.
//
// Usage: java -cp 'BROKER_JARS/*' GoldenMetadata.java OUTPUT_FOLDER
//
// NAME.vN.hex is the value of one record (frame version, number, version, body), NAME.vN.json what Kafka prints of
// it. log.hex is a segment that begins at offset 0; snapshot-N.hex is what the records below offset N come to,
// as Kafka's image of them writes it. Both are as the broker has them on disk.
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.ByteArrayOutputStream;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.apache.kafka.common.Uuid;
import org.apache.kafka.common.compress.Compression;
import org.apache.kafka.common.message.LeaderChangeMessage;
import org.apache.kafka.common.metadata.*;
import org.apache.kafka.common.protocol.ApiMessage;
import org.apache.kafka.common.protocol.ByteBufferAccessor;
import org.apache.kafka.common.protocol.ObjectSerializationCache;
import org.apache.kafka.common.record.TimestampType;
import org.apache.kafka.common.record.internal.MemoryRecords;
import org.apache.kafka.image.MetadataDelta;
import org.apache.kafka.image.MetadataImage;
import org.apache.kafka.image.MetadataProvenance;
import org.apache.kafka.image.writer.ImageWriterOptions;
import org.apache.kafka.image.writer.RaftSnapshotWriter;
import org.apache.kafka.metadata.MetadataRecordSerde;
import org.apache.kafka.server.common.ApiMessageAndVersion;
import org.apache.kafka.server.common.KRaftVersion;
import org.apache.kafka.server.common.MetadataVersion;
import org.apache.kafka.server.common.OffsetAndEpoch;
import org.apache.kafka.snapshot.FileRawSnapshotWriter;
import org.apache.kafka.snapshot.RecordsSnapshotWriter;

public class GoldenMetadata {
  private static final long TIME = 1_700_000_000_000L;
  private static final int EPOCH = 3;
  private static final Uuid ORDERS = new Uuid(0x1111, 1);
  private static final Uuid PAIRS = new Uuid(0x1111, 2);
  private static final Uuid GONE = new Uuid(0x1111, 3);
  private static final Uuid LATER = new Uuid(0x1111, 4);
  private static final Uuid NEVER = new Uuid(0x1111, 5);
  private static final Uuid DIRECTORY = new Uuid(0x2222, 1);
  private static Path output;

  public static void main(String[] args) throws Exception {
    output = Path.of(args[0]);
    writeRecords();
    // A snapshot may stand wherever a batch ends and no transaction is open.
    List<List<ApiMessageAndVersion>> batches = batches();
    ByteArrayOutputStream log = new ByteArrayOutputStream();
    log.write(leaderChange());
    long offset = 1;
    for (List<ApiMessageAndVersion> batch : batches) {
      log.write(batch(offset, batch));
      offset += batch.size();
    }
    write("log", "a segment that begins at offset 0, epoch " + EPOCH, log.toByteArray());
    writeSnapshot(batches, 3);
  }

  private static List<List<ApiMessageAndVersion>> batches() {
    return List.of(
        List.of(v(new FeatureLevelRecord().setName(MetadataVersion.FEATURE_NAME)
            .setFeatureLevel(MetadataVersion.latestProduction().featureLevel()), 0), v(new NoOpRecord(), 0)),
        List.of(v(topic("orders", ORDERS), 0), v(partition(ORDERS, 0), 2), v(partition(ORDERS, 1), 2),
            v(config(2, "orders", "retention.ms", "60000"), 0), v(config(2, "orders", "cleanup.policy", "compact"), 0),
            v(topic("gone", GONE), 0), v(partition(GONE, 0), 2), v(config(2, "gone", "retention.ms", "1"), 0)),
        List.of(v(new BeginTransactionRecord().setName("pairs"), 0), v(topic("pairs", PAIRS), 0),
            v(partition(PAIRS, 0), 1), v(new EndTransactionRecord(), 0),
            v(new ProducerIdsRecord().setBrokerId(1).setBrokerEpoch(5).setNextProducerId(2000), 0),
            v(config(4, "", "message.max.bytes", "2000000"), 0), v(config(4, "1", "log.cleaner.threads", "2"), 0)),
        List.of(v(change(ORDERS, 0).setLeader(-1), 2), v(change(ORDERS, 0).setLeader(1).setIsr(List.of(1)), 2),
            v(change(ORDERS, 1).setReplicas(List.of(1, 2)).setDirectories(List.of(DIRECTORY, Uuid.ZERO_UUID)), 2),
            v(config(2, "orders", "cleanup.policy", null), 0)),
        List.of(v(new BeginTransactionRecord(), 0), v(topic("never", NEVER), 0), v(partition(NEVER, 0), 2)),
        List.of(v(new AbortTransactionRecord().setReason("test"), 0), v(new RemoveTopicRecord().setTopicId(GONE), 0),
            v(topic("later", LATER), 0), v(partition(LATER, 0).setDirectories(List.of()), 0),
            v(new ProducerIdsRecord().setBrokerId(1).setBrokerEpoch(5).setNextProducerId(3000), 0)));
  }

  private static void writeRecords() throws Exception {
    for (int version = 0; version <= 2; version++) {
      PartitionRecord partition = partition(ORDERS, 7).setReplicas(List.of(1, 2)).setIsr(List.of(2))
          .setRemovingReplicas(List.of(3)).setAddingReplicas(List.of(4, 5)).setLeaderRecoveryState((byte) 1);
      PartitionChangeRecord change = change(ORDERS, 7).setIsr(List.of(1)).setLeader(2).setReplicas(List.of(2, 1))
          .setRemovingReplicas(List.of()).setAddingReplicas(List.of(9)).setLeaderRecoveryState((byte) 0);
      partition.setDirectories(version < 1 ? List.of() : List.of(DIRECTORY, Uuid.ZERO_UUID));
      if (version >= 1) change.setDirectories(List.of(DIRECTORY));
      if (version >= 2) {
        partition.setEligibleLeaderReplicas(List.of(1)).setLastKnownElr(List.of(4));
        change.setEligibleLeaderReplicas(List.of(2)).setLastKnownElr(List.of());
      }
      writeRecord(partition, version);
      writeRecord(change, version);
    }
    writeRecord(topic("orders-\u00e9", ORDERS), 0);
    writeRecord(config(2, "orders", "retention.ms", "1000"), 0);
    writeRecord(new RemoveTopicRecord().setTopicId(ORDERS), 0);
    writeRecord(new ProducerIdsRecord().setBrokerId(1).setBrokerEpoch(77).setNextProducerId(5000), 0);
  }

  private static void writeRecord(ApiMessage message, int version) throws Exception {
    String name = message.getClass().getSimpleName() + ".v" + version;
    write(name, "the value of a record", value(v(message, version)));
    Files.writeString(output.resolve(name + ".json"),
        new ObjectMapper().writeValueAsString(MetadataJsonConverters.writeJson(message, (short) version)) + "\n");
  }

  private static void writeSnapshot(List<List<ApiMessageAndVersion>> batches, int batchCount) throws Exception {
    MetadataDelta delta = new MetadataDelta.Builder().setImage(MetadataImage.EMPTY).build();
    long end = 1;
    for (List<ApiMessageAndVersion> batch : batches.subList(0, batchCount)) {
      for (ApiMessageAndVersion record : batch) {
        boolean isOfTransaction = record.message() instanceof BeginTransactionRecord
            || record.message() instanceof EndTransactionRecord;
        if (!isOfTransaction) delta.replay(record.message());
      }
      end += batch.size();
    }
    Path folder = Files.createTempDirectory("golden");
    var writer = new RaftSnapshotWriter(new RecordsSnapshotWriter.Builder().setLastContainedLogTimestamp(TIME)
        .setKraftVersion(KRaftVersion.KRAFT_VERSION_0).setVoterSet(Optional.empty())
        .setRawSnapshotWriter(FileRawSnapshotWriter.create(folder, new OffsetAndEpoch(end, EPOCH)))
        .build(MetadataRecordSerde.INSTANCE), 4);
    delta.apply(new MetadataProvenance(end - 1, EPOCH, TIME, true)).write(writer,
        new ImageWriterOptions.Builder(MetadataVersion.latestProduction()).setEligibleLeaderReplicasEnabled(true).build());
    writer.close(true);
    try (var files = Files.list(folder)) {
      write("snapshot-" + end, "what the records below offset " + end + " come to",
          Files.readAllBytes(files.filter(file -> file.toString().endsWith(".checkpoint")).findFirst().get()));
    }
  }

  private static byte[] leaderChange() {
    LeaderChangeMessage.Voter voter = new LeaderChangeMessage.Voter().setVoterId(1);
    LeaderChangeMessage message = new LeaderChangeMessage().setVersion((short) 0).setLeaderId(1)
        .setVoters(List.of(voter)).setGrantingVoters(List.of(voter.duplicate()));
    return bytes(MemoryRecords.withLeaderChangeMessage(0, TIME, EPOCH, ByteBuffer.allocate(256), message).buffer());
  }

  private static byte[] batch(long offset, List<ApiMessageAndVersion> records) {
    var builder = MemoryRecords.builder(ByteBuffer.allocate(1 << 16), (byte) 2, Compression.NONE,
        TimestampType.CREATE_TIME, offset, TIME, -1, (short) -1, -1, false, EPOCH);
    for (ApiMessageAndVersion record : records) builder.append(TIME, null, value(record));
    return bytes(builder.build().buffer());
  }

  private static byte[] value(ApiMessageAndVersion record) {
    ObjectSerializationCache cache = new ObjectSerializationCache();
    ByteBuffer buffer = ByteBuffer.allocate(MetadataRecordSerde.INSTANCE.recordSize(record, cache));
    MetadataRecordSerde.INSTANCE.write(record, cache, new ByteBufferAccessor(buffer));
    return buffer.array();
  }

  private static ApiMessageAndVersion v(ApiMessage message, int version) {
    return new ApiMessageAndVersion(message, (short) version);
  }

  private static TopicRecord topic(String name, Uuid id) { return new TopicRecord().setName(name).setTopicId(id); }

  private static PartitionRecord partition(Uuid topic, int index) {
    return new PartitionRecord().setTopicId(topic).setPartitionId(index).setReplicas(List.of(1)).setIsr(List.of(1))
        .setLeader(1).setLeaderEpoch(4).setPartitionEpoch(6).setDirectories(List.of(DIRECTORY));
  }

  private static PartitionChangeRecord change(Uuid topic, int index) {
    return new PartitionChangeRecord().setTopicId(topic).setPartitionId(index);
  }

  private static ConfigRecord config(int type, String resource, String name, String value) {
    return new ConfigRecord().setResourceType((byte) type).setResourceName(resource).setName(name).setValue(value);
  }

  private static byte[] bytes(ByteBuffer buffer) {
    byte[] bytes = new byte[buffer.remaining()];
    buffer.get(bytes);
    return bytes;
  }

  private static void write(String name, String what, byte[] bytes) throws Exception {
    StringBuilder text = new StringBuilder("# Apache Kafka 4.3.1, " + what + "\n");
    for (int i = 0; i < bytes.length; i++) {
      text.append(String.format("%02x", bytes[i]));
      if (i % 32 == 31 || i == bytes.length - 1) text.append('\n');
    }
    Files.writeString(output.resolve(name + ".hex"), text.toString());
  }
}
