#include "client/fetcher.h"

#include <fmt/format.h>

#include <algorithm>
#include <boost/asio/post.hpp>

#include "protocol/record_batch_view.h"

namespace sillok::client {
namespace {

using protocol::ErrorCode;
using protocol::FetchRequest;
using protocol::FetchResponse;
using Clock = std::chrono::steady_clock;

// Topic names up to here; later versions have ids in their place.
constexpr protocol::Version kFetchVersionMax = 12;

}  // namespace

Result<Offset> next_position(ByteView bytes, Offset position) {
  while (bytes.size() >= protocol::kRecordBatchHeaderSize) {
    const auto header = TRY(protocol::parse_record_batch_header(bytes));
    if (header.size() > bytes.size()) break;
    if (header.last_offset_delta < 0) return Error{Errc::malformed, "a batch that ends before it begins"};
    if (header.next_offset() > position) position = header.next_offset();
    bytes = bytes.subspan(header.size());
  }
  return position;
}

Fetcher::Fetcher(boost::asio::io_context& io, Cluster& cluster, ConsumerOptions options,
                 Randomness randomness, Taken taken, Failed failed, Troubled troubled)
    : io_(io),
      cluster_(cluster),
      options_(options),
      backoff_(options.backoff, std::move(randomness)),
      taken_(std::move(taken)),
      failed_(std::move(failed)),
      troubled_(std::move(troubled)),
      timer_(io) {}

void Fetcher::assign(const TopicPartition& where, Offset position) {
  partitions_[where] = {position, options_.partition_bytes_max, false, {}};
  schedule_pump();
}

void Fetcher::unassign(const TopicPartition& where) { partitions_.erase(where); }

void Fetcher::release(std::size_t bytes) {
  buffered_bytes_ -= std::min(bytes, buffered_bytes_);
  schedule_pump();
}

void Fetcher::schedule_pump() {
  if (pump_is_posted_) return;
  pump_is_posted_ = true;
  boost::asio::post(io_, [this] {
    pump_is_posted_ = false;
    pump();
  });
}

void Fetcher::pump() {
  if (buffered_bytes_ >= options_.buffered_bytes_max) return;
  const auto now = Clock::now();
  std::map<BrokerId, Fetched> by_leader;
  for (const auto& [where, partition] : partitions_) {
    if (partition.in_flight) continue;
    if (partition.not_before > now) {
      wake_at(partition.not_before);
      continue;
    }
    const auto leader = cluster_.metadata().leader(where.topic, where.partition);
    if (!leader) {
      troubled_(fmt::format("{}-{} has no leader, or is gone", where.topic, where.partition.value));
      refresh_later();
    } else if (busy_.find(*leader) == busy_.end()) {
      by_leader[*leader].push_back(where);
    }
  }
  for (auto& [leader, partitions] : by_leader) {
    // Another partition is first each time: a broker fills an answer from the front.
    std::rotate(partitions.begin(),
                partitions.begin() + static_cast<std::ptrdiff_t>(turn_++ % partitions.size()),
                partitions.end());
    fetch(leader, std::move(partitions));
  }
}

void Fetcher::fetch(BrokerId leader, Fetched partitions) {
  busy_.insert(leader);
  for (const TopicPartition& where : partitions) partitions_[where].in_flight = true;
  cluster_.broker(leader, [this, leader, partitions = std::move(partitions)](auto connection) {
    if (connection.ok()) return transmit(leader, **connection, partitions);
    troubled_(connection.error().detail);
    hold_back(partitions);
    refresh_later();
    finish(leader, partitions);
  });
}

void Fetcher::transmit(BrokerId leader, Connection& connection, const Fetched& partitions) {
  FetchRequest request;
  request.max_wait_ms = static_cast<std::int32_t>(options_.fetch_wait.count());
  request.min_bytes = options_.fetch_bytes_min;
  request.max_bytes = options_.fetch_bytes_max;
  request.isolation_level = options_.isolation;
  for (const TopicPartition& where : partitions) {
    const auto known = partitions_.find(where);
    if (known == partitions_.end()) continue;
    auto topic = std::find_if(request.topics.begin(), request.topics.end(),
                              [&](const auto& one) { return one.name == where.topic; });
    if (topic == request.topics.end()) {
      request.topics.push_back({where.topic, {}, {}});
      topic = std::prev(request.topics.end());
    }
    protocol::FetchPartition wanted;
    wanted.index = where.partition;
    wanted.fetch_offset = known->second.position;
    wanted.max_bytes = known->second.bytes_max;
    topic->partitions.push_back(wanted);
  }
  connection.call<FetchRequest, FetchResponse>(
      request,
      [this, leader, partitions](Result<Answer<FetchResponse>> answer) {
        if (answer.ok() && answer->message.error_code == ErrorCode::none) {
          finish(leader, partitions);
          return take_answer(std::make_shared<const Answer<FetchResponse>>(std::move(answer).value()));
        }
        const bool is_hopeless = !answer.ok() && answer.error().code == Errc::unsupported_version;
        if (is_hopeless) {
          for (const TopicPartition& where : partitions) {
            if (partitions_.erase(where) != 0) failed_(where, answer.error());
          }
        }
        troubled_(answer.ok() ? std::string(to_string(answer->message.error_code)) : answer.error().detail);
        hold_back(partitions);
        refresh_later();
        finish(leader, partitions);
      },
      {options_.fetch_wait + options_.request_timeout, kFetchVersionMax});
}

void Fetcher::finish(BrokerId leader, const Fetched& partitions) {
  busy_.erase(leader);
  for (const TopicPartition& where : partitions) {
    if (const auto known = partitions_.find(where); known != partitions_.end())
      known->second.in_flight = false;
  }
  schedule_pump();
}

void Fetcher::take_answer(const std::shared_ptr<const Answer<FetchResponse>>& answer) {
  for (const auto& topic : answer->message.responses) {
    for (const auto& response : topic.partitions) {
      const TopicPartition where{std::string(topic.name), response.index};
      const auto known = partitions_.find(where);
      if (known == partitions_.end()) continue;
      if (response.error_code == ErrorCode::none) {
        take_partition(where, known->second, response, answer);
      } else {
        take_error(where, response.error_code);
      }
    }
  }
}

void Fetcher::take_partition(const TopicPartition& where, Partition& partition,
                             const protocol::FetchPartitionResponse& response,
                             const std::shared_ptr<const void>& owner) {
  backoff_.reset();
  troubled_({});
  const ByteView bytes = response.records ? response.records->bytes : ByteView{};
  const Result<Offset> next = next_position(bytes, partition.position);
  if (!next.ok()) {
    partitions_.erase(where);
    return failed_(where, next.error());
  }
  if (*next == partition.position && !bytes.empty()) {
    // Less than a batch: ask for more, as far as it makes sense.
    if (partition.bytes_max >= options_.partition_bytes_limit) {
      partitions_.erase(where);
      return failed_(where, {Errc::too_large, "a batch that is larger than what may be fetched"});
    }
    partition.bytes_max = std::min(partition.bytes_max, options_.partition_bytes_limit / 2) * 2;
  }
  FetchedBatches batches{where, partition.position, *next, response.high_watermark, bytes, owner};
  partition.position = *next;
  buffered_bytes_ += bytes.size();
  taken_(std::move(batches));
}

void Fetcher::take_error(const TopicPartition& where, ErrorCode code) {
  if (is_retriable(code)) {
    troubled_(fmt::format("{}-{}: {}", where.topic, where.partition.value, protocol::to_string(code)));
    hold_back({where});
    return refresh_later();
  }
  partitions_.erase(where);
  failed_(where, {code == ErrorCode::offset_out_of_range ? Errc::offset_out_of_range : Errc::broker_error,
                  fmt::format("{}-{}: {}", where.topic, where.partition.value, protocol::to_string(code))});
}

void Fetcher::hold_back(const Fetched& partitions) {
  const auto not_before = Clock::now() + backoff_.next();
  for (const TopicPartition& where : partitions) {
    if (const auto known = partitions_.find(where); known != partitions_.end())
      known->second.not_before = not_before;
  }
}

void Fetcher::refresh_later() {
  if (refreshes_) return;
  refreshes_ = true;
  const auto timer = std::make_shared<boost::asio::steady_timer>(io_, backoff_.next());
  timer->async_wait([this, timer](boost::system::error_code error) {
    if (error) return;
    std::set<std::string> topics;
    for (const auto& [where, partition] : partitions_) topics.insert(where.topic);
    cluster_.refresh({topics.begin(), topics.end()}, AutoCreate::no, [this](const Result<void>&) {
      // A failure shows as partitions that still lack a leader: the next pump asks again.
      refreshes_ = false;
      schedule_pump();
    });
  });
}

void Fetcher::wake_at(Clock::time_point when) {
  timer_.expires_at(when);
  timer_.async_wait([this](boost::system::error_code error) {
    if (!error) schedule_pump();
  });
}

}  // namespace sillok::client
