#include "broker/metadata/local_store.h"

#include <fmt/format.h>

#include <algorithm>
#include <limits>
#include <optional>
#include <utility>

#include "broker/metadata/metadata_records.h"
#include "broker/metadata/stored_length.h"
#include "broker/producer_ids.h"
#include "protocol/record_batch_builder.h"
#include "storage/good_batch.h"

namespace sillok::broker {
namespace {

constexpr std::string_view kSessionHeader = "session";
// What a record takes beside its key and value, at most.
constexpr ByteCount kRecordOverhead = 32;
// A rewritten file has its records in batches of about this size.
constexpr std::size_t kRewriteBatchSize = 1 << 20;

ByteCount record_size(std::string_view key, std::string_view value) {
  return static_cast<ByteCount>(key.size() + value.size()) + kRecordOverhead;
}

void append_record(protocol::RecordBatchBuilder& builder, TimestampMs now, std::string_view key,
                   std::optional<std::string_view> value, bool is_session) {
  const protocol::RecordHeader session{kSessionHeader, std::nullopt};
  std::optional<ByteView> bytes;
  if (value) bytes = as_bytes(*value);
  builder.append(now, as_bytes(key), bytes,
                 is_session ? std::span(&session, 1) : std::span<protocol::RecordHeader>());
}

protocol::BatchOptions batch_at(std::int64_t offset) {
  protocol::BatchOptions options;
  options.base_offset = Offset(offset);
  options.leader_epoch = LeaderEpoch(0);
  return options;
}

Error decayed(const std::string& path, std::size_t position, ByteCount length) {
  return {
      Errc::corrupt,
      fmt::format(
          "{}: the batch at byte {} is damaged or missing, and it was on disk once: the first {} bytes were "
          "(removing {} lets the next start go on without what was there)",
          path, position, length, kMetadataLengthFileName)};
}

}  // namespace

LocalStore::LocalStore(Options options)
    : options_(std::move(options)),
      path_(storage::join_path(options_.directory, kMetadataFileName)),
      length_path_(storage::join_path(options_.directory, kMetadataLengthFileName)) {}

Result<std::unique_ptr<LocalStore>> LocalStore::open(const Options& options,
                                                     std::vector<std::string>& notes) {
  std::unique_ptr<LocalStore> store(new LocalStore(options));
  const auto read = store->read(notes);
  if (!read.ok()) return read.error();
  store->end_ = Offset(store->next_offset_);
  return store;
}

Result<void> LocalStore::read(std::vector<std::string>& notes) {
  storage::FileSystem& file_system = *options_.file_system;
  const auto length = read_stored_length(file_system, length_path_);
  if (length.ok()) {
    stored_length_ = *length;
  } else if (length.error().code == Errc::malformed) {
    notes.push_back(length.error().detail + ", and is written anew");
  } else {
    return length.error();
  }
  if (TRY(file_system.exists(path_))) {
    const std::string content = TRY(storage::read_file(file_system, path_, file_size_max()));
    file_ = TRY(file_system.open(path_, storage::OpenMode::read_write));
    file_size_ = static_cast<ByteCount>(content.size());
    const auto replayed = replay(as_bytes(content), notes);
    if (!replayed.ok()) return replayed;
    // The last process may have ended between its write and its sync.
    const auto synced = file_->sync_data();
    if (!synced.ok()) return synced;
    for (auto at = values_.begin(); at != values_.end();) {
      const auto current = at++;
      if (current->second.lifetime == Lifetime::session) erase(current->first);
    }
    const auto named = file_system.sync_directory(options_.directory);
    if (!named.ok()) return named;
    // The next start does without: it can only tell less.
    const auto saved = save_length();
    if (!saved.ok()) notes.push_back(saved.error().detail);
    return {};
  }
  if (stored_length_ > 0) {
    notes.push_back(fmt::format("{}: is missing, though it had {} bytes; begun anew", path_, stored_length_));
  }
  const auto removed = remove_stored_length(file_system, length_path_);
  if (!removed.ok()) return removed;
  stored_length_ = 0;
  file_ = TRY(file_system.open(path_, storage::OpenMode::create));
  return file_system.sync_directory(options_.directory);
}

Result<void> LocalStore::replay(ByteView content, std::vector<std::string>& notes) {
  std::size_t position = 0;
  while (position < content.size()) {
    const ByteView left = content.subspan(position);
    const auto header = storage::good_batch_at_front(left);
    // The CRC does not cover the offset: a write that was torn inside it leaves a smaller one.
    if (!header || header->base_offset.value < next_offset_) {
      if (storage::has_good_batch_inside(left)) {
        return Error{Errc::corrupt, fmt::format("{}: the batch at byte {} is damaged, and good ones follow",
                                                path_, position)};
      }
      if (static_cast<ByteCount>(position) < stored_length_) return decayed(path_, position, stored_length_);
      return cut(left, notes);
    }
    const auto replayed = replay_batch(*header, left.first(header->size()));
    if (!replayed.ok()) {
      return Error{Errc::corrupt,
                   fmt::format("{}: at byte {}: {}", path_, position, replayed.error().detail)};
    }
    position += header->size();
  }
  if (static_cast<ByteCount>(position) < stored_length_) return decayed(path_, position, stored_length_);
  return {};
}

Result<void> LocalStore::replay_batch(const protocol::RecordBatchHeader& header, ByteView batch) {
  if (header.base_offset.value != next_offset_) {
    return Error{Errc::corrupt, fmt::format("the batch has offset {} in place of {}",
                                            header.base_offset.value, next_offset_)};
  }
  auto reader = TRY(protocol::RecordReader::open(header, batch));
  protocol::Record record;
  while (TRY(reader.next(record))) {
    if (!record.key) return Error{Errc::corrupt, "a record has no key"};
    const std::string key(as_text(*record.key));
    if (!record.value) {
      erase(key);
      continue;
    }
    const bool is_session = std::ranges::any_of(
        record.headers, [](const protocol::RecordHeader& h) { return h.key == kSessionHeader; });
    set(key, std::string(as_text(*record.value)), is_session ? Lifetime::session : Lifetime::lasting);
  }
  next_offset_ = header.next_offset().value;
  return {};
}

// The file is written anew rather than truncated, so that the ids are skipped in the same step: a second
// crash in between would leave a sound file whose counter is too low.
Result<void> LocalStore::cut(ByteView bad, std::vector<std::string>& notes) {
  const std::string kept = TRY(keep_torn(bad));
  const auto skipped = skip_lost_producer_ids(bad.size());
  if (!skipped.ok()) return skipped;
  const auto rewritten = rewrite();
  if (!rewritten.ok()) return rewritten;
  notes.push_back(
      fmt::format("{}: cut {} bytes of a transaction that a crash left half-written; they are kept in {}",
                  path_, bad.size(), kept));
  return {};
}

Result<std::string> LocalStore::keep_torn(ByteView bad) {
  storage::FileSystem& file_system = *options_.file_system;
  for (int number = 1; number <= kTornFilesMax; ++number) {
    std::string path = fmt::format("{}.torn-{}", path_, number);
    if (TRY(file_system.exists(path))) continue;
    const auto kept = storage::replace_file(file_system, path, as_text(bad));
    if (!kept.ok()) return kept.error();
    return path;
  }
  return Error{Errc::too_large,
               fmt::format("{}: there are {} files of torn transactions beside it; move them away", path_,
                           kTornFilesMax)};
}

// The counter moves on by a block for each batch that the bad bytes can have been.
Result<void> LocalStore::skip_lost_producer_ids(std::size_t bad_size) {
  const auto found = values_.find(kProducerIdsKey);
  const std::int64_t next = found == values_.end() ? 0 : TRY(decode_next_producer_id(found->second.text));
  const auto batches = static_cast<std::int64_t>(bad_size / protocol::kRecordBatchHeaderSize) + 1;
  const std::int64_t lost = batches * ProducerIds::kBlockSize;
  if (next > std::numeric_limits<std::int64_t>::max() - lost) {
    return Error{Errc::too_large, "there are no producer ids left"};
  }
  set(std::string(kProducerIdsKey), encode_next_producer_id(next + lost), Lifetime::lasting);
  return {};
}

Result<void> LocalStore::save_length() {
  if (file_ == nullptr || file_size_ == stored_length_) return {};
  const auto written = write_stored_length(*options_.file_system, length_path_, file_size_);
  if (written.ok()) stored_length_ = file_size_;
  return written;
}

Result<void> LocalStore::close() {
  const std::lock_guard lock(write_mutex_);
  return save_length();
}

Result<std::vector<KeyValue>> LocalStore::range(std::string_view prefix) {
  std::vector<KeyValue> pairs;
  const std::lock_guard lock(mutex_);
  for (auto at = values_.lower_bound(prefix); at != values_.end() && at->first.starts_with(prefix); ++at) {
    pairs.push_back({at->first, at->second.text});
  }
  return pairs;
}

Result<bool> LocalStore::txn(const Transaction& transaction) { return apply(transaction, Lifetime::lasting); }

Result<void> LocalStore::put_for_session(const KeyValue& pair) {
  const auto applied = apply({{}, {{pair.key, pair.value}}, {}}, Lifetime::session);
  if (!applied.ok()) return applied.error();
  return {};
}

void LocalStore::watch(std::string prefix, Watcher watcher) {
  const std::lock_guard lock(write_mutex_);
  watches_.push_back({std::move(prefix), std::move(watcher)});
}

Result<bool> LocalStore::apply(const Transaction& transaction, Lifetime lifetime) {
  const std::lock_guard write_lock(write_mutex_);
  if (!holds(transaction)) return false;
  if (!transaction.puts.empty() || !transaction.deletes.empty()) {
    const auto written = write(transaction, lifetime);
    if (!written.ok()) return written.error();
  }
  {
    const std::lock_guard lock(mutex_);
    for (const std::string& key : transaction.deletes) erase(key);
    for (const Put& put : transaction.puts) set(put.key, put.value, lifetime);
    end_ += static_cast<std::int64_t>(transaction.deletes.size() + transaction.puts.size());
  }
  for (const Watch& watch : watches_) {
    const auto touches = [&](std::string_view key) { return key.starts_with(watch.prefix); };
    if (std::ranges::any_of(transaction.puts, touches, &Put::key) ||
        std::ranges::any_of(transaction.deletes, touches)) {
      watch.watcher(transaction);
    }
  }
  return true;
}

MetadataStore::Progress LocalStore::progress() const {
  const std::lock_guard lock(mutex_);
  return {options_.epoch, end_};
}

// Only transactions change values_, and they hold write_mutex_: no need for mutex_.
bool LocalStore::holds(const Transaction& transaction) const {
  return std::ranges::all_of(transaction.compares, [&](const Compare& compare) {
    const auto found = values_.find(compare.key);
    if (found == values_.end()) return !compare.value.has_value();
    return compare.value == found->second.text;
  });
}

Result<void> LocalStore::write(const Transaction& transaction, Lifetime lifetime) {
  const auto made = make_room(transaction, lifetime);
  return made.ok() ? append(transaction, lifetime) : made;
}

// Of what the store holds; negative where it becomes smaller.
ByteCount LocalStore::growth_by(const Transaction& transaction) const {
  ByteCount growth = 0;
  const auto take_off = [&](const std::string& key) {
    const auto found = values_.find(key);
    if (found != values_.end()) growth -= record_size(found->first, found->second.text);
  };
  for (const std::string& key : transaction.deletes) take_off(key);
  for (const Put& put : transaction.puts) {
    take_off(put.key);
    growth += record_size(put.key, put.value);
  }
  return growth;
}

// The reserve is for what makes the store smaller, and for what deletes something: it ends what was begun
// when there was room, or (a topic's deletion) begins what frees some.
Result<void> LocalStore::make_room(const Transaction& transaction, Lifetime lifetime) {
  if (lifetime == Lifetime::lasting && transaction.deletes.empty()) {
    const ByteCount growth = growth_by(transaction);
    if (growth > 0 && live_size_ + growth > options_.size_max) {
      return Error{Errc::too_large,
                   fmt::format("{}: full: of at most {} bytes it holds {}, and {} would be added (what makes "
                               "it smaller is still taken, as the deletion of a topic)",
                               path_, options_.size_max, live_size_, growth)};
    }
  }
  ByteCount size_max = static_cast<ByteCount>(protocol::kRecordBatchHeaderSize);
  for (const std::string& key : transaction.deletes) size_max += record_size(key, "");
  for (const Put& put : transaction.puts) size_max += record_size(put.key, put.value);
  const bool is_mostly_old = file_size_ > std::max(options_.rewrite_size_min, 2 * live_size_);
  const bool has_room = file_size_ + size_max <= file_size_max();
  return file_ == nullptr || is_mostly_old || !has_room ? rewrite() : Result<void>();
}

Result<void> LocalStore::append(const Transaction& transaction, Lifetime lifetime) {
  protocol::RecordBatchBuilder builder(batch_at(next_offset_));
  const TimestampMs now = options_.clock->wall_ms();
  for (const std::string& key : transaction.deletes) append_record(builder, now, key, std::nullopt, false);
  for (const Put& put : transaction.puts) {
    append_record(builder, now, put.key, put.value, lifetime == Lifetime::session);
  }
  const Bytes batch = TRY(builder.build());
  const auto size = static_cast<ByteCount>(batch.size());
  if (size > kTransactionSizeMax || file_size_ + size > file_size_max()) {
    return Error{Errc::too_large, fmt::format("{}: no room for a transaction of {} bytes", path_, size)};
  }
  const ByteView parts[] = {batch};
  auto written = file_->write_at(FilePosition(file_size_), parts);
  if (written.ok()) written = file_->sync_data();
  if (!written.ok()) {
    file_ = nullptr;
    return written;
  }
  file_size_ += size;
  next_offset_ += static_cast<std::int64_t>(transaction.deletes.size() + transaction.puts.size());
  return {};
}

Result<void> LocalStore::rewrite() {
  file_ = nullptr;  // until the new one is there
  std::string content;
  std::int64_t offset = 0;
  const TimestampMs now = options_.clock->wall_ms();
  for (auto at = values_.begin(); at != values_.end();) {
    protocol::RecordBatchBuilder builder(batch_at(offset));
    for (; at != values_.end() && builder.size_estimate() < kRewriteBatchSize; ++at, ++offset) {
      append_record(builder, now, at->first, at->second.text, at->second.lifetime == Lifetime::session);
    }
    const Bytes batch = TRY(builder.build());
    content += as_text(batch);
  }
  // The new file may be shorter.
  const auto removed = remove_stored_length(*options_.file_system, length_path_);
  if (!removed.ok()) return removed;
  stored_length_ = 0;
  const auto replaced = storage::replace_file(*options_.file_system, path_, content);
  if (!replaced.ok()) return replaced;
  file_ = TRY(options_.file_system->open(path_, storage::OpenMode::read_write));
  file_size_ = static_cast<ByteCount>(content.size());
  next_offset_ = offset;
  return {};
}

void LocalStore::set(std::string key, std::string text, Lifetime lifetime) {
  erase(key);
  live_size_ += record_size(key, text);
  values_[std::move(key)] = {std::move(text), lifetime};
}

void LocalStore::erase(std::string_view key) {
  const auto found = values_.find(key);
  if (found == values_.end()) return;
  live_size_ -= record_size(found->first, found->second.text);
  values_.erase(found);
}

}  // namespace sillok::broker
