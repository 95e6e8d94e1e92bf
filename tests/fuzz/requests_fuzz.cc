// A request's frame, as the broker reads it: header, then the body of whatever API and version it names. What
// is read can be written, and comes back the same.
#include "protocol/frame.h"
#include "protocol/messages/all.h"
#include "protocol/wire/printer.h"
#include "tests/fuzz/target.h"

namespace sillok::fuzz {
namespace {

using namespace protocol;

template <Message Request>
void read_body(Decoder& in, Version version) {
  Request request;
  if (!decode(in, request, version, TrailingBytes::ignored).ok()) return;
  Bytes out;
  Encoder encoder(out);
  CHECK(encode(encoder, request, version).ok());
  Decoder again(out);
  Request same;
  CHECK(decode(again, same, version).ok());
  CHECK(to_json(same, version) == to_json(request, version));
  Bytes twice;
  Encoder second(twice);
  CHECK(encode(second, same, version).ok());
  CHECK(twice == out);
}

}  // namespace

void run(ByteView input) {
  Decoder in(input);
  bool is_known = false;
  const RequestHeader header = decode_request_header(in, [&](std::int16_t key, Version version) {
    bool is_flexible = false;
    for_each_api([&]<class Request, class Response>() {
      if (static_cast<std::int16_t>(Request::kKey) != key) return;
      is_known = Request::kVersions.contains(version);
      is_flexible = Request::kFlexible.contains(version);
    });
    return is_flexible;
  });
  if (!in.ok() || !is_known) return;
  for_each_api([&]<class Request, class Response>() {
    if (static_cast<std::int16_t>(Request::kKey) == header.api_key)
      read_body<Request>(in, header.api_version);
  });
}

std::vector<Bytes> seeds() {
  std::vector<Bytes> all;
  for_each_api([&]<class Request, class Response>() {
    const std::string name = to_string(Request::kKey);
    for (Version version = Request::kVersions.first; version <= Request::kVersions.last; ++version) {
      Bytes header;
      Encoder encoder(header);
      encoder.integer(static_cast<std::int16_t>(Request::kKey));
      encoder.integer(version);
      encoder.integer(std::int32_t{7});
      encoder.string_size(false, 2);
      encoder.bytes(as_bytes("me"));
      if (Request::kFlexible.contains(version)) encoder.unsigned_varint(0);
      CHECK(encoder.finish().ok());
      const std::string stem = name + ".v" + std::to_string(version) + ".request.java";
      for (const Golden& golden : golden_files("protocol/golden", stem)) {
        if (!golden.name.starts_with(stem) || golden.name.find(".javaclient.") != std::string::npos) continue;
        Bytes whole = header;
        whole.insert(whole.end(), golden.bytes.begin(), golden.bytes.end());
        all.push_back(std::move(whole));
      }
    }
  });
  return all;
}

}  // namespace sillok::fuzz
