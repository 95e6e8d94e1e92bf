// Connections of the load generator, on bare system calls, so that it costs as little as it can.
#pragma once

#include <cstdint>
#include <utility>

#include "bench/load_options.h"
#include "protocol/base/bytes.h"
#include "protocol/base/result.h"
#include "protocol/frame.h"

namespace sillok::bench {

inline constexpr std::size_t kResponseBytesMax = 256 << 20;

enum class Blocking { yes, no };

// Owns a descriptor.
class Socket {
 public:
  Socket() = default;
  explicit Socket(int descriptor) : descriptor_(descriptor) {}
  Socket(Socket&& other) noexcept : descriptor_(std::exchange(other.descriptor_, -1)) {}
  Socket& operator=(Socket&& other) noexcept {
    std::swap(descriptor_, other.descriptor_);
    return *this;
  }
  ~Socket();

  int descriptor() const { return descriptor_; }

 private:
  int descriptor_ = -1;
};

// A connected socket without Nagle's delay. A blocking one gives up reads and writes after 120 s.
Result<Socket> connect_to(const Endpoint& endpoint, Blocking blocking);

// Sends one whole request on a blocking socket and reads its answer into `response`, from the correlation id
// on.
Result<void> round_trip(Socket& socket, ByteView request, Bytes& response);

// One request and its decoded answer, which views `frame`.
template <protocol::Message Request, protocol::Message Response>
Result<void> call(Socket& socket, const Request& request, protocol::Version version, Response& response,
                  Bytes& frame) {
  Bytes encoded;
  const protocol::RequestHeader header{static_cast<std::int16_t>(Request::kKey), version, 1, "sillok_load"};
  TRY(protocol::encode_request_frame(encoded, request, header));
  TRY(round_trip(socket, encoded, frame));
  protocol::Decoder in(frame);
  protocol::decode_response_header<Response>(in, version);
  return protocol::decode(in, response, version);
}

}  // namespace sillok::bench
