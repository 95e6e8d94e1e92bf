#include "client/sender.h"

#include <fmt/format.h>

#include <algorithm>
#include <boost/asio/post.hpp>

#include "client/partitioner.h"
#include "protocol/messages/init_producer_id.h"

namespace sillok::client {
namespace {

using protocol::ErrorCode;
using Clock = std::chrono::steady_clock;

// Topic names up to here; later versions have ids in their place.
constexpr protocol::Version kProduceVersionMax = 12;

Error answered(ErrorCode code, const TopicPartition& where) {
  return {Errc::broker_error,
          fmt::format("{}-{}: {}", where.topic, where.partition.value, protocol::to_string(code))};
}

// Whether the broker may have stored a batch although it answered with an error.
bool leaves_doubt(ErrorCode code) {
  return code == ErrorCode::request_timed_out || code == ErrorCode::not_enough_replicas_after_append ||
         code == ErrorCode::kafka_storage_error || code == ErrorCode::network_exception;
}

}  // namespace

Sender::Sender(boost::asio::io_context& io, Cluster& cluster, ProducerOptions options, Randomness randomness)
    : io_(io),
      cluster_(cluster),
      options_(options),
      randomness_(std::move(randomness)),
      backoff_(options_.backoff, randomness_),
      accumulator_(options_),
      needs_identity_(options_.idempotence == Idempotence::on),
      timer_(io) {}

void Sender::enqueue(ProducerRecord record, DeliveryReport report) {
  Unassigned unassigned{std::move(record), std::move(report), Clock::now() + options_.delivery_timeout};
  const std::string& name = unassigned.record.topic;
  const TopicInfo* topic = cluster_.metadata().topic(name);
  // What came before and still waits for the topic goes first.
  if (topic != nullptr && !topic->partitions.empty() && unassigned_.find(name) == unassigned_.end()) {
    assign(std::move(unassigned), *topic);
  } else {
    unassigned_[name].push_back(std::move(unassigned));
  }
  schedule_pump();
}

void Sender::flush(std::function<void()> idle) {
  flush_ = Accumulator::Flush::yes;
  idle_.push_back(std::move(idle));
  schedule_pump();
}

PartitionIndex Sender::choose_partition(const ProducerRecord& record, const TopicInfo& topic) {
  if (record.partition) return *record.partition;
  const auto count = static_cast<std::int32_t>(topic.partitions.size());
  if (record.key) return partition_of_key(as_bytes(*record.key), count);
  const auto found = sticky_.find(topic.name);
  if (found != sticky_.end() && accumulator_.has_room({topic.name, found->second}, record.size()))
    return found->second;
  const auto chosen = PartitionIndex(static_cast<std::int32_t>(randomness_() * count) % count);
  sticky_[topic.name] = chosen;
  return chosen;
}

void Sender::assign(Unassigned unassigned, const TopicInfo& topic) {
  const TopicPartition where{topic.name, choose_partition(unassigned.record, topic)};
  if (where.partition.value < 0 ||
      where.partition.value >= static_cast<std::int32_t>(topic.partitions.size())) {
    const Error error{Errc::invalid_argument,
                      fmt::format("{} has no partition {}", topic.name, where.partition.value)};
    if (unassigned.report) unassigned.report({error, where, Offset(-1)});
    return;
  }
  accumulator_.append(where, unassigned.record, std::move(unassigned.report), Clock::now());
}

void Sender::schedule_pump() {
  if (pump_is_posted_) return;
  pump_is_posted_ = true;
  boost::asio::post(io_, [this] {
    pump_is_posted_ = false;
    pump();
  });
}

void Sender::pump() {
  const SteadyTime now = Clock::now();
  expire(now);
  assign_known_topics();
  if (ensure_identity()) send_ready(now);
  arm_timer(now);
  check_idle();
}

void Sender::expire(SteadyTime now) {
  const Error late{Errc::timed_out, last_failure_.empty()
                                        ? "not delivered in time"
                                        : fmt::format("not delivered in time: {}", last_failure_)};
  for (const BatchPointer& batch : accumulator_.take_expired(now)) {
    if (batch->maybe_stored) {
      give_up(*batch, late);
    } else {
      report_failure(*batch, late);
    }
  }
  for (auto& [topic, waiting] : unassigned_) {
    const TopicInfo* info = cluster_.metadata().topic(topic);
    const ErrorCode code = info == nullptr ? ErrorCode::none : info->error;
    const bool is_hopeless = code != ErrorCode::none && !is_retriable(code);
    const auto first_kept = std::find_if(waiting.begin(), waiting.end(), [&](const Unassigned& one) {
      return !is_hopeless && one.expires > now;
    });
    const Error error = code == ErrorCode::none
                            ? late
                            : Error{Errc::broker_error, fmt::format("{}: {}", topic, to_string(code))};
    for (auto one = waiting.begin(); one != first_kept; ++one) {
      if (one->report) one->report({error, {topic, PartitionIndex(-1)}, Offset(-1)});
    }
    waiting.erase(waiting.begin(), first_kept);
  }
  std::erase_if(unassigned_, [](const auto& entry) { return entry.second.empty(); });
}

void Sender::assign_known_topics() {
  for (auto entry = unassigned_.begin(); entry != unassigned_.end();) {
    const TopicInfo* topic = cluster_.metadata().topic(entry->first);
    if (topic == nullptr || topic->partitions.empty()) {
      ++entry;
      continue;
    }
    auto waiting = std::exchange(entry->second, {});
    entry = unassigned_.erase(entry);
    for (Unassigned& one : waiting) assign(std::move(one), *topic);
  }
  if (!unassigned_.empty()) refresh_later();
}

bool Sender::ensure_identity() {
  if (!needs_identity_) return true;
  if (asks_identity_ || accumulator_.in_flight() > 0 || Clock::now() < identity_not_before_) return false;
  asks_identity_ = true;
  cluster_.any([this](auto connection) {
    if (!connection.ok()) return take_identity(std::move(connection).error());
    using Request = protocol::InitProducerIdRequest;
    using Response = protocol::InitProducerIdResponse;
    Request request;
    request.transaction_timeout_ms = static_cast<std::int32_t>(options_.request_timeout.count());
    (*connection)->template call<Request, Response>(request, [this](auto answer) {
      if (!answer.ok()) return take_identity(std::move(answer).error());
      const Response& message = answer->message;
      if (message.error_code != ErrorCode::none) {
        return take_identity(
            Error{Errc::broker_error, fmt::format("InitProducerId: {}", to_string(message.error_code))});
      }
      take_identity(ProducerIdentity{message.producer_id, message.producer_epoch});
    });
  });
  return false;
}

void Sender::take_identity(Result<ProducerIdentity> identity) {
  asks_identity_ = false;
  if (identity.ok()) {
    needs_identity_ = false;
    broken_.clear();
    backoff_.reset();
    accumulator_.set_identity(*identity);
  } else {
    last_failure_ = identity.error().detail;
    identity_not_before_ = Clock::now() + backoff_.next();
  }
  schedule_pump();
}

void Sender::send_ready(SteadyTime now) {
  std::map<BrokerId, std::vector<TopicPartition>> by_leader;
  for (TopicPartition& where : accumulator_.waiting()) {
    if (const auto leader = cluster_.metadata().leader(where.topic, where.partition)) {
      by_leader[*leader].push_back(std::move(where));
    } else {
      refresh_later();
    }
  }
  for (auto& [leader, partitions] : by_leader) {
    // Another partition is first each time, so that none starves where a request cannot hold all.
    std::rotate(partitions.begin(),
                partitions.begin() + static_cast<std::ptrdiff_t>(turn_++ % partitions.size()),
                partitions.end());
    while (requests_in_flight_[leader] < options_.in_flight_max) {
      Batches batches;
      std::size_t bytes = 0;
      for (const TopicPartition& where : partitions) {
        if (bytes >= options_.request_bytes_max) break;
        BatchPointer batch = accumulator_.take(where, now, flush_);
        if (batch == nullptr) continue;
        bytes += batch->encoded.size();
        batches.push_back(std::move(batch));
      }
      if (batches.empty()) break;
      send(leader, std::move(batches));
    }
  }
}

void Sender::refresh_later() {
  if (refreshes_) return;
  refreshes_ = true;
  const auto timer = std::make_shared<boost::asio::steady_timer>(io_, refresh_not_before_);
  timer->async_wait([this, timer](boost::system::error_code error) {
    if (!error) refresh();
  });
}

void Sender::refresh() {
  std::set<std::string> topics;
  for (const auto& [topic, waiting] : unassigned_) topics.insert(topic);
  for (const TopicPartition& where : accumulator_.waiting()) topics.insert(where.topic);
  cluster_.refresh({topics.begin(), topics.end()}, AutoCreate::yes, [this](const Result<void>& refreshed) {
    // A failure shows as records that still lack a leader: the next pump asks again.
    if (!refreshed.ok()) last_failure_ = refreshed.error().detail;
    refreshes_ = false;
    refresh_not_before_ = Clock::now() + backoff_.next();
    schedule_pump();
  });
}

void Sender::send(BrokerId leader, Batches batches) {
  ++requests_in_flight_[leader];
  const auto shared = std::make_shared<Batches>(std::move(batches));
  cluster_.broker(leader, [this, leader, shared](auto connection) {
    if (connection.ok()) return transmit(leader, *connection, std::move(*shared));
    retry_all(std::move(*shared), connection.error());
    finish_request(leader);
  });
}

void Sender::transmit(BrokerId leader, const std::shared_ptr<Connection>& connection, Batches batches) {
  protocol::ProduceRequest request;
  request.acks = static_cast<std::int16_t>(options_.acks);
  request.timeout_ms = static_cast<std::int32_t>(options_.request_timeout.count());
  for (const BatchPointer& batch : batches) {
    auto topic = std::find_if(request.topics.begin(), request.topics.end(),
                              [&](const auto& one) { return one.name == batch->where.topic; });
    if (topic == request.topics.end()) {
      request.topics.push_back({batch->where.topic, {}, {}});
      topic = std::prev(request.topics.end());
    }
    topic->partitions.push_back({batch->where.partition, protocol::Records{batch->encoded, 0}});
  }
  CallOptions call{options_.request_timeout + options_.request_timeout / 2, kProduceVersionMax};
  if (options_.acks == Acks::none) {
    const auto sent = connection->send_unanswered(request, call);
    if (!sent.ok()) {
      retry_all(std::move(batches), sent.error());
    } else {
      for (const BatchPointer& batch : batches) {
        accumulator_.finish(batch->where);
        succeed(*batch, Offset(-1));
      }
    }
    return finish_request(leader);
  }
  const auto shared = std::make_shared<Batches>(std::move(batches));
  using Response = protocol::ProduceResponse;
  connection->call<protocol::ProduceRequest, Response>(
      request,
      [this, leader, shared](Result<Answer<Response>> answer) {
        if (answer.ok()) {
          take_answer(*shared, answer->message);
        } else {
          for (const BatchPointer& batch : *shared) batch->maybe_stored = true;
          retry_all(std::move(*shared), answer.error());
        }
        finish_request(leader);
      },
      call);
}

void Sender::finish_request(BrokerId leader) {
  --requests_in_flight_[leader];
  schedule_pump();
}

void Sender::take_answer(Batches& batches, const protocol::ProduceResponse& response) {
  for (BatchPointer& batch : batches) {
    const protocol::ProducePartitionResponse* found = nullptr;
    for (const auto& topic : response.responses) {
      if (topic.name != batch->where.topic) continue;
      for (const auto& partition : topic.partitions) {
        if (partition.index == batch->where.partition) found = &partition;
      }
    }
    if (found != nullptr) {
      take_result(std::move(batch), *found);
    } else {
      batch->maybe_stored = true;
      retry(std::move(batch));
    }
  }
}

void Sender::take_result(BatchPointer batch, const protocol::ProducePartitionResponse& result) {
  const auto code = result.error_code;
  if (code == ErrorCode::none || code == ErrorCode::duplicate_sequence_number) {
    accumulator_.finish(batch->where);
    backoff_.reset();
    return succeed(*batch, code == ErrorCode::none ? result.base_offset : Offset(-1));
  }
  const bool is_follow_up =
      code == ErrorCode::out_of_order_sequence_number &&
      (accumulator_.is_behind_a_retry(*batch) || broken_.find(batch->where) != broken_.end());
  if (is_follow_up) return retry(std::move(batch));
  if (is_retriable(code)) {
    if (leaves_doubt(code)) batch->maybe_stored = true;
    last_failure_ = answered(code, batch->where).detail;
    refresh_later();
    return retry(std::move(batch));
  }
  accumulator_.finish(batch->where);
  give_up(*batch, answered(code, batch->where));
}

void Sender::succeed(const ProducerBatch& batch, Offset base_offset) {
  Delivery delivery{{}, batch.where, base_offset};
  for (const DeliveryReport& report : batch.reports) {
    if (report) report(delivery);
    if (base_offset.value >= 0) delivery.offset += 1;
  }
}

void Sender::give_up(const ProducerBatch& batch, const Error& error) {
  if (options_.idempotence == Idempotence::on) {
    broken_.insert(batch.where);
    needs_identity_ = true;
  }
  report_failure(batch, error);
}

void Sender::retry_all(Batches batches, const Error& error) {
  const bool is_hopeless = error.code == Errc::unsupported_version || error.code == Errc::invalid_argument;
  last_failure_ = error.detail;
  for (BatchPointer& batch : batches) {
    if (is_hopeless) {
      accumulator_.finish(batch->where);
      give_up(*batch, error);
    } else {
      retry(std::move(batch));
    }
  }
  if (!is_hopeless) refresh_later();
}

void Sender::retry(BatchPointer batch) {
  accumulator_.retry(std::move(batch), Clock::now() + backoff_.next());
}

void Sender::arm_timer(SteadyTime now) {
  auto next = accumulator_.next_event(now);
  const auto sooner = [&next](SteadyTime at) {
    if (!next || at < *next) next = at;
  };
  for (const auto& [topic, waiting] : unassigned_) sooner(waiting.front().expires);
  if (needs_identity_ && !asks_identity_ && !accumulator_.empty())
    sooner(std::max(identity_not_before_, now));
  if (!next) return;
  timer_.expires_at(std::max(*next, now + Milliseconds(1)));
  timer_.async_wait([this](boost::system::error_code error) {
    if (!error) schedule_pump();
  });
}

void Sender::check_idle() {
  if (!unassigned_.empty() || !accumulator_.empty()) return;
  flush_ = Accumulator::Flush::no;
  for (const auto& idle : std::exchange(idle_, {})) idle();
}

}  // namespace sillok::client
