// Debian's librdkafka 2.0, the client under most non-Java programs of that age: partitions by assignment, no
// group. The command line is described in ../README.md.
#include <librdkafka/rdkafka.h>

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <fstream>
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

void write(const char* broker, const char* scenario, const std::string& topic, const std::string& codec) {
  rd_kafka_t* client = connect(RD_KAFKA_PRODUCER, {{"bootstrap.servers", broker},
                                                   {"compression.codec", codec},
                                                   {"enable.idempotence", "true"},
                                                   {"linger.ms", "20"}});
  std::ifstream lines(scenario);
  if (!lines) die(std::string("cannot read ") + scenario);
  for (std::string line; std::getline(lines, line);) {
    send_line(client, topic.c_str(), line);
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

rd_kafka_t* connect_consumer(const char* broker) {
  rd_kafka_t* client = connect(RD_KAFKA_CONSUMER, {{"bootstrap.servers", broker},
                                                   {"group.id", "unused"},
                                                   {"enable.auto.commit", "false"},
                                                   {"fetch.wait.max.ms", "50"},
                                                   {"check.crcs", "true"}});
  rd_kafka_poll_set_consumer(client);
  return client;
}

void read(rd_kafka_t* client, const std::string& topic, long count) {
  // It looks for the leaders of assigned partitions once a second, and at once when it is asked about one.
  std::int64_t low = 0;
  std::int64_t high = 0;
  rd_kafka_query_watermark_offsets(client, topic.c_str(), 0, &low, &high, 30'000);
  rd_kafka_topic_partition_list_t* places = rd_kafka_topic_partition_list_new(1);
  rd_kafka_topic_partition_list_add(places, topic.c_str(), 0)->offset = RD_KAFKA_OFFSET_BEGINNING;
  rd_kafka_assign(client, places);
  std::cout << "topic " << topic << '\n';
  for (long i = 0; i < count; ++i) {
    rd_kafka_message_t* message = rd_kafka_consumer_poll(client, 30'000);
    if (message == nullptr) die("nothing for 30 s");
    if (message->err) die(rd_kafka_message_errstr(message));
    print(*message);
    rd_kafka_message_destroy(message);
  }
  rd_kafka_topic_partition_list_destroy(places);
}

// A word TOPIC=VALUE.
std::pair<std::string, std::string> split(const std::string& word) {
  const auto equals = word.find('=');
  if (equals == std::string::npos) die("no = in " + word);
  return {word.substr(0, equals), word.substr(equals + 1)};
}

}  // namespace

int main(int argc, char** argv) {
  const std::string verb = argc > 1 ? argv[1] : "";
  if (verb == "version") {
    std::cout << rd_kafka_version_str() << '\n';
  } else if (verb == "write" && argc > 3) {
    for (int i = 4; i < argc; ++i) {
      const auto [topic, codec] = split(argv[i]);
      write(argv[2], argv[3], topic, codec);
    }
  } else if (verb == "read" && argc > 2) {
    rd_kafka_t* client = connect_consumer(argv[2]);
    for (int i = 3; i < argc; ++i) {
      const auto [topic, count] = split(argv[i]);
      read(client, topic, std::stol(count));
    }
    std::cout.flush();
    rd_kafka_consumer_close(client);
    rd_kafka_destroy(client);
  } else {
    die("unknown verb");
  }
}
