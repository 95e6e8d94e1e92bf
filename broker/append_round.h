// The appends of requests that were received together: each partition writes its own at once, with one call.
#pragma once

#include <memory>
#include <vector>

namespace sillok::broker {

class Partition;

// Something that wants to know when the appends of the round were made.
class AppendRoundEnd {
 public:
  virtual ~AppendRoundEnd() = default;
  virtual void appends_made() = 0;
};

// On the stack of whoever dispatches several requests, one a thread at most. What they append is in the log
// when flush() or the destructor is through, and until then the bytes must live.
//
// Threading: one thread.
class AppendRound {
 public:
  AppendRound();
  ~AppendRound();
  AppendRound(const AppendRound&) = delete;
  AppendRound& operator=(const AppendRound&) = delete;

  // This thread's; null where appends are made one by one.
  static AppendRound* current();

  // A partition that holds back appends for this round.
  void add(std::shared_ptr<Partition> partition);
  void tell_at_end(std::shared_ptr<AppendRoundEnd> who);
  // To be called before anything that must see what was appended.
  void flush();

 private:
  struct Lists;
  Lists& lists_;
};

}  // namespace sillok::broker
