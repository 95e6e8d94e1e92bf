// Bytes that other programs wrote: tests/protocol/golden/README.md says what each file is.
#include <boost/json.hpp>
#include <catch2/catch.hpp>
#include <filesystem>
#include <fstream>
#include <map>
#include <sstream>

#include "protocol/frame.h"
#include "protocol/messages/all.h"
#include "protocol/wire/printer.h"
#include "tests/support/batches.h"

namespace json = boost::json;

namespace sillok::protocol {
namespace {

using tests::from_hex;
using tests::to_hex;

const std::filesystem::path kFolder = std::filesystem::path(SILLOK_SOURCE_DIR) / "tests/protocol/golden";

std::string read_text(const std::filesystem::path& path) {
  std::ifstream file(path);
  if (!file.good()) FAIL("no golden file " << path);
  std::stringstream text;
  text << file.rdbuf();
  return text.str();
}

std::string direction_name(Direction direction) {
  return direction == Direction::request ? "request" : "response";
}

// "Fetch.v4.request"
std::string stem(ApiKey key, Version version, Direction direction) {
  return std::string(to_string(key)) + ".v" + std::to_string(version) + "." + direction_name(direction);
}

template <Message M>
void check_body(const std::string& name, Version version) {
  INFO("golden file " << name);
  const Bytes golden = from_hex(read_text(kFolder / (name + ".hex")));
  Decoder in(golden);
  M message;
  const Result<void> decoded = decode(in, message, version);
  if (!decoded.ok()) FAIL(decoded.error().describe());

  CHECK(json::parse(to_json(message, version, RecordsForm::empty)) ==
        json::parse(read_text(kFolder / (name + ".json"))));

  Bytes out;
  Encoder encoder(out);
  REQUIRE(encode(encoder, message, version).ok());
  CHECK(to_hex(out) == to_hex(golden));
}

struct Capture {
  std::filesystem::path path;
  ApiKey key{};
  Version version = 0;
  Direction direction{};
};

// The files of live clients: Api.vN.request.CLIENT.hex.
std::vector<Capture> captures() {
  std::map<std::string, ApiKey> keys;
  for_each_api([&]<class Request, class>() { keys[to_string(Request::kKey)] = Request::kKey; });
  std::vector<Capture> found;
  for (const auto& entry : std::filesystem::directory_iterator(kFolder)) {
    std::vector<std::string> parts;
    std::stringstream name(entry.path().filename().string());
    for (std::string part; std::getline(name, part, '.');) parts.push_back(part);
    const bool is_frame =
        parts.size() == 5 && parts[4] == "hex" && parts[3] != "java" && parts[3] != "javanull";
    if (!is_frame) continue;
    found.push_back({entry.path(), keys.at(parts[0]), static_cast<Version>(std::stoi(parts[1].substr(1))),
                     parts[2] == "request" ? Direction::request : Direction::response});
  }
  return found;
}

template <Message Request>
void check_request_frame(const Bytes& frame, Version version) {
  Decoder in(frame);
  const RequestHeader header =
      decode_request_header(in, [](auto, Version v) { return Request::kFlexible.contains(v); });
  CHECK(header.api_key == static_cast<std::int16_t>(Request::kKey));
  REQUIRE(header.api_version == version);
  Request request;
  const Result<void> decoded = decode(in, request, version);
  if (!decoded.ok()) FAIL(decoded.error().describe());
  Bytes out;
  REQUIRE(encode_request_frame(out, request, header).ok());
  CHECK(to_hex(ByteView(out).subspan(kFrameSizeBytes)) == to_hex(frame));
}

template <Message Response>
void check_response_frame(const Bytes& frame, Version version) {
  Decoder in(frame);
  const ResponseHeader header = decode_response_header<Response>(in, version);
  Response response;
  const Result<void> decoded = decode(in, response, version);
  if (!decoded.ok()) FAIL(decoded.error().describe());
  Bytes out;
  Encoder encoder(out);
  REQUIRE(encode_response_frame(encoder, out, response, header.correlation_id, version).ok());
  CHECK(to_hex(ByteView(out).subspan(kFrameSizeBytes)) == to_hex(frame));
}

}  // namespace

TEST_CASE("golden: every message and version reads, prints and writes as the Java client does") {
  for_each_message([]<class M>(Direction direction) {
    for (Version version = M::kVersions.first; version <= M::kVersions.last; ++version) {
      check_body<M>(stem(M::kKey, version, direction) + ".java", version);
      check_body<M>(stem(M::kKey, version, direction) + ".javanull", version);
    }
  });
}

TEST_CASE("golden: request headers are those of the Java client") {
  for (const Version version : {Version{1}, Version{2}}) {
    for (const char* author : {"java", "javanull"}) {
      const std::string name = "Header.v" + std::to_string(version) + ".request." + author;
      INFO(name);
      const Bytes golden = from_hex(read_text(kFolder / (name + ".hex")));
      const json::object expected = json::parse(read_text(kFolder / (name + ".json"))).as_object();
      Decoder in(golden);
      const RequestHeader header = decode_request_header(in, [&](auto, auto) { return version == 2; });
      REQUIRE(in.finish().ok());
      CHECK(header.api_key == expected.at("requestApiKey").as_int64());
      CHECK(header.api_version == expected.at("requestApiVersion").as_int64());
      CHECK(header.correlation_id == expected.at("correlationId").as_int64());
      const json::value& client_id = expected.at("clientId");
      CHECK(header.client_id.has_value() == client_id.is_string());
      if (header.client_id) CHECK(*header.client_id == std::string_view(client_id.as_string()));
    }
  }
}

TEST_CASE("golden: frames of live clients and their answers read and are written back as they were") {
  const std::vector<Capture> all = captures();
  CHECK_FALSE(all.empty());
  for (const Capture& capture : all) {
    INFO("golden file " << capture.path);
    const Bytes frame = from_hex(read_text(capture.path));
    bool spoken = false;
    for_each_api([&]<class Request, class Response>() {
      if (Request::kKey != capture.key || !Request::kVersions.contains(capture.version)) return;
      spoken = true;
      if (capture.direction == Direction::request) check_request_frame<Request>(frame, capture.version);
      if (capture.direction == Direction::response) check_response_frame<Response>(frame, capture.version);
    });
    CHECK(spoken);
  }
}

}  // namespace sillok::protocol
