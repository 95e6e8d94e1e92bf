#include "broker/listener_config.h"

#include <catch2/catch.hpp>
#include <string>
#include <vector>

namespace sillok::tests {
namespace {

using broker::Listener;
using broker::ListenerSettings;

struct Resolved {
  std::vector<Listener> listeners;
  std::string faults;
  std::vector<std::string> notes;
};

Resolved resolve(const ListenerSettings& settings) {
  Resolved resolved;
  std::vector<broker::SettingFault> faults;
  resolved.listeners = broker::resolve_listeners(settings, faults, resolved.notes);
  for (const broker::SettingFault& fault : faults)
    resolved.faults += fault.setting + ": " + fault.fault + "\n";
  return resolved;
}

ListenerSettings listening(std::string listeners) {
  ListenerSettings settings;
  settings.listeners = std::move(listeners);
  return settings;
}

bool contains(std::string_view text, std::string_view part) {
  return text.find(part) != std::string_view::npos;
}

TEST_CASE("listeners: name, host and port are read, and the address is advertised as it is") {
  const Resolved resolved = resolve(listening("plaintext://127.0.0.1:9092, PLAINTEXT://[::1]:9092"));
  CHECK(resolved.faults.empty());
  REQUIRE(resolved.listeners.size() == 2);
  CHECK(resolved.listeners[0].name == "PLAINTEXT");
  CHECK(resolved.listeners[0].host == "127.0.0.1");
  CHECK(resolved.listeners[0].port == 9092);
  CHECK(resolved.listeners[0].advertised_host == "127.0.0.1");
  CHECK(resolved.listeners[0].advertised_port == 9092);
  CHECK(resolved.listeners[1].host == "::1");
  CHECK(resolved.listeners[1].advertised_host == "::1");
}

TEST_CASE("listeners: port 0 takes a free one, which is advertised") {
  const Resolved resolved = resolve(listening("PLAINTEXT://localhost:0"));
  CHECK(resolved.faults.empty());
  CHECK(resolved.listeners.at(0).port == 0);
  CHECK(resolved.listeners.at(0).advertised_port == 0);
}

TEST_CASE("listeners: what is no listener is refused") {
  for (const char* text :
       {"127.0.0.1:9092", "PLAINTEXT://127.0.0.1", "PLAINTEXT://127.0.0.1:70000", "://127.0.0.1:1",
        "PLAINTEXT://127.0.0.1:-1", "PLAINTEXT://[::1:1", "PLAINTEXT://[127.0.0.1]:1", "PLAINTEXT://a b:1",
        "PLAINTEXT://1:2:3", "PLAINTEXT://127.0.0.1:x"}) {
    INFO(text);
    CHECK(contains(resolve(listening(text)).faults, "is not NAME://host:port"));
  }
  CHECK(contains(resolve(listening("")).faults, "none for clients"));
}

TEST_CASE(
    "listeners: an address that other machines reach is refused without sillok.allow.remote.plaintext") {
  for (const char* host : {"", "0.0.0.0", "[::]", "192.168.1.1", "example.com", "[fe80::1]", "128.0.0.1"}) {
    INFO(host);
    const std::string faults = resolve(listening("PLAINTEXT://" + std::string(host) + ":9092")).faults;
    CHECK(contains(faults, "sillok.allow.remote.plaintext=true"));
  }
  for (const char* host : {"127.0.0.1", "127.1.2.3", "[::1]", "localhost"}) {
    INFO(host);
    CHECK(resolve(listening("PLAINTEXT://" + std::string(host) + ":9092")).faults.empty());
  }
  ListenerSettings allowed = listening("PLAINTEXT://192.168.1.1:9092");
  allowed.allow_remote_plaintext = true;
  CHECK(resolve(allowed).faults.empty());
}

TEST_CASE("listeners: one on every address must say what it advertises") {
  ListenerSettings settings = listening("PLAINTEXT://0.0.0.0:9092");
  settings.allow_remote_plaintext = true;
  CHECK(contains(resolve(settings).faults, "advertised.listeners"));
  settings.advertised_listeners = "PLAINTEXT://broker.example:9999";
  const Resolved resolved = resolve(settings);
  CHECK(resolved.faults.empty());
  CHECK(resolved.listeners.at(0).advertised_host == "broker.example");
  CHECK(resolved.listeners.at(0).advertised_port == 9999);
  settings = listening("PLAINTEXT://:9092");
  settings.allow_remote_plaintext = true;
  CHECK(resolve(settings).faults.empty());
  CHECK_FALSE(resolve(settings).listeners.at(0).advertised_host.empty());
}

TEST_CASE("listeners: other protocols are refused by name, directly and through the map") {
  for (const char* protocol : {"SSL", "SASL_PLAINTEXT", "SASL_SSL"}) {
    INFO(protocol);
    CHECK(contains(resolve(listening(std::string(protocol) + "://127.0.0.1:1")).faults,
                   std::string(protocol) + ", which is not available"));
    ListenerSettings mapped = listening("CLIENT://127.0.0.1:1");
    mapped.protocol_map = "CLIENT:" + std::string(protocol);
    CHECK(contains(resolve(mapped).faults, std::string(protocol) + ", which is not available"));
  }
}

TEST_CASE("listeners: names of the user's own need a protocol in the map") {
  ListenerSettings settings = listening("INSIDE://127.0.0.1:1,OUTSIDE://127.0.0.1:2");
  CHECK(contains(resolve(settings).faults, "INSIDE is no protocol"));
  settings.protocol_map = "INSIDE:PLAINTEXT, outside:plaintext";
  settings.advertised_listeners = "OUTSIDE://public.example:3";
  const Resolved resolved = resolve(settings);
  CHECK(resolved.faults.empty());
  CHECK(resolved.listeners.at(0).advertised_host == "127.0.0.1");
  CHECK(resolved.listeners.at(1).advertised_host == "public.example");
  settings.protocol_map = "INSIDE:TELNET,OUTSIDE";
  const std::string faults = resolve(settings).faults;
  CHECK(contains(faults, "'INSIDE:TELNET'"));
  CHECK(contains(faults, "'OUTSIDE'"));
}

TEST_CASE("listeners: each has its own name and address") {
  CHECK(contains(resolve(listening("PLAINTEXT://127.0.0.1:1,PLAINTEXT://127.0.0.1:2")).faults,
                 "two listeners"));
  ListenerSettings settings = listening("A://127.0.0.1:1,B://127.0.0.1:1");
  settings.protocol_map = "A:PLAINTEXT,B:PLAINTEXT";
  CHECK(contains(resolve(settings).faults, "there twice"));
  settings.listeners = "A://127.0.0.1:0,B://127.0.0.1:0";
  CHECK(resolve(settings).faults.empty());
}

TEST_CASE("listeners: an advertised address must have its listener, and be an address") {
  ListenerSettings settings = listening("PLAINTEXT://127.0.0.1:1");
  settings.advertised_listeners = "OTHER://127.0.0.1:1";
  CHECK(contains(resolve(settings).faults, "has no listener of its name"));
  for (const char* bad : {"PLAINTEXT://0.0.0.0:1", "PLAINTEXT://:1", "PLAINTEXT://[::]:1"}) {
    INFO(bad);
    settings.advertised_listeners = bad;
    CHECK(contains(resolve(settings).faults, "names no address"));
  }
  settings.advertised_listeners = "nonsense";
  CHECK(contains(resolve(settings).faults, "'nonsense' is not"));
}

TEST_CASE("listeners: those of a Kafka controller are left out, as a stock server.properties has them") {
  ListenerSettings settings = listening("PLAINTEXT://localhost:9092,CONTROLLER://:9093");
  settings.controller_listener_names = "CONTROLLER";
  settings.advertised_listeners = "PLAINTEXT://localhost:9092,CONTROLLER://localhost:9093";
  settings.protocol_map =
      "CONTROLLER:PLAINTEXT,PLAINTEXT:PLAINTEXT,SSL:SSL,SASL_PLAINTEXT:SASL_PLAINTEXT,SASL_SSL:SASL_SSL";
  const Resolved resolved = resolve(settings);
  CHECK(resolved.faults.empty());
  CHECK(resolved.listeners.size() == 1);
  REQUIRE(resolved.notes.size() == 1);
  CHECK(contains(resolved.notes[0], "CONTROLLER://:9093"));
}

TEST_CASE("listeners: a Unix domain socket that is advertised must be one that listens") {
  for (const std::string there : {"UNIX:///run/a.sock", "UNIX://@a"}) {
    ListenerSettings settings;
    settings.listeners = there;
    settings.advertised_listeners = there;
    CHECK(resolve(settings).faults.empty());
    for (const std::string other : {"UNIX:///run/b.sock", "UNIX://@b"}) {
      settings.advertised_listeners = other;
      CHECK(contains(resolve(settings).faults, "advertised.listeners"));
    }
  }
}

TEST_CASE("listeners: a Unix domain socket is advertised as itself, so that clients stay on it") {
  const Resolved resolved = resolve(listening("PLAINTEXT://127.0.0.1:9092,unix:///run/s.sock,UNIX://@s"));
  CHECK(resolved.faults.empty());
  REQUIRE(resolved.listeners.size() == 3);
  CHECK_FALSE(resolved.listeners[0].is_unix);
  CHECK(resolved.listeners[1].is_unix);
  CHECK(resolved.listeners[1].host == "/run/s.sock");
  CHECK(resolved.listeners[1].advertised_host == "unix:///run/s.sock");
  CHECK(resolved.listeners[1].advertised_port == 0);
  CHECK(resolved.listeners[2].advertised_host == "unix://@s");
}

TEST_CASE("listeners: a name of the user's own can be a Unix domain socket, and be advertised otherwise") {
  ListenerSettings settings = listening("LOCAL:///run/s.sock");
  CHECK(contains(resolve(settings).faults, "'LOCAL:///run/s.sock' is not NAME://host:port"));
  settings.protocol_map = "LOCAL:UNIX";
  settings.advertised_listeners = "LOCAL:///run/s.sock";
  CHECK(resolve(settings).faults.empty());
  settings.advertised_listeners = "LOCAL://localhost:9092";
  const Resolved resolved = resolve(settings);
  CHECK(resolved.faults.empty());
  CHECK(resolved.listeners.at(0).is_unix);
  CHECK(resolved.listeners.at(0).advertised_host == "localhost");
  CHECK(resolved.listeners.at(0).advertised_port == 9092);
}

TEST_CASE("listeners: a Unix domain socket needs a name that the kernel takes, of its own") {
  CHECK(contains(resolve(listening("UNIX://run/s.sock")).faults, "neither an absolute path nor '@'"));
  CHECK(contains(resolve(listening("UNIX://")).faults, "neither an absolute path nor '@'"));
  CHECK(contains(resolve(listening("UNIX:///" + std::string(107, 'a'))).faults, "longer than 107 bytes"));
  CHECK(contains(resolve(listening("UNIX:///run/s.sock,UNIX:///run/s.sock")).faults, "there twice"));
}

TEST_CASE("listeners: there is a limit on their number") {
  std::string many = "A0://127.0.0.1:1";
  for (int i = 1; i < 70; ++i) many += ",A" + std::to_string(i) + "://127.0.0.1:" + std::to_string(i + 1);
  CHECK(contains(resolve(listening(many)).faults, "more than 64"));
}

}  // namespace
}  // namespace sillok::tests
