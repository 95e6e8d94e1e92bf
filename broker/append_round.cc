#include "broker/append_round.h"

#include <utility>

#include "broker/partition.h"

namespace sillok::broker {

// Kept by each thread, so that a round allocates nothing.
struct AppendRound::Lists {
  std::vector<std::shared_ptr<Partition>> partitions;
  std::vector<std::shared_ptr<AppendRoundEnd>> ends;
  AppendRound* current = nullptr;

  static Lists& of_this_thread() {
    thread_local Lists lists;
    return lists;
  }
};

AppendRound::AppendRound() : lists_(Lists::of_this_thread()) {
  CHECK(lists_.current == nullptr);
  lists_.current = this;
}

AppendRound::~AppendRound() {
  flush();
  lists_.current = nullptr;
}

AppendRound* AppendRound::current() { return Lists::of_this_thread().current; }

void AppendRound::add(std::shared_ptr<Partition> partition) {
  lists_.partitions.push_back(std::move(partition));
}

void AppendRound::tell_at_end(std::shared_ptr<AppendRoundEnd> who) { lists_.ends.push_back(std::move(who)); }

void AppendRound::flush() {
  for (const auto& partition : lists_.partitions) partition->write_gathered();
  lists_.partitions.clear();
  for (const auto& end : lists_.ends) end->appends_made();
  lists_.ends.clear();
}

}  // namespace sillok::broker
