// Accepts connections on one address or Unix domain socket and spreads them over the reactors.
#pragma once

#include <boost/asio/basic_socket_acceptor.hpp>
#include <boost/asio/generic/stream_protocol.hpp>
#include <boost/asio/steady_timer.hpp>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "broker/config.h"
#include "broker/net/connection.h"
#include "broker/net/reactor.h"
#include "broker/net/unix_socket.h"
#include "protocol/base/result.h"

namespace sillok::broker {

// The connections of one reactor. Threading: the reactor's own.
class ConnectionSet : public Expirable, public std::enable_shared_from_this<ConnectionSet> {
 public:
  explicit ConnectionSet(Reactor& reactor) : reactor_(reactor) {}
  void add(const std::shared_ptr<Connection>& connection);
  // For good: what is added later is closed at once.
  void close_all();
  // Checks all connections' times, and comes again.
  void expire() override;

 private:
  Reactor& reactor_;
  std::vector<std::weak_ptr<Connection>> connections_;
  bool closed_ = false;
};

struct ReactorSlot {
  Reactor* reactor;
  std::shared_ptr<ConnectionSet> connections;
};

// Threading: start() before the reactors run; the accepting runs on the first reactor.
class AcceptLoop : public std::enable_shared_from_this<AcceptLoop> {
 public:
  // Its connections begin on `reactors` in turn.
  AcceptLoop(Listener listener, std::vector<ReactorSlot> reactors, ConnectionEnvironment& environment);

  // Binds and listens. Errc::invalid_config with the address and the cause.
  Result<void> open();
  void start();
  // On the first reactor's thread.
  void close();
  std::string address() const;  // "127.0.0.1:9092", with the port that was bound; "unix:///path"

 private:
  struct Peer {
    std::string name;     // as ConnectionInfo has it
    std::string address;  // that max.connections.per.ip counts; empty: none
  };

  Result<void> open_tcp();
  Result<void> open_unix();
  void accept_next();
  // nullopt: it is gone again.
  std::optional<Peer> peer_of(ClientSocket& socket) const;
  void set_options(ClientSocket& socket) const;
  void accepted(ClientSocket socket, std::size_t reactor);

  const Listener listener_;
  const std::vector<ReactorSlot> reactors_;
  ConnectionEnvironment& environment_;
  boost::asio::basic_socket_acceptor<boost::asio::generic::stream_protocol> acceptor_;
  boost::asio::steady_timer pause_;  // after an accept that failed for want of descriptors
  std::size_t next_reactor_ = 0;
  std::uint16_t port_ = 0;
  std::unique_ptr<UnixSocketPlace> place_;  // of a Unix domain socket
};

}  // namespace sillok::broker
