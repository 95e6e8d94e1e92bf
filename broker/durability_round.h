// Appends that wait for the disk, of all that a reactor takes in at once: asked for together.
//
// Asked for one by one, the first would be a round of the journal by itself, and all the others, which come
// some microseconds later, wait until that is over.
#pragma once

#include <functional>
#include <memory>
#include <utility>
#include <vector>

#include "storage/journal.h"

namespace sillok::broker {

class Device;

// Threading: one thread.
class DurabilityRound {
 public:
  // `ask_for_end` sees to it that end() is called, soon, on this thread: at the first add() of each round.
  explicit DurabilityRound(std::function<void()> ask_for_end) : ask_for_end_(std::move(ask_for_end)) {}

  // This thread's; null where nothing is gathered.
  static DurabilityRound* current();

  void add(Device& device, std::shared_ptr<storage::JournalTarget> target);
  void end();

  // Makes a round this thread's own while it lives.
  class Scope {
   public:
    explicit Scope(DurabilityRound& round);
    ~Scope();
    Scope(const Scope&) = delete;
    Scope& operator=(const Scope&) = delete;
  };

 private:
  const std::function<void()> ask_for_end_;
  struct Targets {
    Device* device;
    std::vector<std::shared_ptr<storage::JournalTarget>> targets;
  };
  std::vector<Targets>::iterator targets_of(Device& device);

  std::vector<Targets> devices_;  // each that ever had any: one a log directory
  bool is_asked_for_ = false;
};

}  // namespace sillok::broker
