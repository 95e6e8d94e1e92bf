#include "client/producer.h"

#include <fmt/format.h>

#include <chrono>
#include <condition_variable>
#include <mutex>
#include <vector>

#include "client/io_thread.h"
#include "client/sender.h"

namespace sillok::client {
namespace {

// What a record costs beside its bytes, so that many empty ones are bounded, too.
constexpr std::size_t kRecordOverhead = 100;

TimestampMs wall_clock_ms() {
  using std::chrono::duration_cast;
  return duration_cast<Milliseconds>(std::chrono::system_clock::now().time_since_epoch()).count();
}

}  // namespace

struct Producer::State {
  struct Queued {
    ProducerRecord record;
    DeliveryReport report;
  };

  State(ClusterOptions cluster_options, ProducerOptions producer_options)
      : options(producer_options),
        cluster(io.context(), std::move(cluster_options)),
        sender(io.context(), cluster, producer_options, system_randomness()) {}

  void hand_over() {
    std::vector<Queued> records;
    {
      const std::lock_guard lock(mutex);
      records.swap(queued);
    }
    for (Queued& one : records) sender.enqueue(std::move(one.record), std::move(one.report));
  }

  void delivered(std::size_t size) {
    const std::lock_guard lock(mutex);
    buffered_bytes -= size;
    // Not with every record: a sender that waits would be woken for each, to wait again.
    if (buffered_bytes <= options.buffered_bytes_max / 2) has_room.notify_one();
  }

  ProducerOptions options;
  IoThread io;
  Cluster cluster;
  Sender sender;
  std::mutex mutex;  // guards what follows
  std::condition_variable has_room;
  std::vector<Queued> queued;
  std::size_t buffered_bytes = 0;
};

Producer::Producer(ClusterOptions cluster, ProducerOptions options)
    : state_(std::make_unique<State>(std::move(cluster), options)) {}

Producer::~Producer() { state_->io.stop(); }

Result<void> Producer::connect() {
  return state_->io.await<Result<void>>([this](const std::function<void(Result<void>)>& done) {
    state_->cluster.any([done](const Result<std::shared_ptr<Connection>>& connection) {
      done(connection.ok() ? Result<void>() : connection.error());
    });
  });
}

Result<void> Producer::send(ProducerRecord record, DeliveryReport report) {
  State& state = *state_;
  if (record.size() > state.options.record_bytes_max) {
    return Error{Errc::too_large, fmt::format("a record of {} bytes, of {} at most", record.size(),
                                              state.options.record_bytes_max)};
  }
  if (record.timestamp == kNoTimestamp) record.timestamp = wall_clock_ms();
  const std::size_t size = record.size() + kRecordOverhead;
  DeliveryReport counted = [&state, size, report = std::move(report)](const Delivery& delivery) {
    if (report) report(delivery);
    state.delivered(size);
  };
  bool is_first = false;
  {
    std::unique_lock lock(state.mutex);
    // A record larger than the whole buffer still goes when it is alone.
    state.has_room.wait(lock, [&] {
      return state.buffered_bytes == 0 || state.buffered_bytes + size <= state.options.buffered_bytes_max;
    });
    state.buffered_bytes += size;
    is_first = state.queued.empty();
    state.queued.push_back({std::move(record), std::move(counted)});
  }
  if (is_first) state.io.post([&state] { state.hand_over(); });
  return {};
}

void Producer::flush() {
  state_->io.await<int>([this](const std::function<void(int)>& done) {
    state_->hand_over();
    state_->sender.flush([done] { done(0); });
  });
}

}  // namespace sillok::client
