// Where work runs that must not run on the calling thread.
#pragma once

#include <functional>

namespace sillok::broker {

// Threading: post() from any thread. Work that is posted after stop() is dropped.
class Executor {
 public:
  virtual ~Executor() = default;
  virtual void post(std::function<void()> work) = 0;
};

}  // namespace sillok::broker
