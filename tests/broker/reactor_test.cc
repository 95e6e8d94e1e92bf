#include "broker/net/reactor.h"

#include <catch2/catch.hpp>
#include <future>
#include <memory>
#include <thread>

#include "tests/support/partition_fixture.h"

using namespace sillok;
using namespace sillok::tests;
using broker::DurabilityRound;

namespace {

class Target final : public storage::JournalTarget {
 public:
  storage::JournalKey journal_key() const override { return {}; }
  Contribution contribute(storage::JournalFrame&) override { return Contribution::nothing; }
  void committed() override {}
  void not_committed() override {}
  void flush() override { flushed_.set_value(); }
  bool is_flushed() {
    return flushed_.get_future().wait_for(std::chrono::seconds(30)) == std::future_status::ready;
  }

 private:
  std::promise<void> flushed_;
};

// Two whose appends wait for the disk, in one turn of a reactor.
class Turn final : public broker::ReactorTask {
 public:
  explicit Turn(broker::Device& device) : device_(device) {}
  void run() override {
    DurabilityRound* const round = DurabilityRound::current();
    if (round != nullptr) {
      round->add(device_, one);
      round->add(device_, two);
    }
    done_.set_value({round != nullptr, device_.has_awaited_flushes()});
  }
  struct Seen {
    bool is_gathered;
    bool was_asked;
  };
  Seen seen() { return done_.get_future().get(); }

  const std::shared_ptr<Target> one = std::make_shared<Target>();
  const std::shared_ptr<Target> two = std::make_shared<Target>();

 private:
  broker::Device& device_;
  std::promise<Seen> done_;
};

}  // namespace

TEST_CASE_METHOD(OneDevice, "reactor: what waits for the disk is asked for at the end of a turn") {
  broker::Reactor reactor(0, clock);
  const auto turn = std::make_shared<Turn>(device);
  reactor.run_soon(turn);
  std::thread thread([&] { reactor.run(); });
  const Turn::Seen seen = turn->seen();
  const bool is_flushed = seen.is_gathered && turn->one->is_flushed() && turn->two->is_flushed();
  reactor.stop();
  thread.join();
  CHECK(seen.is_gathered);
  CHECK_FALSE(seen.was_asked);
  CHECK(is_flushed);
  CHECK(device.has_awaited_flushes());
}
