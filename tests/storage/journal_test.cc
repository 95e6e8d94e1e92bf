#include "storage/journal.h"

#include <atomic>
#include <thread>

#include "tests/support/journal_fixture.h"
#include "tests/support/manual_clock.h"

namespace sillok::storage {
namespace {

using tests::CrashMode;
using tests::FakeJournalTarget;
using tests::FileCall;
using Contribution = JournalTarget::Contribution;
using Counts = FakeJournalTarget::Counts;

constexpr ByteCount kFileBlocks = 16;
constexpr int kFramesPerFile = 14;  // of one block: one has the header, one is kept

std::shared_ptr<FakeJournalTarget> target(std::int32_t partition, std::size_t size = 100) {
  return std::make_shared<FakeJournalTarget>(partition, size);
}

// For what a thread does that tells nobody.
template <class Condition>
void wait_until(const Condition& condition) {
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(30);
  while (!condition()) {
    if (std::chrono::steady_clock::now() > deadline) std::abort();
    std::this_thread::yield();
  }
}

struct Fixture {
  explicit Fixture(std::size_t count_max = 4) {
    options.files.file_system = &faults;
    options.files.directory = tests::kJournalDirectory;
    options.files.file_size = kFileBlocks * kJournalBlockSize;
    options.files.count_max = count_max;
    options.requests_before = 3;
    options.frame_size_max = options.files.file_size / 4;
    REQUIRE(disk.make_directories(tests::kJournalDirectory).ok());
    REQUIRE(disk.sync_directory("/").ok());
    open();
  }
  ~Fixture() {
    faults.clear();
    journal->stop();
    flusher.stop();
  }
  void open() {
    auto opened = Journal::open(options, warnings);
    INFO((opened.ok() ? std::string() : opened.error().describe()));
    REQUIRE(opened.ok());
    journal = std::move(opened).value();
  }
  // Stops without an end, and opens what is left.
  void restart(CrashMode mode) {
    journal->stop();
    // The second round begins when all flushes of the first have ended: they know the journal.
    const auto last = target(997);
    for (int round = 1; round <= 2; ++round) {
      flusher.request(last);
      last->wait_for(&Counts::flushed, round);
    }
    journal.reset();
    faults.clear();
    if (mode != CrashMode::keep_all) disk.crash(1, mode);
    open();
  }
  void start() { journal->start(flusher, clock); }
  // With files to write to from the first request on.
  void start_in_use() {
    for (int i = 0; i < 2; ++i) {
      const auto added = journal->add_file_now();
      REQUIRE(added.ok());
      REQUIRE(*added);
    }
    start();
    REQUIRE(journal->is_in_use());
  }
  // A round of these together: another one holds the journal until all have asked.
  void request_together(const std::vector<std::shared_ptr<FakeJournalTarget>>& targets) {
    const auto gate = target(999);
    gate->answer(Contribution::nothing);
    gate->shut();
    journal->request(gate);
    gate->wait_for(&Counts::contributed, 1);
    for (const auto& each : targets) journal->request(each);
    gate->open();
  }
  // When it returns, what was asked of the journal before has been answered, and of the flusher as well.
  void finish_rounds() {
    const auto last = target(998);
    last->answer(Contribution::unfit);
    journal->request(last);
    last->wait_for(&Counts::flushed, 1);
  }
  std::vector<std::int32_t> known() const {
    std::vector<std::int32_t> numbers;
    for (const auto& each : journal->replay().all()) numbers.push_back(each.key.partition.value);
    std::sort(numbers.begin(), numbers.end());
    return numbers;
  }

  tests::ManualClock clock;
  tests::MemFileSystem disk;
  tests::FaultFileSystem faults{disk};
  Flusher flusher{2, clock};
  JournalOptions options;
  std::vector<std::string> warnings;
  std::unique_ptr<Journal> journal;
};

TEST_CASE("journal: the first requests are flushed, then files are made, and rounds are written to them") {
  Fixture f;
  f.start();
  const auto one = target(1);
  for (int i = 1; i <= 3; ++i) {
    f.journal->request(one);
    one->wait_for(&Counts::flushed, i);
  }
  CHECK(f.disk.list_directory(tests::kJournalDirectory)->empty());
  f.journal->request(one);
  wait_until([&] { return f.journal->is_in_use(); });
  CHECK(f.disk.list_directory(tests::kJournalDirectory)->size() == 2);
  one->wait_for(&Counts::flushed, 4);
  CHECK(one->counts().contributed == 0);
  f.journal->request(one);
  one->wait_for(&Counts::committed, 1);
  CHECK(f.journal->round_count() == 1);
  CHECK(one->counts().flushed == 4);
}

TEST_CASE("journal: without room for two files there is none, and everything is flushed") {
  Fixture f(GENERATE(std::size_t{0}, std::size_t{1}));
  f.start();
  const auto one = target(1);
  for (int i = 1; i <= 10; ++i) {
    f.journal->request(one);
    one->wait_for(&Counts::flushed, i);
  }
  CHECK_FALSE(f.journal->is_in_use());
  CHECK(f.disk.list_directory(tests::kJournalDirectory)->empty());
}

TEST_CASE("journal: where a file cannot be made it is tried again, but not at once") {
  Fixture f;
  f.faults.fail({FileCall::write, "sillok-journal-"}, Errc::no_space);
  f.start();
  const auto one = target(1);
  int flushed = 0;
  const auto ask = [&](int times) {
    for (int i = 0; i < times; ++i) {
      f.journal->request(one);
      one->wait_for(&Counts::flushed, ++flushed);
    }
  };
  ask(4);
  wait_until([&] { return f.faults.failure_count() == 1; });
  ask(20);
  CHECK_FALSE(f.journal->is_in_use());
  wait_until([&] {
    f.clock.advance(std::chrono::seconds(5));
    f.journal->request(one);
    return f.journal->is_in_use();
  });
}

TEST_CASE("journal: what is committed is told once, and is on disk by then") {
  Fixture f;
  f.start_in_use();
  const auto one = target(1);
  const auto two = target(2);
  f.request_together({one, two});
  one->wait_for(&Counts::committed, 1);
  two->wait_for(&Counts::committed, 1);
  f.finish_rounds();
  CHECK(f.journal->round_count() == 1);  // one write for both
  for (const auto& each : {one, two}) {
    CHECK(each->counts().contributed == 1);
    CHECK(each->counts().committed == 1);
    CHECK(each->counts().not_committed == 0);
    CHECK(each->counts().flushed == 0);
  }
  f.restart(CrashMode::lose_all);
  CHECK(f.known() == std::vector<std::int32_t>{1, 2});
}

TEST_CASE("journal: is not committed while the disk is not done") {
  Fixture f;
  f.start_in_use();
  const auto stall = f.faults.stall({FileCall::sync, "sillok-journal-"});
  const auto one = target(1);
  f.journal->request(one);
  stall->wait_until_reached();
  CHECK(one->counts().committed == 0);
  stall->release();
  one->wait_for(&Counts::committed, 1);
}

TEST_CASE("journal: asking often before a round is asking once, and who asks during one is in the next") {
  Fixture f;
  f.start_in_use();
  const auto one = target(1);
  f.request_together({one, one, one});
  one->wait_for(&Counts::committed, 1);
  f.finish_rounds();
  CHECK(one->counts().contributed == 1);
  const auto stall = f.faults.stall({FileCall::sync, "sillok-journal-"});
  f.journal->request(one);
  stall->wait_until_reached();
  f.journal->request(one);
  stall->release();
  one->wait_for(&Counts::committed, 3);
  f.finish_rounds();
  CHECK(one->counts().contributed == 3);
}

TEST_CASE("journal: a request during the target's own contribution is not lost") {
  Fixture f;
  f.start_in_use();
  const auto one = target(1);
  one->shut();
  f.journal->request(one);
  one->wait_for(&Counts::contributed, 1);
  f.journal->request(one);
  one->open();
  one->wait_for(&Counts::committed, 2);
}

TEST_CASE("journal: who has nothing is told nothing, and who does not fit is flushed") {
  Fixture f;
  f.start_in_use();
  const auto done = target(1);
  done->answer(Contribution::nothing);
  const auto unfit = target(2);
  unfit->answer(Contribution::unfit);
  const auto fits = target(3);
  f.request_together({done, unfit, fits});
  unfit->wait_for(&Counts::flushed, 1);
  fits->wait_for(&Counts::committed, 1);
  f.finish_rounds();
  CHECK(done->counts().committed + done->counts().not_committed + done->counts().flushed == 0);
  CHECK(unfit->counts().committed + unfit->counts().not_committed == 0);
  CHECK(fits->counts().flushed == 0);
  CHECK(f.journal->round_count() == 1);
}

TEST_CASE("journal: who finds no room in a frame comes in the next one of the round") {
  Fixture f;
  f.start_in_use();
  std::vector<std::shared_ptr<FakeJournalTarget>> all;
  for (std::int32_t i = 1; i <= 5; ++i) all.push_back(target(i, 7000));  // two in each frame
  f.request_together(all);
  for (const auto& each : all) each->wait_for(&Counts::committed, 1);
  f.finish_rounds();
  CHECK(f.journal->round_count() == 3);
  for (const auto& each : all) {
    CHECK(each->counts().committed == 1);
    CHECK(each->counts().flushed == 0);
  }
  f.restart(CrashMode::lose_all);
  CHECK(f.known() == std::vector<std::int32_t>{1, 2, 3, 4, 5});
}

TEST_CASE("journal: a failed write is flushed instead, and so is everything from then on") {
  const FileCall call = GENERATE(FileCall::write, FileCall::sync);
  Fixture f;
  f.start_in_use();
  const auto before = target(1);
  f.journal->request(before);
  before->wait_for(&Counts::committed, 1);
  f.faults.fail({call, "sillok-journal-"}, Errc::io_error);
  const auto one = target(2);
  const auto two = target(3);
  f.request_together({one, two});
  for (const auto& each : {one, two}) {
    each->wait_for(&Counts::flushed, 1);
    CHECK(each->counts().not_committed == 1);
    CHECK(each->counts().committed == 0);
  }
  CHECK_FALSE(f.journal->is_in_use());
  before->wait_for(&Counts::flushed, 1);  // so that its frame is not needed for long
  const auto syncs = f.disk.calls().syncs;
  f.journal->request(one);
  one->wait_for(&Counts::flushed, 2);
  CHECK(one->counts().contributed == 1);
  for (int i = 0; i < 10; ++i) f.journal->request(two);
  f.finish_rounds();
  CHECK(f.disk.calls().syncs == syncs);
  CHECK_FALSE(f.journal->is_in_use());
  // The next start uses it again; the frames that were durable are there.
  f.restart(CrashMode::lose_all);
  CHECK(f.known().front() == 1);
  f.start();
  CHECK(f.journal->is_in_use());
}

TEST_CASE("journal: partitions with the oldest frames are flushed when half of the files are in use") {
  Fixture f;
  f.start_in_use();
  const auto idle = target(1);
  const auto busy = target(2);
  for (const auto& each : {idle, busy}) each->journal = f.journal.get();
  f.journal->request(idle);
  idle->wait_for(&Counts::committed, 1);
  // On a busy machine the thread that makes files may be behind, and a frame without room is not committed.
  const auto wait_for_next_file = [&] {
    wait_until([&] { return f.disk.list_directory(tests::kJournalDirectory)->size() >= 2; });
  };
  wait_for_next_file();
  int committed = 0;
  const auto commit = [&] {
    f.journal->request(busy);
    busy->wait_for(&Counts::committed, ++committed);
  };
  for (int i = 0; i < kFramesPerFile - 1; ++i) commit();
  f.finish_rounds();
  CHECK(idle->counts().flushed == 0);
  commit();  // begins the second of four files
  idle->wait_for(&Counts::flushed, 1);
  // Nobody has to wait for a flush, however long it goes on.
  for (int i = 0; i < 20 * kFramesPerFile; ++i) {
    commit();
    if (i % (kFramesPerFile / 2) == 0) f.finish_rounds();  // so do the flushes that make room
  }
  f.finish_rounds();
  CHECK(busy->counts().not_committed == 0);
  CHECK(busy->counts().flushed < 25);
  CHECK(idle->counts().flushed == 1);
}

TEST_CASE("journal: one file more is made where none is free") {
  Fixture f;
  f.start_in_use();
  const auto one = target(1);
  for (int i = 1; i <= kFramesPerFile + 1; ++i) {
    f.journal->request(one);
    one->wait_for(&Counts::committed, i);
  }
  wait_until([&] { return f.disk.list_directory(tests::kJournalDirectory)->size() == 3; });
}

TEST_CASE("journal: while it is full everything is flushed, and when there is room it goes on") {
  Fixture f(2);
  f.start_in_use();
  const auto holder = target(1);
  f.journal->request(holder);
  holder->wait_for(&Counts::committed, 1);
  const auto one = target(2);
  one->journal = f.journal.get();
  int requested = 0;
  const auto ask = [&] {
    f.journal->request(one);
    ++requested;
    wait_until([&] { return one->counts().committed + one->counts().not_committed >= requested; });
  };
  while (one->counts().not_committed == 0) ask();
  CHECK(one->counts().committed == 2 * kFramesPerFile - 1);
  one->wait_for(&Counts::flushed, 1);
  ask();
  CHECK(one->counts().not_committed == 2);
  CHECK(f.journal->is_in_use());
  f.journal->sync_begins(holder->journal_key());
  f.journal->sync_succeeded(holder->journal_key());
  f.finish_rounds();
  ask();
  CHECK(one->counts().not_committed == 2);
}

TEST_CASE("journal: what an earlier run left is needed until its partition is synced, released or gone") {
  Fixture f(2);
  f.start_in_use();
  for (std::int32_t i = 1; i <= 3; ++i) {
    const auto one = target(i);
    f.journal->request(one);
    one->wait_for(&Counts::committed, 1);
  }
  f.restart(CrashMode::random);
  REQUIRE(f.known() == std::vector<std::int32_t>{1, 2, 3});
  f.journal->keep_only({tests::journal_key(2), tests::journal_key(3)});
  f.journal->restored(tests::journal_key(1));
  CHECK(f.known() == std::vector<std::int32_t>{2, 3});
  f.start();
  f.journal->release(tests::journal_key(2));
  // More than there is room for: the frame of partition 3 stays all the while.
  const auto busy = target(4);
  busy->journal = f.journal.get();
  for (int i = 1; i <= 4 * kFramesPerFile; ++i) {
    f.journal->request(busy);
    wait_until([&] { return busy->counts().committed + busy->counts().not_committed >= i; });
  }
  CHECK(busy->counts().not_committed > 0);
  f.restart(CrashMode::random);
  auto known = f.known();
  CHECK(known.front() == 3);
  f.journal->sync_begins(tests::journal_key(3));
  f.journal->sync_succeeded(tests::journal_key(3));
  f.journal->release(tests::journal_key(4));
  CHECK(f.journal->commit_now(target(5)));
  f.restart(CrashMode::random);
  CHECK(f.known() == std::vector<std::int32_t>{5});
}

TEST_CASE("journal: what is forgotten does not come back, and what comes after it does") {
  Fixture f;
  for (int i = 0; i < 2; ++i) REQUIRE(f.journal->add_file_now().ok());
  REQUIRE(f.journal->commit_now(target(1)));
  REQUIRE(f.journal->commit_now(target(2)));
  REQUIRE(f.journal->forget(tests::journal_key(1)).ok());
  f.restart(CrashMode::lose_all);
  CHECK(f.known() == std::vector<std::int32_t>{2});
  REQUIRE(f.journal->commit_now(target(1)));
  f.restart(CrashMode::lose_all);
  CHECK(f.known() == std::vector<std::int32_t>{1, 2});
  f.faults.fail({FileCall::sync, "sillok-journal-"}, Errc::io_error);
  CHECK_FALSE(f.journal->forget(tests::journal_key(2)).ok());
  // Without files there is nothing to forget.
  Fixture empty;
  CHECK(empty.journal->forget(tests::journal_key(1)).ok());
}

TEST_CASE("journal: after stop() no target is called, and what waited is let go") {
  Fixture f;
  f.start_in_use();
  const auto running = target(1);
  const auto waiting = target(2);
  running->shut();
  f.journal->request(running);
  running->wait_for(&Counts::contributed, 1);
  f.journal->request(waiting);
  std::thread stopper([&] { f.journal->stop(); });
  wait_until([&] { return waiting.use_count() == 1; });
  running->open();
  stopper.join();
  CHECK(running->counts().committed == 1);  // the round that had begun
  CHECK(waiting->counts().contributed == 0);
  f.journal->stop();
}

TEST_CASE("journal: requests of many threads are answered once each, until it stops") {
  Fixture f;
  f.start();
  std::vector<std::shared_ptr<FakeJournalTarget>> all;
  for (std::int32_t i = 0; i < 5; ++i) {
    all.push_back(target(i, 300));
    all.back()->journal = f.journal.get();
  }
  constexpr int kThreadCount = 4;
  std::atomic<int> asked{0};
  std::atomic<bool> is_over{false};
  std::vector<std::thread> threads;
  for (int thread = 0; thread < kThreadCount; ++thread) {
    threads.emplace_back([&, thread] {
      for (std::size_t i = 0; !is_over; ++i) {
        f.journal->request(all[(i * 7 + static_cast<std::size_t>(thread)) % all.size()]);
        ++asked;
        if (thread == 0 && i % 50 == 0) (void)f.journal->forget(tests::journal_key(77));
        if (i % 16 == 0) std::this_thread::yield();
      }
    });
  }
  wait_until([&] { return asked > 2000 && f.journal->round_count() > 200; });
  f.journal->stop();
  std::vector<Counts> counts;
  for (const auto& each : all) {
    counts.push_back(each->counts());
    CHECK(counts.back().contributed >= counts.back().committed + counts.back().not_committed);
    CHECK(counts.back().committed > 0);
  }
  is_over = true;
  for (std::thread& thread : threads) thread.join();
  for (std::size_t i = 0; i < all.size(); ++i) {
    CHECK(all[i]->counts().contributed == counts[i].contributed);
    CHECK(all[i]->counts().committed == counts[i].committed);
  }
}

}  // namespace
}  // namespace sillok::storage
