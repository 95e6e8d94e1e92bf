// Accepts connections on one address and spreads them over the reactors.
#pragma once

#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/steady_timer.hpp>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "broker/config.h"
#include "broker/net/connection.h"
#include "broker/net/reactor.h"
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
  std::string address() const;  // "127.0.0.1:9092", with the port that was bound

 private:
  void accept_next();
  void accepted(boost::asio::ip::tcp::socket socket, std::size_t reactor);

  const Listener listener_;
  const std::vector<ReactorSlot> reactors_;
  ConnectionEnvironment& environment_;
  boost::asio::ip::tcp::acceptor acceptor_;
  boost::asio::steady_timer pause_;  // after an accept that failed for want of descriptors
  std::size_t next_reactor_ = 0;
  std::uint16_t port_ = 0;
};

}  // namespace sillok::broker
