#include "broker/net/listener.h"

#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ip/v6_only.hpp>
#include <boost/asio/post.hpp>
#include <cstring>
#include <utility>

#include "broker/rate_limited_log.h"
#include "protocol/base/unix_address.h"

namespace sillok::broker {

using boost::asio::ip::tcp;

namespace {

constexpr std::chrono::seconds kConnectionCheckInterval{1};
constexpr std::chrono::milliseconds kAcceptPause{100};

std::string bracketed(const std::string& host) {
  return host.find(':') == std::string::npos ? host : "[" + host + "]";
}

template <class Option>
void set_if_positive(ClientSocket& socket, std::int32_t value) {
  if (value <= 0) return;
  boost::system::error_code ignored;  // a wish: the kernel clamps it anyway
  socket.set_option(Option(value), ignored);
}

tcp::endpoint tcp_endpoint(const boost::asio::generic::stream_protocol::endpoint& from) {
  tcp::endpoint endpoint;
  if (from.size() > endpoint.capacity()) return endpoint;
  std::memcpy(endpoint.data(), from.data(), from.size());
  return endpoint;
}

}  // namespace

void ConnectionSet::add(const std::shared_ptr<Connection>& connection) {
  if (closed_) return connection->close(nullptr);
  if (connections_.empty())
    reactor_.call_at(reactor_.clock().steady() + kConnectionCheckInterval, weak_from_this());
  connections_.push_back(connection);
  connection->start();
}

void ConnectionSet::close_all() {
  closed_ = true;
  for (const auto& weak : connections_) {
    if (const auto connection = weak.lock()) connection->close(nullptr);
  }
  connections_.clear();
}

void ConnectionSet::expire() {
  const storage::SteadyTime now = reactor_.clock().steady();
  reactor_.frame_pool()->trim();
  std::erase_if(connections_, [&](const std::weak_ptr<Connection>& weak) {
    const auto connection = weak.lock();
    if (connection) connection->check_time(now);
    return !connection || !connection->is_open();
  });
  if (connections_.empty()) return reactor_.frame_pool()->clear();
  reactor_.call_at(now + kConnectionCheckInterval, weak_from_this());
}

AcceptLoop::AcceptLoop(Listener listener, std::vector<ReactorSlot> reactors,
                       ConnectionEnvironment& environment)
    : listener_(std::move(listener)),
      reactors_(std::move(reactors)),
      environment_(environment),
      acceptor_(reactors_.front().reactor->context()),
      pause_(reactors_.front().reactor->context()) {}

Result<void> AcceptLoop::open() { return listener_.is_unix ? open_unix() : open_tcp(); }

Result<void> AcceptLoop::open_unix() {
  boost::system::error_code error;
  acceptor_.open(boost::asio::generic::stream_protocol(AF_UNIX, 0), error);
  if (error)
    return Error{Errc::invalid_config, fmt::format("listener {}: socket: {}", address(), error.message())};
  const Config& config = environment_.services.config;
  place_ = TRY(UnixSocketPlace::listen(acceptor_.native_handle(), listener_.host, config.unix_socket_mode,
                                       config.listen_backlog));
  return {};
}

Result<void> AcceptLoop::open_tcp() {
  const std::string where = bracketed(listener_.host) + ":" + std::to_string(listener_.port);
  boost::system::error_code error;
  tcp::resolver resolver(reactors_.front().reactor->context());
  const auto found = resolver.resolve(listener_.host.empty() ? "::" : listener_.host,
                                      std::to_string(listener_.port), tcp::resolver::passive, error);
  if (error || found.empty())
    return Error{Errc::invalid_config, "listener " + where + ": " + error.message()};
  const tcp::endpoint endpoint = found.begin()->endpoint();
  const auto failed = [&](const char* step) {
    boost::system::error_code ignored;
    acceptor_.close(ignored);
    return Error{Errc::invalid_config, fmt::format("listener {}: {}: {}", where, step, error.message())};
  };
  acceptor_.open(endpoint.protocol(), error);
  if (error) return failed("socket");
  acceptor_.set_option(tcp::acceptor::reuse_address(true), error);
  if (endpoint.protocol() == tcp::v6()) {
    acceptor_.set_option(boost::asio::ip::v6_only(!listener_.host.empty()), error);
  }
  acceptor_.bind(endpoint, error);
  if (error) return failed("bind");
  acceptor_.listen(environment_.services.config.listen_backlog, error);
  if (error) return failed("listen");
  port_ = tcp_endpoint(acceptor_.local_endpoint(error)).port();
  return {};
}

std::string AcceptLoop::address() const {
  if (listener_.is_unix) return std::string(kUnixScheme) + listener_.host;
  return bracketed(listener_.host) + ":" + std::to_string(port_);
}

void AcceptLoop::start() { accept_next(); }

void AcceptLoop::close() {
  place_.reset();  // first: whoever finds the file still finds somebody who listens
  boost::system::error_code ignored;
  acceptor_.close(ignored);
  pause_.cancel();
}

void AcceptLoop::accept_next() {
  const std::size_t reactor = next_reactor_++ % reactors_.size();
  const auto on_accept = [self = shared_from_this(), reactor](boost::system::error_code error,
                                                              ClientSocket socket) {
    if (!self->acceptor_.is_open()) return;
    if (!error) {
      self->accepted(std::move(socket), reactor);
      return self->accept_next();
    }
    // Out of descriptors, most likely: those who are connected go on, and the queue of the kernel waits.
    log_rate_limited("accept on {}: {}", self->address(), error.message());
    self->pause_.expires_after(kAcceptPause);
    self->pause_.async_wait([self](boost::system::error_code cancelled) {
      if (!cancelled && self->acceptor_.is_open()) self->accept_next();
    });
  };
  acceptor_.async_accept(reactors_[reactor].reactor->context(), on_accept);
}

std::optional<AcceptLoop::Peer> AcceptLoop::peer_of(ClientSocket& socket) const {
  if (listener_.is_unix) {
    const auto credentials = peer_credentials(socket.native_handle());
    if (!credentials) return std::nullopt;
    return Peer{
        fmt::format("unix:pid={},uid={},gid={}", credentials->pid, credentials->uid, credentials->gid), ""};
  }
  boost::system::error_code error;
  const tcp::endpoint peer = tcp_endpoint(socket.remote_endpoint(error));
  if (error) return std::nullopt;
  const std::string address = peer.address().to_string();
  return Peer{bracketed(address) + ":" + std::to_string(peer.port()), address};
}

void AcceptLoop::set_options(ClientSocket& socket) const {
  const Config& config = environment_.services.config;
  boost::system::error_code ignored;
  if (!listener_.is_unix) {
    socket.set_option(tcp::no_delay(true), ignored);
    socket.set_option(boost::asio::socket_base::keep_alive(true), ignored);
  }
  set_if_positive<boost::asio::socket_base::send_buffer_size>(socket, config.socket_send_buffer_bytes);
  set_if_positive<boost::asio::socket_base::receive_buffer_size>(socket, config.socket_receive_buffer_bytes);
}

void AcceptLoop::accepted(ClientSocket socket, std::size_t reactor) {
  auto peer = peer_of(socket);
  if (!peer) return;
  const auto admission = environment_.limits.enter(peer->address);
  if (admission != ConnectionLimits::Admission::admitted) {
    return log_rate_limited(
        "connection from {} refused: {}", peer->address.empty() ? peer->name : peer->address,
        admission == ConnectionLimits::Admission::too_many ? "max.connections is reached"
                                                           : "max.connections.per.ip is reached");
  }
  spdlog::debug("connection from {} on {}", peer->name, address());
  set_options(socket);
  ConnectionInfo info;
  info.peer = std::move(peer->name);
  info.advertised_host = listener_.advertised_host;
  info.advertised_port = listener_.advertised_port != 0 ? listener_.advertised_port : port_;
  const ReactorSlot& target = reactors_[reactor];
  auto connection = std::make_shared<Connection>(std::move(socket), target, target, environment_,
                                                 std::move(info), std::move(peer->address));
  boost::asio::post(target.reactor->context(),
                    [set = target.connections, connection = std::move(connection)] { set->add(connection); });
}

}  // namespace sillok::broker
