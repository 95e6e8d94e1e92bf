// A thread that runs one io_context, for callers that want to block.
#pragma once

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <functional>
#include <future>
#include <memory>
#include <thread>

#include "protocol/base/result.h"

namespace sillok::client {

// Threading: post() and await() from any thread but its own.
class IoThread {
 public:
  IoThread() : work_(io_.get_executor()), thread_([this] { io_.run(); }) {}
  ~IoThread() { stop(); }
  IoThread(const IoThread&) = delete;
  IoThread& operator=(const IoThread&) = delete;

  boost::asio::io_context& context() { return io_; }

  template <class Function>
  void post(Function function) {
    boost::asio::post(io_, std::move(function));
  }

  // Runs `start(done)` there, and blocks until done(value) was called, once.
  template <class Value>
  Value await(std::function<void(std::function<void(Value)>)> start) {
    const auto promise = std::make_shared<std::promise<Value>>();
    auto value = promise->get_future();
    post([start = std::move(start), promise] {
      start([promise](Value result) { promise->set_value(std::move(result)); });
    });
    return value.get();
  }

  // Runs `function` there, and blocks until it returned.
  template <class Function>
  void run(Function function) {
    await<int>([&function](const std::function<void(int)>& done) {
      function();
      done(0);
    });
  }

  // What is still outstanding is dropped.
  void stop() {
    work_.reset();
    io_.stop();
    if (thread_.joinable()) thread_.join();
  }

 private:
  boost::asio::io_context io_{1};
  boost::asio::executor_work_guard<boost::asio::io_context::executor_type> work_;
  std::thread thread_;
};

}  // namespace sillok::client
