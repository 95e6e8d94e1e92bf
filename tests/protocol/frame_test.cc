#include "protocol/frame.h"

#include <catch2/catch.hpp>
#include <string>

#include "protocol/messages/all.h"
#include "tests/support/batches.h"

namespace sillok::protocol {
namespace {

using tests::from_hex;
using tests::to_hex;

// Of a frame without its size.
RequestHeader header_of_fetch(Decoder& in) {
  return decode_request_header(in, [](std::int16_t key, Version version) {
    return key == static_cast<std::int16_t>(ApiKey::fetch) && FetchRequest::kFlexible.contains(version);
  });
}

FetchResponse answer(const std::vector<Records>& partitions) {
  FetchResponse response;
  FetchTopicResponse& topic = response.responses.emplace_back();
  topic.name = "t";
  for (const Records& records : partitions) topic.partitions.emplace_back().records = records;
  return response;
}

}  // namespace

TEST_CASE("frame: a request has its size, the header and the body") {
  for (const Version version : {Version{0}, Version{2}}) {
    Bytes out = from_hex("abcd");  // frames are appended
    InitProducerIdRequest request;
    request.transaction_timeout_ms = 60000;
    REQUIRE(encode_request_frame(out, request, {22, version, 0x01020304, "me"}).ok());
    const std::string body = version == 0 ? "ffff 0000ea60" : "00 0000ea60 00";
    const std::string size = version == 0 ? "00000012" : "00000013";
    const std::string tags = version == 0 ? "" : "00";
    CHECK(to_hex(out) == to_hex(from_hex("abcd" + size + "0016000" + std::to_string(version) + "01020304" +
                                         "00026d65" + tags + body)));
  }
}

TEST_CASE("frame: a request's header is read back, with null and empty client ids") {
  for (const Version version : {Version{4}, Version{12}}) {
    for (const auto& client_id : {std::optional<std::string_view>("kcat"),
                                  std::optional<std::string_view>(""), std::optional<std::string_view>()}) {
      Bytes out;
      const RequestHeader header{1, version, -5, client_id};
      REQUIRE(encode_request_frame(out, FetchRequest{}, header).ok());
      Decoder in(ByteView(out).subspan(kFrameSizeBytes));
      CHECK(header_of_fetch(in) == header);
      FetchRequest request;
      CHECK(decode(in, request, version).ok());
      CHECK(request == FetchRequest{});
    }
  }
}

TEST_CASE("frame: every prefix of a request's header is refused") {
  const Bytes header = from_hex("0001 000c 00000007 0004 6b636174 02 00 01ff 01 00");
  for (std::size_t size = 0; size < header.size(); ++size) {
    const Bytes prefix(header.begin(), header.begin() + static_cast<std::ptrdiff_t>(size));
    Decoder in(prefix);
    header_of_fetch(in);
    CHECK_FALSE(in.ok());
  }
  Decoder in(header);
  CHECK(header_of_fetch(in).client_id == "kcat");
  CHECK(in.finish().ok());  // both tagged fields are skipped
}

TEST_CASE("frame: lies in a request's header are refused") {
  for (const char* hex : {
           "0001 0004 00000007 fffe",                   // a client id of -2
           "0001 0004 00000007 8000",                   // of -32768
           "0001 0004 00000007 0005 6b636174",          // longer than the frame
           "0001 000c 00000007 ffff 02 01 00 00 00",    // tags out of order
           "0001 000c 00000007 ffff 01 00 ffffffff0f",  // a tagged field of 4 GiB
           "0001 000c 00000007 ffff ffffffff0f",        // 2^32 - 1 tagged fields
       }) {
    INFO(hex);
    const Bytes frame = from_hex(hex);
    Decoder in(frame);
    header_of_fetch(in);
    CHECK_FALSE(in.ok());
  }
}

TEST_CASE("frame: an answer's header has tagged fields in flexible versions, but never in ApiVersions") {
  const auto size_without_body = [](const auto& response, Version version) {
    Bytes frame;
    Encoder encoder(frame);
    REQUIRE(encode_response_frame(encoder, frame, response, 7, version).ok());
    Bytes body;
    Encoder body_encoder(body);
    REQUIRE(encode(body_encoder, response, version).ok());
    Decoder in(ByteView(frame).subspan(kFrameSizeBytes));
    using Response = std::decay_t<decltype(response)>;
    CHECK(decode_response_header<Response>(in, version).correlation_id == 7);
    CHECK(in.left().size() == body.size());
    return frame.size() - body.size();
  };
  CHECK(size_without_body(FetchResponse{}, 11) == 8);
  CHECK(size_without_body(FetchResponse{}, 12) == 9);
  CHECK(size_without_body(ApiVersionsResponse{}, 2) == 8);
  CHECK(size_without_body(ApiVersionsResponse{}, 3) == 8);
  CHECK(size_without_body(ApiVersionsResponse{}, 4) == 8);
}

TEST_CASE("frame: records from elsewhere leave holes, which the frame's size counts") {
  const Bytes first = from_hex("0102030405");
  const Bytes second = from_hex("0607");
  for (const Version version : {Version{4}, Version{12}, Version{18}}) {
    const FetchResponse whole = answer({Records{first}, Records{}, Records{second}});
    Bytes expected;
    Encoder plain(expected);
    REQUIRE(encode_response_frame(plain, expected, whole, 7, version).ok());
    CHECK(plain.holes().empty());

    const FetchResponse split = answer({Records{{}, 5}, Records{}, Records{{}, 2}});
    Bytes out;
    Encoder encoder(out);
    REQUIRE(encode_response_frame(encoder, out, split, 7, version).ok());
    REQUIRE(encoder.holes().size() == 2);
    CHECK(encoder.holes()[0].size == 5);
    CHECK(encoder.holes()[1].size == 2);
    // Filled from the back, so that the positions stay right.
    const auto fill = [&](std::size_t hole, const Bytes& records) {
      const auto position = static_cast<std::ptrdiff_t>(encoder.holes()[hole].position);
      out.insert(out.begin() + position, records.begin(), records.end());
    };
    fill(1, second);
    fill(0, first);
    CHECK(to_hex(out) == to_hex(expected));
  }
}

TEST_CASE("frame: several answers share one buffer and one encoder, and a failed one leaves nothing") {
  Bytes out;
  Encoder encoder(out);
  const FetchResponse good = answer({Records{{}, 5}});
  REQUIRE(encode_response_frame(encoder, out, good, 1, 4).ok());
  const Bytes one = out;

  FetchResponse bad = answer({Records{{}, 9}});
  bad.session_id = 3;  // not before version 7
  CHECK_FALSE(encode_response_frame(encoder, out, bad, 2, 4).ok());
  CHECK(out == one);
  CHECK(encoder.holes().size() == 1);

  REQUIRE(encode_response_frame(encoder, out, good, 3, 4).ok());
  CHECK(out.size() == 2 * one.size());
  CHECK(encoder.holes().size() == 2);
  CHECK(encoder.holes()[1].position == one.size() + encoder.holes()[0].position);
  CHECK(load_big_endian<std::int32_t>(out.data() + one.size()) == load_big_endian<std::int32_t>(out.data()));
}

TEST_CASE("frame: an answer of more than 2 GiB is refused") {
  const Records huge{{}, 0x7ffffff0};
  Bytes out;
  Encoder encoder(out);
  const Result<void> encoded = encode_response_frame(encoder, out, answer({huge}), 1, 4);
  REQUIRE_FALSE(encoded.ok());
  CHECK(encoded.error().code == Errc::too_large);
  CHECK(out.empty());
  CHECK(encoder.holes().empty());
}

TEST_CASE("frame: a request that its version cannot carry leaves nothing") {
  Bytes out = from_hex("abcd");
  FetchRequest request;
  request.replica_state.replica_id = BrokerId(2);
  CHECK_FALSE(encode_request_frame(out, request, {1, 4, 7, "me"}).ok());
  CHECK(to_hex(out) == "abcd");
}

TEST_CASE("frame: long values are written whole, between short ones") {
  for (const std::size_t size : std::initializer_list<std::size_t>{1023, 1024, 1025, 100000}) {
    const std::string text(size, 'x');
    Bytes out;
    Encoder encoder(out);
    encoder.integer<std::int16_t>(1);
    encoder.bytes(as_bytes(text));
    encoder.integer<std::int16_t>(2);
    REQUIRE(encoder.finish().ok());
    REQUIRE(out.size() == size + 4);
    CHECK(as_text(ByteView(out).subspan(2, size)) == text);
    CHECK(load_big_endian<std::int16_t>(out.data() + size + 2) == 2);
  }
}

}  // namespace sillok::protocol
