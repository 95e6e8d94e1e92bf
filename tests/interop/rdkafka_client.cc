// A produce and a consume with Debian's librdkafka 2.0, the client under most non-Java programs of that age.
//
//   rdkafka_client produce BROKER TOPIC CODEC   reads records from stdin
//   rdkafka_client consume BROKER TOPIC         prints partition 0 from its beginning to its end
//
// A record is one line: "TIMESTAMP KEY VALUE [NAME=VALUE]...". Each part but the timestamp is "-" for null,
// or "x" and hexadecimal digits. consume puts the offset before it.
#include <librdkafka/rdkafka.h>

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <iostream>
#include <optional>
#include <sstream>
#include <string>
#include <vector>

namespace {

using Bytes = std::optional<std::string>;

[[noreturn]] void die(const std::string& message) {
  std::fprintf(stderr, "rdkafka_client: %s\n", message.c_str());
  std::exit(1);
}

Bytes parse_bytes(const std::string& text) {
  if (text == "-") return std::nullopt;
  std::string bytes;
  for (std::size_t i = 1; i + 1 < text.size(); i += 2) {
    bytes.push_back(static_cast<char>(std::stoi(text.substr(i, 2), nullptr, 16)));
  }
  return bytes;
}

std::string print_bytes(const void* data, std::size_t size) {
  if (data == nullptr) return "-";
  static constexpr char kDigits[] = "0123456789abcdef";
  std::string text = "x";
  for (std::size_t i = 0; i < size; ++i) {
    const auto byte = static_cast<const unsigned char*>(data)[i];
    text.push_back(kDigits[byte >> 4]);
    text.push_back(kDigits[byte & 15]);
  }
  return text;
}

rd_kafka_t* connect(rd_kafka_type_t type, const std::vector<std::pair<std::string, std::string>>& settings) {
  char error[512];
  rd_kafka_conf_t* conf = rd_kafka_conf_new();
  for (const auto& [name, value] : settings) {
    if (rd_kafka_conf_set(conf, name.c_str(), value.c_str(), error, sizeof error) != RD_KAFKA_CONF_OK)
      die(error);
  }
  if (type == RD_KAFKA_PRODUCER) {
    rd_kafka_conf_set_dr_msg_cb(conf, [](rd_kafka_t*, const rd_kafka_message_t* message, void*) {
      if (message->err) die(std::string("delivery: ") + rd_kafka_err2str(message->err));
    });
  }
  rd_kafka_t* client = rd_kafka_new(type, conf, error, sizeof error);
  if (client == nullptr) die(error);
  return client;
}

void send_line(rd_kafka_t* client, const char* topic, const std::string& line) {
  std::istringstream words(line);
  std::int64_t timestamp = 0;
  std::string key_text;
  std::string value_text;
  words >> timestamp >> key_text >> value_text;
  Bytes key = parse_bytes(key_text);
  Bytes value = parse_bytes(value_text);

  rd_kafka_headers_t* headers = rd_kafka_headers_new(4);
  for (std::string word; words >> word;) {
    const auto equals = word.find('=');
    const Bytes name = parse_bytes(word.substr(0, equals));
    const Bytes header = parse_bytes(word.substr(equals + 1));
    rd_kafka_header_add(headers, name->data(), static_cast<ssize_t>(name->size()),
                        header ? header->data() : nullptr, header ? static_cast<ssize_t>(header->size()) : 0);
  }
  const rd_kafka_resp_err_t result = rd_kafka_producev(
      client, RD_KAFKA_V_TOPIC(topic), RD_KAFKA_V_PARTITION(0), RD_KAFKA_V_MSGFLAGS(RD_KAFKA_MSG_F_COPY),
      RD_KAFKA_V_TIMESTAMP(timestamp), RD_KAFKA_V_HEADERS(headers),
      RD_KAFKA_V_KEY((key ? key->data() : nullptr), (key ? key->size() : 0)),
      RD_KAFKA_V_VALUE((value ? value->data() : nullptr), (value ? value->size() : 0)), RD_KAFKA_V_END);
  if (result) die(std::string("produce: ") + rd_kafka_err2str(result));
}

void produce(const char* broker, const char* topic, const char* codec) {
  rd_kafka_t* client = connect(RD_KAFKA_PRODUCER, {{"bootstrap.servers", broker},
                                                   {"compression.codec", codec},
                                                   {"enable.idempotence", "true"},
                                                   {"linger.ms", "20"}});
  for (std::string line; std::getline(std::cin, line);) {
    send_line(client, topic, line);
    rd_kafka_poll(client, 0);
  }
  if (rd_kafka_flush(client, 30'000)) die("records were left after 30 s");
  rd_kafka_destroy(client);
}

void print(const rd_kafka_message_t& message) {
  rd_kafka_timestamp_type_t type;
  std::cout << message.offset << ' ' << rd_kafka_message_timestamp(&message, &type) << ' '
            << print_bytes(message.key, message.key_len) << ' ' << print_bytes(message.payload, message.len);
  rd_kafka_headers_t* headers = nullptr;
  if (rd_kafka_message_headers(&message, &headers) == RD_KAFKA_RESP_ERR_NO_ERROR) {
    const char* name = nullptr;
    const void* value = nullptr;
    std::size_t size = 0;
    for (std::size_t i = 0; rd_kafka_header_get_all(headers, i, &name, &value, &size) == 0; ++i) {
      std::cout << ' ' << print_bytes(name, std::char_traits<char>::length(name)) << '='
                << print_bytes(value, size);
    }
  }
  std::cout << '\n';
}

void consume(const char* broker, const char* topic) {
  rd_kafka_t* client = connect(RD_KAFKA_CONSUMER, {{"bootstrap.servers", broker},
                                                   {"group.id", "unused"},
                                                   {"enable.auto.commit", "false"},
                                                   {"enable.partition.eof", "true"},
                                                   {"check.crcs", "true"}});
  rd_kafka_poll_set_consumer(client);
  rd_kafka_topic_partition_list_t* places = rd_kafka_topic_partition_list_new(1);
  rd_kafka_topic_partition_list_add(places, topic, 0)->offset = RD_KAFKA_OFFSET_BEGINNING;
  rd_kafka_assign(client, places);
  for (bool more = true; more;) {
    rd_kafka_message_t* message = rd_kafka_consumer_poll(client, 30'000);
    if (message == nullptr) die("nothing for 30 s");
    if (message->err == RD_KAFKA_RESP_ERR__PARTITION_EOF) {
      more = false;
    } else if (message->err) {
      die(rd_kafka_message_errstr(message));
    } else {
      print(*message);
    }
    rd_kafka_message_destroy(message);
  }
  std::cout.flush();
  rd_kafka_topic_partition_list_destroy(places);
  rd_kafka_consumer_close(client);
  rd_kafka_destroy(client);
}

}  // namespace

int main(int argc, char** argv) {
  const std::string verb = argc > 1 ? argv[1] : "";
  if (verb == "produce" && argc == 5) {
    produce(argv[2], argv[3], argv[4]);
  } else if (verb == "consume" && argc == 4) {
    consume(argv[2], argv[3]);
  } else {
    die("usage: rdkafka_client produce BROKER TOPIC CODEC | consume BROKER TOPIC");
  }
}
