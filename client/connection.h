// One connection to one broker, over TCP or a Unix domain socket: agrees on versions, sends requests without
// waiting for the ones before them, and gives each its answer or its error.
#pragma once

#include <array>
#include <boost/asio/generic/stream_protocol.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/steady_timer.hpp>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <vector>

#include "client/endpoint.h"
#include "client/retry.h"
#include "protocol/api.h"
#include "protocol/base/bytes.h"
#include "protocol/base/result.h"
#include "protocol/frame.h"

namespace sillok::client {

struct ConnectionOptions {
  std::string client_id = "sillok";
  Milliseconds connect_timeout{10'000};
  Milliseconds request_timeout{30'000};
  std::size_t response_bytes_max = 256 << 20;
  std::size_t in_flight_max = 1000;
};

// An answer, and the frame that it views.
template <protocol::Message Response>
struct Answer {
  Bytes frame;
  protocol::Version version = 0;
  Response message;
};

struct CallOptions {
  std::optional<Milliseconds> timeout;                          // ConnectionOptions::request_timeout
  protocol::Version version_max = protocol::kAllVersions.last;  // below the newest that both sides have
};

// Threading: all on the io_context's thread; callbacks come from it, never from inside the call that they
// belong to. Failure: the first error (also a timeout: answers come in order, so nothing after a missing one
// can be told apart)
//   closes the connection, and every outstanding and later request fails with it. Not reusable after that.
// Invariants: answers are matched in the order of the requests, and their correlation ids must agree.
class Connection : public std::enable_shared_from_this<Connection> {
 public:
  using Opened = std::function<void(Result<void>)>;
  template <protocol::Message Response>
  using Answered = std::function<void(Result<Answer<Response>>)>;

  static std::shared_ptr<Connection> create(boost::asio::io_context& io, Endpoint endpoint,
                                            ConnectionOptions options);

  // Resolves, connects, asks for ApiVersions. Requires: called once.
  void open(Opened opened);
  bool is_open() const { return state_ == State::ready; }
  const Endpoint& endpoint() const { return endpoint_; }
  std::size_t in_flight() const { return pending_.size(); }

  // The newest version that the broker and `ours` have. Requires: is_open() was reached.
  std::optional<protocol::Version> version_for(protocol::ApiKey key, protocol::VersionRange ours) const;

  template <protocol::Message Request, protocol::Message Response>
  void call(const Request& request, Answered<Response> done, CallOptions options = {});
  // A request that the broker never answers (produce with acks=0). An error tells that it was not sent at
  // all.
  template <protocol::Message Request>
  Result<void> send_unanswered(const Request& request, CallOptions options = {});

  void close(Error reason);

 private:
  enum class State { idle, connecting, ready, closed };
  using FrameDone = std::function<void(Result<Bytes>)>;
  struct Pending {
    std::int32_t correlation_id;
    std::chrono::steady_clock::time_point deadline;
    FrameDone done;
  };

  Connection(boost::asio::io_context& io, Endpoint endpoint, ConnectionOptions options);

  template <protocol::Message Request>
  Result<Bytes> encode(const Request& request, protocol::Version version);
  template <protocol::Message Request>
  Result<protocol::Version> negotiate(CallOptions options) const;
  void connect();
  void resolve();
  void connect_to(const std::vector<boost::asio::generic::stream_protocol::endpoint>& addresses);
  void ask_versions(protocol::Version version);
  void take_versions(Result<Bytes> frame, protocol::Version version);
  void close_lost(boost::system::error_code error);
  void finish_open(Result<void> result);
  void send(Bytes frame);
  void send_expecting(Bytes frame, Milliseconds timeout, FrameDone done);
  void fail_later(FrameDone done, Error error);
  void write_queued();
  void read_size();
  void read_body(std::int32_t size);
  void take_frame();
  void watch_deadline();

  boost::asio::io_context& io_;
  Endpoint endpoint_;
  ConnectionOptions options_;
  boost::asio::ip::tcp::resolver resolver_;
  boost::asio::generic::stream_protocol::socket socket_;
  boost::asio::steady_timer timer_;
  bool is_watching_ = false;  // timer_ is set to a deadline
  State state_ = State::idle;
  Error reason_{Errc::closed, "not connected"};
  Opened opened_;
  std::map<protocol::ApiKey, protocol::VersionRange> broker_versions_;
  std::int32_t next_correlation_id_ = 1;
  std::deque<Pending> pending_;
  std::vector<Bytes> queued_;
  std::vector<Bytes> writing_;
  std::array<std::byte, protocol::kFrameSizeBytes> size_bytes_{};
  Bytes incoming_;
};

// ---- implementation ----

template <protocol::Message Request>
Result<Bytes> Connection::encode(const Request& request, protocol::Version version) {
  Bytes frame;
  const protocol::RequestHeader header{static_cast<std::int16_t>(Request::kKey), version,
                                       next_correlation_id_, options_.client_id};
  TRY(protocol::encode_request_frame(frame, request, header));
  return frame;
}

template <protocol::Message Request>
Result<protocol::Version> Connection::negotiate(CallOptions options) const {
  if (state_ != State::ready) return reason_;
  protocol::VersionRange ours = Request::kVersions;
  if (options.version_max < ours.last) ours.last = options.version_max;
  const auto version = version_for(Request::kKey, ours);
  if (!version) {
    return Error{Errc::unsupported_version, endpoint_.to_string() + " has no version of " +
                                                protocol::to_string(Request::kKey) +
                                                " that this client knows"};
  }
  return *version;
}

template <protocol::Message Request, protocol::Message Response>
void Connection::call(const Request& request, Answered<Response> done, CallOptions options) {
  const auto version = negotiate<Request>(options);
  auto frame = version.ok() ? encode(request, *version) : Result<Bytes>(version.error());
  const auto decoded = [done = std::move(done),
                        version = version.ok() ? *version : protocol::Version{0}](Result<Bytes> bytes) {
    if (!bytes.ok()) return done(std::move(bytes).error());
    Answer<Response> answer{std::move(bytes).value(), version, {}};
    protocol::Decoder in(answer.frame);
    protocol::decode_response_header<Response>(in, version);
    if (auto read = protocol::decode(in, answer.message, version); !read.ok())
      return done(std::move(read).error());
    done(std::move(answer));
  };
  if (!frame.ok()) return fail_later(decoded, std::move(frame).error());
  send_expecting(std::move(frame).value(), options.timeout.value_or(options_.request_timeout), decoded);
}

template <protocol::Message Request>
Result<void> Connection::send_unanswered(const Request& request, CallOptions options) {
  const auto version = TRY(negotiate<Request>(options));
  Bytes frame = TRY(encode(request, version));
  ++next_correlation_id_;
  send(std::move(frame));
  return {};
}

}  // namespace sillok::client
