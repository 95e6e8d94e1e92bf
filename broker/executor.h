// Where work runs that must not run on the calling thread.
#pragma once

#include <functional>

namespace sillok::broker {

// Threading: post() from any thread.
class Executor {
 public:
  virtual ~Executor() = default;
  // False, and the work is dropped, where no more is taken, since the process ends.
  virtual bool post(std::function<void()> work) = 0;
};

}  // namespace sillok::broker
