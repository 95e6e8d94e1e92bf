// A properties file, every setting in it, and the addresses that people write. (No file is opened.)
#include "broker/config.h"
#include "broker/properties_file.h"
#include "client/endpoint.h"
#include "tests/fuzz/target.h"

namespace sillok::fuzz {
namespace {

constexpr std::size_t kPropertiesMax = 200;

void read_settings(std::string_view text) {
  const auto properties = broker::parse_properties(text);
  if (!properties.ok()) return;
  broker::ConfigSources sources;
  for (const broker::Property& property : *properties) {
    if (sources.overrides.size() == kPropertiesMax) break;
    (void)broker::setting_name_of_environment_variable(property.name);
    sources.overrides.emplace_back(property.name, property.value);
  }
  const auto loaded = broker::load_config(sources);
  if (!loaded.ok()) {
    CHECK(!loaded.error().detail.empty());
    return;
  }
  CHECK(!loaded->config.listeners.empty());
  for (const broker::Listener& listener : loaded->config.listeners) CHECK(!listener.advertised_host.empty());
}

void read_endpoints(std::string_view text) {
  const auto endpoints = client::parse_endpoints(text);
  if (!endpoints.ok()) return;
  for (const client::Endpoint& endpoint : *endpoints) CHECK(!endpoint.to_string().empty());
}

}  // namespace

void run(ByteView input) {
  Choices choices(input);
  const bool is_list = choices.flip();
  const std::string text(as_text(choices.rest()));
  is_list ? read_endpoints(text) : read_settings(text);
}

std::vector<Bytes> seeds() {
  std::vector<Bytes> all;
  for (const char* text :
       {"listeners=PLAINTEXT://127.0.0.1:9092,PLAINTEXT://[::1]:9092\n",
        "listeners=A://127.0.0.1:1,LOCAL:///run/s.sock,UNIX://@s,C://"
        ":9093\nlistener.security.protocol.map=A:PLAINTEXT,"
        "LOCAL:UNIX,C:SSL\nadvertised.listeners=A://host:5,LOCAL:///run/"
        "s.sock\ncontroller.listener.names=C\n",
        "# comment\n! another\nlog.dirs = /a\\\n  b\nnum.partitions:3\nlog.retention.hours "
        "1\nk\\u0041\\tx=y\n",
        "sillok.unix.socket.mode=0660\nlog.roll.ms=5\nlog.retention.minutes=-1\nbroker.id=2\nnode.id=2\n",
        "write.caching=true\nlog.cleanup.policy=compact,delete\nmax.connections=1\nnum.partitons=2\n"})
    all.push_back(with_choices({0}, as_bytes(text)));
  for (const char* text : {"a:1,b", "[::1]:9092, ::1", "unix:///run/s.sock,unix://@s", "host:0"})
    all.push_back(with_choices({1}, as_bytes(text)));
  return all;
}

}  // namespace sillok::fuzz
