// The broker as a whole: makes its parts in order, and ends them in the other.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "broker/config.h"
#include "protocol/base/result.h"

namespace sillok::broker {

// Threading: one thread; the parts run on threads of their own from start() to stop().
class Server {
 public:
  explicit Server(LoadedConfig settings);
  ~Server();

  // Opens the log directories, recovers what must be, listens. Errors name the setting or the path, and say
  // what to do.
  Result<void> start();
  // Ends the connections, flushes and closes all logs, marks the directories clean.
  Result<void> stop();

  std::vector<std::string> addresses() const;         // that are listened on
  std::vector<std::string> data_directories() const;  // that are used

 private:
  class Parts;
  LoadedConfig settings_;
  std::unique_ptr<Parts> parts_;
};

}  // namespace sillok::broker
