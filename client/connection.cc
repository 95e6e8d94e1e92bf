#include "client/connection.h"

#include <fmt/format.h>

#include <algorithm>
#include <boost/asio/buffer.hpp>
#include <boost/asio/connect.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/read.hpp>
#include <boost/asio/write.hpp>

#include "protocol/base/unix_address.h"
#include "protocol/messages/api_versions.h"

namespace sillok::client {
namespace {

namespace asio = boost::asio;
using Stream = asio::generic::stream_protocol;
using boost::system::error_code;
using protocol::ApiVersionsRequest;
using protocol::ApiVersionsResponse;

// Version 4 differs only in what a broker may say about features.
constexpr protocol::Version kApiVersionsVersion = 3;
constexpr std::size_t kErrorCodePosition = 4;  // after the correlation id

}  // namespace

std::shared_ptr<Connection> Connection::create(asio::io_context& io, Endpoint endpoint,
                                               ConnectionOptions options) {
  return std::shared_ptr<Connection>(new Connection(io, std::move(endpoint), std::move(options)));
}

Connection::Connection(asio::io_context& io, Endpoint endpoint, ConnectionOptions options)
    : io_(io),
      endpoint_(std::move(endpoint)),
      options_(std::move(options)),
      resolver_(io),
      socket_(io),
      timer_(io) {}

void Connection::open(Opened opened) {
  CHECK(state_ == State::idle);
  state_ = State::connecting;
  opened_ = std::move(opened);
  timer_.expires_after(options_.connect_timeout);
  timer_.async_wait([self = shared_from_this()](error_code error) {
    if (error || self->state_ != State::connecting) return;
    self->close({Errc::timed_out, fmt::format("no connection to {} within {} ms", self->endpoint_.to_string(),
                                              self->options_.connect_timeout.count())});
  });
  connect();
}

void Connection::connect() {
  if (!endpoint_.is_unix()) return resolve();
  const UnixSocketAddress address = unix_socket_address(endpoint_.socket_name);
  connect_to({Stream::endpoint(address.pointer(), address.size)});
}

void Connection::resolve() {
  resolver_.async_resolve(
      endpoint_.host, std::to_string(endpoint_.port),
      [self = shared_from_this()](error_code error, const asio::ip::tcp::resolver::results_type& found) {
        if (self->state_ != State::connecting) return;
        if (error) return self->close_lost(error);
        std::vector<Stream::endpoint> addresses;
        for (const auto& entry : found) addresses.emplace_back(entry.endpoint());
        self->connect_to(addresses);
      });
}

// The first that answers.
void Connection::connect_to(const std::vector<Stream::endpoint>& addresses) {
  asio::async_connect(socket_, addresses,
                      [self = shared_from_this()](error_code error, const Stream::endpoint&) {
                        if (self->state_ != State::connecting) return;
                        if (error) return self->close_lost(error);
                        error_code ignored;
                        if (!self->endpoint_.is_unix())
                          self->socket_.set_option(asio::ip::tcp::no_delay(true), ignored);
                        self->read_size();
                        self->ask_versions(kApiVersionsVersion);
                      });
}

void Connection::ask_versions(protocol::Version version) {
  ApiVersionsRequest request;
  request.client_software_name = "sillok";
  request.client_software_version = SILLOK_VERSION;
  auto frame = encode(request, version);
  CHECK(frame.ok());
  send_expecting(std::move(frame).value(), options_.connect_timeout,
                 [self = shared_from_this(), version](Result<Bytes> answer) {
                   self->take_versions(std::move(answer), version);
                 });
}

void Connection::take_versions(Result<Bytes> frame, protocol::Version version) {
  if (!frame.ok()) return;  // the connection is closed, which told opened_
  // A broker that does not know the version answers in version 0, with the error and, mostly, with its list.
  const bool is_refused = frame->size() >= kErrorCodePosition + 2 &&
                          load_big_endian<std::int16_t>(frame->data() + kErrorCodePosition) ==
                              static_cast<std::int16_t>(protocol::ErrorCode::unsupported_version);
  ApiVersionsResponse response;
  protocol::Decoder in(*frame);
  protocol::decode_response_header<ApiVersionsResponse>(in, version);
  if (auto read = protocol::decode(in, response, is_refused ? protocol::Version{0} : version); !read.ok()) {
    return close(read.error());
  }
  if (is_refused && response.api_keys.empty() && version > 0) return ask_versions(0);
  if (response.error_code != protocol::ErrorCode::none && !is_refused) {
    return close(
        {Errc::broker_error, fmt::format("ApiVersions: {}", protocol::to_string(response.error_code))});
  }
  for (const protocol::ApiVersion& api : response.api_keys) {
    broker_versions_[api.api_key] = {api.min_version, api.max_version};
  }
  finish_open({});
}

void Connection::finish_open(Result<void> result) {
  if (result.ok()) {
    state_ = State::ready;
    watch_deadline();
  }
  if (const Opened opened = std::exchange(opened_, nullptr)) opened(std::move(result));
}

std::optional<protocol::Version> Connection::version_for(protocol::ApiKey key,
                                                         protocol::VersionRange ours) const {
  const auto found = broker_versions_.find(key);
  if (found == broker_versions_.end()) return std::nullopt;
  const protocol::Version newest = std::min(ours.last, found->second.last);
  if (newest < ours.first || newest < found->second.first) return std::nullopt;
  return newest;
}

void Connection::close_lost(error_code error) {
  close({Errc::connection_lost, fmt::format("{}: {}", endpoint_.to_string(), error.message())});
}

void Connection::close(Error reason) {
  if (state_ == State::closed) return;
  state_ = State::closed;
  reason_ = std::move(reason);
  error_code ignored;
  resolver_.cancel();
  timer_.cancel();
  socket_.close(ignored);
  queued_.clear();
  // Callbacks may hold the last reference to this connection, or start new requests on it.
  auto pending = std::exchange(pending_, {});
  for (Pending& request : pending) fail_later(std::move(request.done), reason_);
  if (const Opened opened = std::exchange(opened_, nullptr)) {
    asio::post(io_, [opened, error = reason_] { opened(error); });
  }
}

void Connection::fail_later(FrameDone done, Error error) {
  asio::post(io_, [done = std::move(done), error = std::move(error)] { done(error); });
}

void Connection::send_expecting(Bytes frame, Milliseconds timeout, FrameDone done) {
  if (state_ == State::closed) return fail_later(std::move(done), reason_);
  if (pending_.size() >= options_.in_flight_max) {
    return fail_later(std::move(done), {Errc::would_block, "too many requests in flight"});
  }
  pending_.push_back({next_correlation_id_++, std::chrono::steady_clock::now() + timeout, std::move(done)});
  if (state_ == State::ready) watch_deadline();
  send(std::move(frame));
}

void Connection::send(Bytes frame) {
  queued_.push_back(std::move(frame));
  if (writing_.empty()) write_queued();
}

void Connection::write_queued() {
  writing_ = std::exchange(queued_, {});
  std::vector<asio::const_buffer> buffers;
  buffers.reserve(writing_.size());
  for (const Bytes& frame : writing_) buffers.emplace_back(frame.data(), frame.size());
  asio::async_write(socket_, buffers, [self = shared_from_this()](error_code error, std::size_t) {
    self->writing_.clear();
    if (self->state_ == State::closed) return;
    if (error) return self->close_lost(error);
    if (!self->queued_.empty()) self->write_queued();
  });
}

void Connection::read_size() {
  asio::async_read(
      socket_, asio::buffer(size_bytes_), [self = shared_from_this()](error_code error, std::size_t) {
        if (self->state_ == State::closed) return;
        if (error) {
          const bool is_end = error == asio::error::eof || error == asio::error::connection_reset;
          return self->close({Errc::connection_lost,
                              fmt::format("{}: {}", self->endpoint_.to_string(),
                                          is_end ? "the broker closed the connection" : error.message())});
        }
        self->read_body(load_big_endian<std::int32_t>(self->size_bytes_.data()));
      });
}

void Connection::read_body(std::int32_t size) {
  if (size < static_cast<std::int32_t>(sizeof(std::int32_t)) ||
      static_cast<std::size_t>(size) > options_.response_bytes_max) {
    return close({Errc::malformed, fmt::format("{}: an answer of {} bytes", endpoint_.to_string(), size)});
  }
  incoming_.resize(static_cast<std::size_t>(size));
  asio::async_read(socket_, asio::buffer(incoming_.data(), incoming_.size()),
                   [self = shared_from_this()](error_code error, std::size_t) {
                     if (self->state_ == State::closed) return;
                     if (error) return self->close_lost(error);
                     self->take_frame();
                   });
}

void Connection::take_frame() {
  const auto correlation_id = load_big_endian<std::int32_t>(incoming_.data());
  if (pending_.empty() || pending_.front().correlation_id != correlation_id) {
    return close({Errc::malformed, fmt::format("{}: an answer to no request", endpoint_.to_string())});
  }
  const FrameDone done = std::move(pending_.front().done);
  pending_.pop_front();
  done(std::exchange(incoming_, {}));
  if (state_ == State::closed) return;
  read_size();
}

// One timer for all: it is set to the oldest deadline, and set again when it finds that one answered. So an
// answer in time costs no work on timers.
void Connection::watch_deadline() {
  if (is_watching_ || pending_.empty()) return;
  is_watching_ = true;
  timer_.expires_at(pending_.front().deadline);
  timer_.async_wait([weak = weak_from_this()](error_code error) {
    const auto self = weak.lock();
    if (error || self == nullptr || self->state_ != State::ready) return;
    self->is_watching_ = false;
    if (self->pending_.empty()) return;
    if (self->pending_.front().deadline > std::chrono::steady_clock::now()) return self->watch_deadline();
    self->close({Errc::timed_out, fmt::format("{}: no answer in time", self->endpoint_.to_string())});
  });
}

}  // namespace sillok::client
