// Frames: a 32-bit size, then a header and a body.
#pragma once

#include "protocol/headers.h"
#include "protocol/wire/decode.h"
#include "protocol/wire/encode.h"

namespace sillok::protocol {

inline constexpr std::size_t kFrameSizeBytes = 4;
// What its signed size can say; what a broker or client takes is configured, and far less.
inline constexpr std::size_t kFrameSizeMax = 0x7fffffff;

void skip_tagged_fields(Decoder& in);

// Reads a request's header from a frame (without its size), leaving `in` at the body. `flexible` tells, for
// the key and version that were read, whether tagged fields follow the client id.
template <class IsFlexible>
RequestHeader decode_request_header(Decoder& in, IsFlexible&& flexible) {
  RequestHeader header;
  header.api_key = in.integer<std::int16_t>();
  header.api_version = in.integer<Version>();
  header.correlation_id = in.integer<std::int32_t>();
  if (const auto size = in.string_size(false)) header.client_id = as_text(in.bytes(*size));
  if (in.ok() && flexible(header.api_key, header.api_version)) skip_tagged_fields(in);
  return header;
}

// Appends a whole request frame: size, header, body. After an error nothing is appended.
template <Message Request>
Result<void> encode_request_frame(Bytes& out, const Request& request, const RequestHeader& header);

// Appends a whole response frame. Holes are part of the frame's size; their positions count from the start of
// `out`.
template <Message Response>
Result<void> encode_response_frame(Encoder& encoder, Bytes& out, const Response& response,
                                   std::int32_t correlation_id, Version version);

// Reads a response's header from a frame (without its size), leaving `in` at the body.
template <Message Response>
ResponseHeader decode_response_header(Decoder& in, Version version);

// Where a response's tagged fields follow the correlation id.
template <Message Response>
constexpr bool response_header_is_flexible(Version version) {
  return Response::kKey != ApiKey::api_versions && Response::kFlexible.contains(version);
}

// ---- implementation ----

template <Message Request>
Result<void> encode_request_frame(Bytes& out, const Request& request, const RequestHeader& header) {
  const std::size_t start = out.size();
  Encoder encoder(out);
  encoder.integer(std::int32_t{0});
  encoder.integer(header.api_key);
  encoder.integer(header.api_version);
  encoder.integer(header.correlation_id);
  if (header.client_id) {
    encoder.string_size(false, header.client_id->size());
    encoder.bytes(as_bytes(*header.client_id));
  } else {
    encoder.null_string(false);
  }
  if (Request::kFlexible.contains(header.api_version)) encoder.unsigned_varint(0);
  if (auto encoded = encode(encoder, request, header.api_version); !encoded.ok()) {
    encoder.truncate(start);
    return encoded;
  }
  if (out.size() - start > kFrameSizeMax) {
    encoder.truncate(start);
    return Error{Errc::too_large, "a request of more than 2 GiB"};
  }
  store_big_endian(out.data() + start, static_cast<std::int32_t>(out.size() - start - kFrameSizeBytes));
  return {};
}

template <Message Response>
Result<void> encode_response_frame(Encoder& encoder, Bytes& out, const Response& response,
                                   std::int32_t correlation_id, Version version) {
  const std::size_t start = encoder.size();
  const std::size_t first_hole = encoder.holes().size();
  encoder.integer(std::int32_t{0});
  encoder.integer(correlation_id);
  if (response_header_is_flexible<Response>(version)) encoder.unsigned_varint(0);
  if (auto encoded = encode(encoder, response, version); !encoded.ok()) {
    encoder.truncate(start);
    return encoded;
  }
  std::size_t size = encoder.size() - start - kFrameSizeBytes;
  for (std::size_t i = first_hole; i < encoder.holes().size(); ++i) size += encoder.holes()[i].size;
  if (size > kFrameSizeMax) {
    encoder.truncate(start);
    return Error{Errc::too_large, "a response of more than 2 GiB"};
  }
  store_big_endian(out.data() + start, static_cast<std::int32_t>(size));
  return {};
}

template <Message Response>
ResponseHeader decode_response_header(Decoder& in, Version version) {
  ResponseHeader header;
  header.correlation_id = in.integer<std::int32_t>();
  if (response_header_is_flexible<Response>(version)) skip_tagged_fields(in);
  return header;
}

}  // namespace sillok::protocol
