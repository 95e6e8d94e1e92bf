// An answer's body, as the client reads it. The first two bytes say of which API and version.
#include "protocol/frame.h"
#include "protocol/messages/all.h"
#include "protocol/wire/printer.h"
#include "tests/fuzz/target.h"

namespace sillok::fuzz {
namespace {

using namespace protocol;

template <Message Response>
void read_body(ByteView body, Version version) {
  Decoder in(body);
  Response response;
  if (!decode(in, response, version).ok()) return;
  Bytes out;
  Encoder encoder(out);
  CHECK(encode(encoder, response, version).ok());
  Decoder again(out);
  Response same;
  CHECK(decode(again, same, version).ok());
  CHECK(to_json(same, version) == to_json(response, version));
}

std::size_t version_count(VersionRange versions) {
  return static_cast<std::size_t>(versions.last - versions.first) + 1;
}

}  // namespace

void run(ByteView input) {
  Choices choices(input);
  const std::size_t key = choices.choose(256);
  const std::size_t nth = choices.choose(256);
  for_each_api([&]<class Request, class Response>() {
    if (static_cast<std::size_t>(Response::kKey) != key) return;
    const auto version =
        Response::kVersions.first + static_cast<Version>(nth % version_count(Response::kVersions));
    read_body<Response>(choices.rest(), static_cast<Version>(version));
  });
}

std::vector<Bytes> seeds() {
  std::vector<Bytes> all;
  for_each_api([&]<class Request, class Response>() {
    for (std::size_t nth = 0; nth < version_count(Response::kVersions); ++nth) {
      const auto version = static_cast<std::size_t>(Response::kVersions.first) + nth;
      const std::string stem =
          std::string(to_string(Response::kKey)) + ".v" + std::to_string(version) + ".response.java";
      for (const Golden& golden : golden_files("protocol/golden", stem)) {
        if (!golden.name.starts_with(stem) || golden.name.find(".javaclient.") != std::string::npos) continue;
        all.push_back(with_choices(
            {static_cast<std::uint8_t>(Response::kKey), static_cast<std::uint8_t>(nth)}, golden.bytes));
      }
    }
  });
  return all;
}

}  // namespace sillok::fuzz
