#include "broker/fetch_session.h"

#include <algorithm>
#include <limits>

namespace sillok::broker {

using protocol::ErrorCode;

namespace {

constexpr int kSlotBits = 32;

std::uint64_t make_tag(std::uint32_t slot, std::uint32_t generation) {
  return std::uint64_t{generation} << kSlotBits | slot;
}

}  // namespace

std::int32_t next_session_epoch(std::int32_t epoch) {
  if (epoch < 0) return kFinalSessionEpoch;
  return epoch == std::numeric_limits<std::int32_t>::max() ? 1 : epoch + 1;
}

ErrorCode FetchSession::take_in(const protocol::FetchRequest& request, TopicNaming naming) {
  {
    const std::lock_guard lock(mutex_);
    if (request.session_epoch != epoch_) return ErrorCode::invalid_fetch_session_epoch;
    if (naming != naming_) return ErrorCode::fetch_session_topic_id_error;
    for (const protocol::FetchTopic& topic : request.topics) add(topic);
    for (const protocol::FetchForgottenTopic& topic : request.forgotten_topics) forget(topic);
    epoch_ = next_session_epoch(epoch_);
  }
  wake_parked();  // a request that this one overtakes
  return ErrorCode::none;
}

FetchSession::TopicKeyView FetchSession::key_of(std::string_view name, const TopicId& id) const {
  return naming_ == TopicNaming::by_id ? TopicKeyView{id, {}} : TopicKeyView{{}, name};
}

void FetchSession::add(const protocol::FetchTopic& asked) {
  if (asked.partitions.empty()) return;
  const TopicKeyView key = key_of(asked.name, asked.topic_id);
  auto found = topics_.find(key);
  if (found == topics_.end()) {
    found = topics_.emplace(TopicKey{key.id, std::string(key.name)}, Topic{}).first;
    found->second.id = key.id;
    name_bytes_ += static_cast<ByteCount>(key.name.size());
    if (naming_ == TopicNaming::by_name) found->second.name = std::make_shared<const std::string>(key.name);
  }
  Topic& topic = found->second;
  for (const protocol::FetchPartition& wanted : asked.partitions) {
    const auto [place, is_new] = topic.slots.try_emplace(wanted.index, 0);
    if (is_new) {
      if (free_slots_.empty()) {
        place->second = static_cast<std::uint32_t>(entries_.size());
        entries_.emplace_back();
      } else {
        place->second = free_slots_.back();
        free_slots_.pop_back();
      }
      ++count_;
      entries_[place->second].topic = &topic;
      entries_[place->second].order = next_order_++;
    }
    entries_[place->second].target = FetchTarget::of(wanted);
    make_ready(place->second);
  }
}

void FetchSession::forget(const protocol::FetchForgottenTopic& forgotten) {
  const auto topic = topics_.find(key_of(forgotten.name, forgotten.topic_id));
  if (topic == topics_.end()) return;
  for (const PartitionIndex index : forgotten.partitions) {
    const auto place = topic->second.slots.find(index);
    if (place == topic->second.slots.end()) continue;
    remove(entries_[place->second], place->second);
    topic->second.slots.erase(place);
  }
  if (!topic->second.slots.empty()) return;
  name_bytes_ -= static_cast<ByteCount>(topic->first.name.size());
  topics_.erase(topic);
}

void FetchSession::remove(Entry& entry, std::uint32_t slot) {
  if (entry.is_registered) {
    if (const auto partition = entry.partition.lock()) partition->cancel_wait(this);
  }
  Entry free;
  free.generation = entry.generation + 1;
  free.is_ready = entry.is_ready;
  entry = free;
  free_slots_.push_back(slot);
  --count_;
}

void FetchSession::make_ready(std::uint32_t slot) {
  if (!std::exchange(entries_[slot].is_ready, true)) ready_.push_back(slot);
}

FetchSession::Size FetchSession::size() const {
  const std::lock_guard lock(mutex_);
  return {count_, static_cast<ByteCount>(entries_.size()) * kSessionPartitionBytes + name_bytes_};
}

void FetchSession::take_moved() {
  {
    const std::lock_guard lock(moved_mutex_);
    taken_.swap(moved_);
  }
  for (const std::uint64_t tag : taken_) {
    const auto slot = static_cast<std::uint32_t>(tag);
    Entry& entry = entries_[slot];
    if (make_tag(slot, entry.generation) != tag) continue;
    entry.is_registered = false;
    make_ready(slot);
  }
  taken_.clear();
}

FetchSession::Found FetchSession::collect(const Partitions& partitions, FetchParts& parts) {
  parts.clear();
  Found found = Found::as_before;
  const std::lock_guard lock(mutex_);
  take_moved();
  std::erase_if(ready_, [this](std::uint32_t slot) {
    if (entries_[slot].topic == nullptr) entries_[slot].is_ready = false;
    return entries_[slot].topic == nullptr;
  });
  const auto is_before = [this](std::uint32_t a, std::uint32_t b) {
    return entries_[a].order < entries_[b].order;
  };
  if (!std::ranges::is_sorted(ready_, is_before)) std::ranges::sort(ready_, is_before);
  const Topic* last_topic = nullptr;
  // The memory is given back with the request only, and a request may look many times.
  if (parts.parts.capacity() < ready_.size())
    parts.parts.reserve(std::max(ready_.size(), 2 * parts.parts.capacity()));
  for (const std::uint32_t slot : ready_) {
    Entry& entry = entries_[slot];
    FetchPart& part = parts.parts.emplace_back();
    part.target = entry.target;
    part.slot = slot;
    const bool was_resolved = entry.is_resolved;
    resolve(entry, part, partitions);
    if (was_resolved && part.is_unknown()) found = Found::partition_gone;
    if (std::exchange(last_topic, entry.topic) != entry.topic) {
      const Topic& topic = *entry.topic;
      const bool is_named = naming_ == TopicNaming::by_name;
      parts.topics.push_back({is_named ? std::string_view(*topic.name) : std::string_view(), topic.id,
                              is_named ? topic.name : nullptr});
    }
    part.topic = static_cast<std::uint32_t>(parts.topics.size() - 1);
  }
  return found;
}

// The partition of the last look, or what there is now.
void FetchSession::resolve(Entry& entry, FetchPart& part, const Partitions& partitions) const {
  part.partition = entry.partition.lock();
  if (part.partition && !part.partition->is_stopped()) return;
  part.partition = nullptr;
  Topic& topic = *entry.topic;
  const auto found = naming_ == TopicNaming::by_id ? partitions.find(topic.id, entry.target.index)
                                                   : partitions.find(*topic.name, entry.target.index);
  entry.partition = found.partition;
  entry.is_resolved = found.partition != nullptr;
  entry.is_registered = false;
  ++entry.generation;
  if (found.partition) {
    if (!topic.name) topic.name = std::make_shared<const std::string>(found.partition->topic());
    part.partition = found.partition;
  } else if (found.state == Partitions::Lookup::State::unknown) {
    part.missing = unknown_error(entry, partitions);
  } else {
    part.missing = missing_error(found.state, naming_);
  }
  entry.was_known |= found.state != Partitions::Lookup::State::unknown;
}

// As in Kafka, which remembers the name that an id had: a deleted topic is unknown by that name, and one that
// was made anew has another id.
ErrorCode FetchSession::unknown_error(const Entry& entry, const Partitions& partitions) const {
  if (naming_ == TopicNaming::by_name) return ErrorCode::unknown_topic_or_partition;
  if (!entry.was_known) return ErrorCode::unknown_topic_id;
  if (!entry.topic->name || partitions.find(*entry.topic->name, entry.target.index).is_unknown())
    return ErrorCode::unknown_topic_or_partition;
  return ErrorCode::inconsistent_topic_id;
}

bool FetchSession::has_only_unknown(const FetchParts& parts) const {
  const std::lock_guard lock(mutex_);
  return parts.parts.size() == count_ && std::ranges::all_of(parts.parts, &FetchPart::is_unknown);
}

// Or is now. False where the partition moved on meanwhile, or the session ended.
bool FetchSession::is_registered(const FetchPart& part) {
  Entry& entry = entries_[part.slot];
  if (!entry.is_registered && !is_closed_) {
    const std::uint64_t tag = make_tag(part.slot, entry.generation);
    entry.is_registered = part.partition->wait_beyond(part.high_watermark, shared_from_this(), tag);
  }
  return entry.is_registered;
}

FetchSession::Wait FetchSession::wait(std::int32_t request_epoch, const FetchParts& parts,
                                      std::shared_ptr<ReactorTask> task, ReactorPort& reactor) {
  const std::lock_guard lock(mutex_);
  if (is_closed_ || epoch_ != next_session_epoch(request_epoch)) return Wait::over;
  for (const FetchPart& part : parts.parts) {
    if (part.partition && !is_registered(part)) return Wait::moved;
  }
  const std::lock_guard moved_lock(moved_mutex_);
  if (!moved_.empty()) return Wait::moved;
  parked_ = {std::move(task), &reactor};
  return Wait::begun;
}

void FetchSession::stop_waiting(const ReactorTask* task) {
  Parked taken;  // destroyed after the lock is gone
  const std::lock_guard lock(moved_mutex_);
  if (parked_.task.get() == task) taken = std::exchange(parked_, {});
}

bool FetchSession::is_news(const Entry& entry, const FetchPart& part) {
  if (part.error != ErrorCode::none || part.diverging || part.slice.size > 0) return true;
  return part.high_watermark != entry.high_watermark || part.log_start != entry.log_start;
}

ErrorCode FetchSession::settle(std::int32_t request_epoch, FetchParts& parts) {
  const std::lock_guard lock(mutex_);
  if (epoch_ != next_session_epoch(request_epoch)) return ErrorCode::invalid_fetch_session_epoch;
  const bool is_first = request_epoch == kFirstSessionEpoch;
  for (FetchPart& part : parts.parts) {
    Entry& entry = entries_[part.slot];
    const bool failed = part.error != ErrorCode::none;
    part.is_left_out = !is_news(entry, part);
    entry.high_watermark = failed ? Offset(-1) : part.high_watermark;
    entry.log_start = failed ? Offset(-1) : part.log_start;
    // The others come first the next time.
    if (part.slice.size > 0 && !is_first) entry.order = next_order_++;
    const bool may_rest = !failed && !part.diverging && part.target.offset >= part.high_watermark;
    // Whoever moves the log start from now on tells it; whoever did before is seen.
    if (may_rest && is_registered(part) && part.partition->log().log_start() == part.log_start)
      entry.is_ready = false;
  }
  // The answer has them last, and the session begins in the order of its first answer.
  if (is_first) {
    for (const FetchPart& part : parts.parts) {
      if (part.has_unknown_id()) entries_[part.slot].order = next_order_++;
    }
    for (const FetchPart& part : parts.parts) {
      if (part.is_unknown() && !part.has_unknown_id()) entries_[part.slot].order = next_order_++;
    }
  }
  std::erase_if(ready_, [this](std::uint32_t slot) { return !entries_[slot].is_ready; });
  return ErrorCode::none;
}

void FetchSession::close() {
  {
    const std::lock_guard lock(mutex_);
    is_closed_ = true;
    for (Entry& entry : entries_) {
      if (!std::exchange(entry.is_registered, false)) continue;
      ++entry.generation;
      if (const auto partition = entry.partition.lock()) partition->cancel_wait(this);
    }
  }
  wake_parked();
}

void FetchSession::wake_parked() {
  Parked taken;
  {
    const std::lock_guard lock(moved_mutex_);
    taken = std::exchange(parked_, {});
  }
  if (taken.task) taken.reactor->run_soon(std::move(taken.task));
}

void FetchSession::moved(std::uint64_t tag, std::shared_ptr<MoveListener> /*self*/) {
  Parked taken;
  {
    const std::lock_guard lock(moved_mutex_);
    moved_.push_back(tag);
    taken = std::exchange(parked_, {});
  }
  if (taken.task) taken.reactor->run_soon(std::move(taken.task));
}

}  // namespace sillok::broker
