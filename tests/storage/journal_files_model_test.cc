// Random frames, tails, faults and crashes. SILLOK_MODEL_SEEDS says how many seeds are tried;
// SILLOK_TEST_SEED repeats one of them.
//
// What holds after any crash: let A be the last frame whose write() reported that it is durable, and I the
// one that was written when the power went, if there was one. Then exactly those durable frames come back
// that are not below the tail of A; or those not below the tail of I, with or without I itself. (Without:
// where a frame without entries told of the tail first.) So every frame that is needed by what write() was
// last told is there, and none comes back that a durable frame gave up.
// And what came back once is durable, whatever becomes of the power then.
#include <cstdlib>
#include <random>
#include <set>

#include "storage/journal_files.h"
#include "tests/support/journal_fixture.h"
#include "tests/support/seed.h"

namespace sillok::storage {
namespace {

using tests::CrashMode;
using tests::FileCall;

constexpr int kSeedCount = 60;
constexpr int kStepCount = 250;
using Numbers = std::set<std::int32_t>;

class Run {
 public:
  explicit Run(std::uint64_t seed)
      : random_(seed), f_(16 + below(17), 2 + static_cast<std::size_t>(below(4))) {}

  void run() {
    for (int i = 0; i < kStepCount; ++i) {
      const std::int64_t choice = below(100);
      if (choice < 75) {
        write();
      } else if (choice < 85) {
        needed_from_ +=
            static_cast<std::uint64_t>(below(static_cast<std::int64_t>(next() - needed_from_) + 1));
      } else if (choice < 91) {
        add_file();
      } else {
        crash(below(2) == 0);
      }
    }
    crash(false);
  }
  int crash_count = 0;
  int full_count = 0;
  int lost_count = 0;   // frames that were being written, and did not come back
  int saved_count = 0;  // and did

 private:
  struct Frame {
    std::uint64_t sequence = 0;
  };

  std::int64_t below(std::int64_t limit) {
    return static_cast<std::int64_t>(random_() % static_cast<std::uint64_t>(limit));
  }
  std::uint64_t next() const { return f_.files->next_sequence(); }
  // A quarter of a file at most.
  std::size_t random_size() {
    return static_cast<std::size_t>(below(below(3) == 0 ? f_.options.file_size / 4 - 4200 : 200));
  }

  void add_file() {
    const auto added = f_.files->add_file();
    REQUIRE(added.ok());
    CHECK(*added == (f_.files->count() <= f_.options.count_max && count_ < f_.options.count_max));
    count_ = f_.files->count();
  }

  void write() {
    const auto outcome = f_.try_write(++number_, needed_from_, random_size());
    if (outcome.ok()) {
      durable_[number_].sequence = next() - 1;
      tail_ = needed_from_;
      return;
    }
    INFO(outcome.error().describe());
    REQUIRE(outcome.error().code == Errc::no_space);
    CHECK(f_.files->used_count() == f_.files->count());
    ++full_count;
    if (f_.files->count() < 2) return;
    // Room comes back as soon as nothing is needed any more, whatever there was before.
    needed_from_ = next();
    f_.write(++number_, needed_from_, random_size());
    durable_[number_].sequence = next() - 1;
    tail_ = needed_from_;
  }

  // Of the frames that were durable, those from the tail on.
  Numbers needed(std::uint64_t tail) const {
    Numbers numbers;
    for (const auto& [number, frame] : durable_) {
      if (frame.sequence >= tail) numbers.insert(number);
    }
    return numbers;
  }

  // A frame is being written, and stopped where the fault says.
  bool begin_write() {
    if (below(2) == 0) {
      f_.faults.fail({FileCall::sync, "sillok-journal-", 1 + below(2)}, Errc::io_error);
    } else {
      f_.faults.write_short({FileCall::write, "sillok-journal-", 1 + below(2)}, below(20'000),
                            Errc::io_error);
    }
    const auto outcome = f_.try_write(++number_, needed_from_, random_size());
    if (outcome.ok()) {
      durable_[number_].sequence = next() - 1;
      tail_ = needed_from_;
    }
    return !outcome.ok() && outcome.error().code == Errc::io_error;
  }

  void crash(bool while_writing) {
    ++crash_count;
    const bool has_begun = while_writing && begin_write();
    constexpr CrashMode kModes[] = {CrashMode::keep_all, CrashMode::lose_all, CrashMode::random,
                                    CrashMode::random_names};
    const CrashMode mode = kModes[below(4)];
    const std::uint64_t seed = random_();
    INFO("crash mode " << static_cast<int>(mode) << ", tail " << tail_ << ", needed from " << needed_from_
                       << (has_begun ? ", while a frame was written" : ""));
    f_.reopen(mode, seed);
    CHECK(f_.warnings.empty());
    const auto list = f_.found();
    const Numbers found(list.begin(), list.end());
    const bool came = has_begun && found.contains(number_);
    if (has_begun) (came ? saved_count : lost_count) += 1;
    Numbers with_new = needed(needed_from_);
    if (!has_begun) {
      CHECK(found == needed(tail_));
    } else if (came) {
      with_new.insert(number_);
      CHECK(found == with_new);
    } else {
      CHECK((found == needed(tail_) || found == with_new));
    }
    for (const auto& known : f_.replay->all()) {
      const std::int32_t number = known.key.partition.value;
      if (durable_.contains(number)) CHECK(durable_[number].sequence == known.first_sequence);
      durable_[number].sequence = known.first_sequence;
    }
    if (has_begun && found == with_new) tail_ = std::max(tail_, needed_from_);
    if (!f_.files->count()) tail_ = needed_from_ = next();
    std::erase_if(durable_, [&](const auto& each) { return !found.contains(each.first); });
    needed_from_ = next();
    for (const auto& [number, frame] : durable_) needed_from_ = std::min(needed_from_, frame.sequence);
    count_ = f_.files->count();
  }

  std::mt19937_64 random_;
  tests::JournalFilesFixture f_;
  std::int32_t number_ = 0;
  std::map<std::int32_t, Frame> durable_;
  std::uint64_t tail_ = 0;  // of the last durable frame
  std::uint64_t needed_from_ = 1;
  std::size_t count_ = 0;
};

TEST_CASE("journal files: through random frames and crashes what is needed comes back, and nothing else") {
  const std::uint64_t first_seed = tests::seed();
  const bool is_repeated = std::getenv("SILLOK_TEST_SEED") != nullptr;
  const char* wanted = std::getenv("SILLOK_MODEL_SEEDS");
  const int seed_count = is_repeated ? 1 : wanted == nullptr ? kSeedCount : std::stoi(wanted);
  int crashes = 0;
  int full = 0;
  int lost = 0;
  int saved = 0;
  for (int i = 0; i < seed_count; ++i) {
    const std::uint64_t seed = first_seed + static_cast<std::uint64_t>(i);
    INFO("SILLOK_TEST_SEED=" << seed);
    Run run(seed);
    run.run();
    crashes += run.crash_count;
    full += run.full_count;
    lost += run.lost_count;
    saved += run.saved_count;
  }
  if (is_repeated) return;
  CHECK(crashes > seed_count);
  CHECK(full > 0);
  CHECK(lost > 0);
  CHECK(saved > 0);
}

}  // namespace
}  // namespace sillok::storage
