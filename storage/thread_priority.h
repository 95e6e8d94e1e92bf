// How the threads of a server share cores that they do not have to themselves.
#pragma once

namespace sillok::storage {

enum class ThreadPriority {
  ordinary,
  prompt,      // short turns: it gets the core soon after it has something to do
  background,  // yields to the others
};

// For the calling thread. A hint: a system that knows or allows no such thing goes on without.
void set_thread_priority(ThreadPriority priority);

}  // namespace sillok::storage
