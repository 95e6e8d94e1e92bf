// What a fetch with a session costs over a thousand partitions of which so many have something new.
#include <benchmark/benchmark.h>

#include "bench/bench_partitions.h"
#include "bench/log_bench.h"
#include "broker/fetch_session.h"

namespace sillok::bench {
namespace {

constexpr std::int32_t kPartitions = 1000;
constexpr TopicId kTopicId{{1}};

protocol::FetchRequest next_request(std::int32_t epoch) {
  protocol::FetchRequest request;
  request.session_id = 1;
  request.session_epoch = epoch;
  return request;
}

class NoSink final : public broker::AppendSink {
 public:
  void appended(std::size_t /*index*/, const broker::AppendResult& /*result*/) override {}
};

void request(benchmark::State& state) {
  BenchPartitions bench;
  bench.create("orders", kTopicId, kPartitions);
  auto session = std::make_shared<broker::FetchSession>(1, broker::TopicNaming::by_id);
  protocol::FetchRequest first = next_request(broker::kFirstSessionEpoch);
  protocol::FetchTopic& topic = first.topics.emplace_back();
  topic.topic_id = kTopicId;
  for (std::int32_t i = 0; i < kPartitions; ++i) {
    protocol::FetchPartition& partition = topic.partitions.emplace_back();
    partition.index = PartitionIndex(i);
    partition.max_bytes = 1 << 20;
  }
  Bytes batch = make_batch(170);
  const auto header = protocol::parse_record_batch_header(batch).value();
  const auto sink = std::make_shared<NoSink>();
  std::int32_t epoch = broker::kFirstSessionEpoch;
  // Gives the next request: of what came, the client reads on from its end.
  const auto fetch = [&](const protocol::FetchRequest& asked) {
    if (session->take_in(asked, broker::TopicNaming::by_id) != protocol::ErrorCode::none) std::abort();
    broker::FetchParts parts;
    session->collect(bench.all(), parts);
    epoch = broker::next_session_epoch(epoch);
    protocol::FetchRequest following = next_request(epoch);
    protocol::FetchTopic& moved = following.topics.emplace_back();
    moved.topic_id = kTopicId;
    for (broker::FetchPart& part : parts.parts) {
      if (!part.look(1 << 20, storage::Log::FirstBatch::whole, storage::IoMode::may_block).ok()) std::abort();
      if (part.slice.size == 0) continue;
      protocol::FetchPartition& partition = moved.partitions.emplace_back();
      partition.index = part.target.index;
      partition.max_bytes = part.target.max_bytes;
      partition.fetch_offset = part.high_watermark;
    }
    if (session->settle(asked.session_epoch, parts) != protocol::ErrorCode::none) std::abort();
    return following;
  };
  protocol::FetchRequest following = fetch(first);
  std::int32_t next = 0;
  for (auto _ : state) {
    state.PauseTiming();
    for (std::int64_t i = 0; i < state.range(0); ++i, next = (next + 1) % kPartitions)
      bench.one("orders", next).append({batch, header, broker::Acks::leader, sink, 0});
    state.ResumeTiming();
    following = fetch(following);
  }
  session->close();
}
BENCHMARK(request)->Name("fetch_session/request")->ArgName("moved")->Arg(0)->Arg(1)->Arg(100);

}  // namespace
}  // namespace sillok::bench
