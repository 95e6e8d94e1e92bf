// Record batches, good and bad ones on purpose, from JSON; and the bytes of an answer's records as JSON.
//
// A list is one batch with these records: text is a value, and an object has key, value, headers, timestamp,
// offset (deltas). An object is a batch with `records` and whatever its header shall have instead of what is
// right: see build(). {batches: [...]} is several behind each other, {hex: ...} any bytes.
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.ByteArrayOutputStream;
import java.io.DataOutputStream;
import java.io.OutputStream;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.HexFormat;
import org.apache.kafka.common.compress.Compression;
import org.apache.kafka.common.header.Header;
import org.apache.kafka.common.record.internal.CompressionType;
import org.apache.kafka.common.record.internal.MemoryRecords;
import org.apache.kafka.common.record.internal.Record;
import org.apache.kafka.common.record.internal.SimpleRecord;
import org.apache.kafka.common.utils.ByteBufferOutputStream;
import org.apache.kafka.common.utils.ByteUtils;
import org.apache.kafka.common.utils.Crc32C;

final class Batches {
  private static final int HEADER_SIZE = 61;
  private static final int OVERHEAD = 12;  // base offset and length, which the length does not count

  private Batches() {}

  static byte[] build(JsonNode spec) throws Exception {
    if (spec.has("hex")) return HexFormat.of().parseHex(spec.get("hex").asText());
    if (spec.isArray()) return batch(JsonNodeFactory.instance.objectNode().set("records", spec));
    if (!spec.has("batches")) return batch(spec);
    ByteArrayOutputStream all = new ByteArrayOutputStream();
    for (JsonNode one : spec.get("batches")) all.write(build(one));
    return all.toByteArray();
  }

  // Bytes of a key, value or any "bytes" field: text, {size: n} of the letter x, or {hex: ...}.
  static byte[] bytes(JsonNode value) {
    if (value.has("hex")) return HexFormat.of().parseHex(value.get("hex").asText());
    if (value.has("size")) return "x".repeat(value.get("size").asInt()).getBytes(StandardCharsets.UTF_8);
    return value.asText().getBytes(StandardCharsets.UTF_8);
  }

  private static byte[] batch(JsonNode spec) throws Exception {
    if (spec.path("magic").asInt(2) < 2 && !spec.has("patched")) return old(spec);
    JsonNode records = spec.path("records");
    long time = spec.path("baseTimestamp").asLong(Scenarios.NOW);
    ByteArrayOutputStream plain = new ByteArrayOutputStream();
    DataOutputStream out = new DataOutputStream(plain);
    long latest = -1;
    int count = 0;
    for (JsonNode record : records) {
      long at = record.path("timestamp").asLong(time);
      latest = Math.max(latest, at);
      byte[] body = record.has("raw") ? HexFormat.of().parseHex(record.get("raw").asText())
          : record(record, at - time, record.path("offset").asInt(count));
      ByteUtils.writeVarint(record.path("length").asInt(body.length), out);
      out.write(body);
      ++count;
    }
    if (spec.has("extra")) out.write(HexFormat.of().parseHex(spec.get("extra").asText()));
    CompressionType codec = CompressionType.forName(spec.path("codec").asText("none"));
    byte[] content = spec.has("content") ? HexFormat.of().parseHex(spec.get("content").asText())
        : compress(plain.toByteArray(), codec);
    ByteBuffer batch = ByteBuffer.allocate(HEADER_SIZE + content.length);
    batch.putLong(spec.path("baseOffset").asLong(0));
    batch.putInt(spec.path("length").asInt(HEADER_SIZE - OVERHEAD + content.length));
    batch.putInt(spec.path("partitionLeaderEpoch").asInt(-1));
    batch.put((byte) spec.path("magic").asInt(2));
    batch.putInt(0);  // CRC, below
    batch.putShort((short) (spec.path("attributes").asInt(codec.id) | spec.path("flags").asInt(0)));
    batch.putInt(spec.path("lastOffsetDelta").asInt(count - 1));
    batch.putLong(time);
    batch.putLong(spec.path("maxTimestamp").asLong(latest));
    JsonNode producer = spec.path("producer");  // [id, epoch, sequence]
    batch.putLong(producer.path(0).asLong(-1));
    batch.putShort((short) producer.path(1).asInt(-1));
    batch.putInt(producer.path(2).asInt(-1));
    batch.putInt(spec.path("count").asInt(count));
    batch.put(content);
    int crc = (int) Crc32C.compute(batch.array(), 21, batch.capacity() - 21);
    batch.putInt(17, crc ^ spec.path("crc").asInt(0));
    return batch.array();
  }

  private static byte[] record(JsonNode record, long time, int offset) throws Exception {
    ByteArrayOutputStream body = new ByteArrayOutputStream();
    DataOutputStream out = new DataOutputStream(body);
    out.write(record.path("attributes").asInt(0));
    ByteUtils.writeVarlong(time, out);
    ByteUtils.writeVarint(offset, out);
    boolean plain = !record.isObject() || record.has("size");
    field(plain ? JsonNodeFactory.instance.nullNode() : record.path("key"), out);
    field(plain ? record : record.path("value"), out);
    ByteUtils.writeVarint(record.path("headerCount").asInt(record.path("headers").size()), out);
    for (JsonNode header : record.path("headers")) {
      field(header.path(0), out);
      field(header.path(1), out);
    }
    return body.toByteArray();
  }

  private static void field(JsonNode value, DataOutputStream out) throws Exception {
    if (value.isNull() || value.isMissingNode()) {
      ByteUtils.writeVarint(-1, out);
      return;
    }
    byte[] bytes = bytes(value);
    ByteUtils.writeVarint(bytes.length, out);
    out.write(bytes);
  }

  private static byte[] compress(byte[] plain, CompressionType codec) throws Exception {
    ByteBufferOutputStream out = new ByteBufferOutputStream(plain.length + 512);
    try (OutputStream stream = Compression.of(codec).build().wrapForOutput(out, (byte) 2)) {
      stream.write(plain);
    }
    return Arrays.copyOf(out.buffer().array(), out.position());
  }

  // Messages of the formats before record batches.
  private static byte[] old(JsonNode spec) {
    SimpleRecord[] records = new SimpleRecord[spec.path("records").size()];
    for (int i = 0; i < records.length; ++i) {
      records[i] = new SimpleRecord(Scenarios.NOW, null, bytes(spec.get("records").get(i)));
    }
    byte magic = (byte) spec.get("magic").asInt();
    ByteBuffer buffer = MemoryRecords.withRecords(magic, Compression.NONE, records).buffer();
    byte[] bytes = new byte[buffer.remaining()];
    buffer.get(bytes);
    return bytes;
  }

  static ArrayNode describe(ByteBuffer records) {
    byte[] bytes = new byte[records.remaining()];
    records.duplicate().get(bytes);
    ArrayNode batches = JsonNodeFactory.instance.arrayNode();
    int position = 0;
    while (position < bytes.length) {
      ByteBuffer left = ByteBuffer.wrap(bytes, position, bytes.length - position).slice();
      int size = left.remaining() < HEADER_SIZE ? Integer.MAX_VALUE : OVERHEAD + left.getInt(8);
      if (size > left.remaining() || size < HEADER_SIZE) {
        batches.addObject().put("cut", left.remaining());
        break;
      }
      batches.add(describeBatch(left.limit(size)));
      position += size;
    }
    return batches;
  }

  private static ObjectNode describeBatch(ByteBuffer batch) {
    ObjectNode node = JsonNodeFactory.instance.objectNode();
    int attributes = batch.getShort(21);
    boolean good = (int) Crc32C.compute(batch, 21, batch.limit() - 21) == batch.getInt(17);
    node.put("baseOffset", batch.getLong(0)).put("epoch", batch.getInt(12)).put("magic", batch.get(16));
    node.put("crcIsGood", good).put("attributes", attributes).put("lastOffsetDelta", batch.getInt(23));
    node.put("baseTimestamp", batch.getLong(27)).put("maxTimestamp", batch.getLong(35));
    node.put("producerId", batch.getLong(43)).put("producerEpoch", batch.getShort(51));
    node.put("sequence", batch.getInt(53)).put("count", batch.getInt(57)).put("size", batch.limit());
    if (batch.get(16) != 2 || !good) return node;
    ArrayNode records = node.putArray("records");
    try {
      for (var each : MemoryRecords.readableRecords(batch.slice()).batches()) {
        for (Record record : each) records.add(describe(record));
      }
    } catch (RuntimeException unreadable) {
      records.add("unreadable");
    }
    return node;
  }

  private static ObjectNode describe(Record record) {
    ObjectNode node = JsonNodeFactory.instance.objectNode();
    node.put("offset", record.offset()).put("timestamp", record.timestamp());
    node.put("key", text(record.key())).put("value", text(record.value()));
    ArrayNode headers = node.putArray("headers");
    for (Header header : record.headers()) {
      ByteBuffer value = header.value() == null ? null : ByteBuffer.wrap(header.value());
      headers.addArray().add(header.key()).add(text(value));
    }
    return node;
  }

  private static String text(ByteBuffer bytes) {
    if (bytes == null) return null;
    String all = StandardCharsets.ISO_8859_1.decode(bytes.duplicate()).toString();
    if (all.length() <= 64) return all;
    return all.substring(0, 16) + "... " + all.length() + " bytes, hash " + all.hashCode();
  }
}
