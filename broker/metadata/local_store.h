// The metadata store of one machine: one plain file of record batches in the first log directory. A
// transaction is one batch; a record is a key with its new value, or with null where it goes; a header
// "session" marks the keys that live as long as the process. All of it is in memory too.
#pragma once

#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "broker/metadata/store.h"
#include "protocol/base/bytes.h"
#include "protocol/record_batch_view.h"
#include "storage/clock.h"
#include "storage/file_system.h"

namespace sillok::broker {

inline constexpr std::string_view kMetadataFileName = "sillok-metadata.log";
// How much of that file is surely on disk (stored_length.h).
inline constexpr std::string_view kMetadataLengthFileName = "sillok-metadata.length";

// Threading: any thread. A watcher runs with the next transaction held back: it may read the store, but not
// change it. Durability: a transaction is on disk before txn() returns, and before anything sees it. Failure:
// after a failed write or sync nobody knows what the file holds, so nothing is written to it any more: the
// next
//   transaction first writes everything anew, to a new file. A failed transaction is not applied; after a
//   crash it may be there, whole. When it is full (kSizeMax) what only adds is refused with Errc::too_large.
// Invariants: the file's batches, one after the other, give what is in memory.
class LocalStore final : public MetadataStore {
 public:
  static constexpr ByteCount kSizeMax = 1 << 30;  // of what it holds
  static constexpr int kTornFilesMax = 1000;
  static constexpr ByteCount kTransactionSizeMax = 64 << 20;
  // What the file may have beyond kSizeMax: a full store still takes what makes it smaller.
  static constexpr ByteCount kReserveSize = 2 * kTransactionSizeMax;
  // The file is rewritten when it is larger than this and than twice what it holds.
  static constexpr ByteCount kRewriteSizeMin = 1 << 20;

  struct Options {
    storage::FileSystem* file_system = nullptr;
    const storage::Clock* clock = nullptr;
    std::string directory;
    ByteCount rewrite_size_min = kRewriteSizeMin;
    LeaderEpoch epoch{0};  // greater than at every start before
    ByteCount size_max = kSizeMax;
    ByteCount reserve_size = kReserveSize;
  };
  // Cuts a torn last batch, with a line in `notes`: what is cut is kept in sillok-metadata.log.torn-<n>, and
  // the producer ids that it may have taken are skipped. Errc::corrupt, and nothing changed, where a bad
  // batch comes before good ones or in what was once known to be on disk.
  static Result<std::unique_ptr<LocalStore>> open(const Options& options, std::vector<std::string>& notes);

  // For a clean stop: writes down how long the file is, so that the next open() takes no decayed batch for a
  // torn one. Later transactions do no harm, but are only covered by the next close() or open().
  Result<void> close();

  Result<std::vector<KeyValue>> range(std::string_view prefix) override;
  Result<bool> txn(const Transaction& transaction) override;
  void watch(std::string prefix, Watcher watcher) override;
  Progress progress() const override;
  Result<void> put_for_session(const KeyValue& pair) override;

 private:
  enum class Lifetime { lasting, session };
  struct Value {
    std::string text;
    Lifetime lifetime = Lifetime::lasting;
  };
  using Values = std::map<std::string, Value, std::less<>>;

  explicit LocalStore(Options options);
  Result<void> read(std::vector<std::string>& notes);
  Result<void> replay(ByteView content, std::vector<std::string>& notes);
  Result<void> replay_batch(const protocol::RecordBatchHeader& header, ByteView batch);
  Result<void> cut(ByteView bad, std::vector<std::string>& notes);
  Result<std::string> keep_torn(ByteView bad);
  Result<void> skip_lost_producer_ids(std::size_t bad_size);
  Result<void> save_length();
  Result<bool> apply(const Transaction& transaction, Lifetime lifetime);
  bool holds(const Transaction& transaction) const;
  Result<void> write(const Transaction& transaction, Lifetime lifetime);
  ByteCount growth_by(const Transaction& transaction) const;
  ByteCount file_size_max() const { return options_.size_max + options_.reserve_size; }
  Result<void> make_room(const Transaction& transaction, Lifetime lifetime);
  Result<void> append(const Transaction& transaction, Lifetime lifetime);
  Result<void> rewrite();
  void set(std::string key, std::string text, Lifetime lifetime);
  void erase(std::string_view key);

  const Options options_;
  const std::string path_;
  const std::string length_path_;
  std::mutex write_mutex_;    // held for a whole transaction; before mutex_
  mutable std::mutex mutex_;  // guards values_ and end_
  Values values_;
  Offset end_{0};                        // what rewriting the file does not move back
  ByteCount live_size_ = 0;              // of values_, as records
  std::shared_ptr<storage::File> file_;  // null: must be written anew
  ByteCount file_size_ = 0;
  ByteCount stored_length_ = 0;   // what the length file says; never more than is on disk
  std::int64_t next_offset_ = 0;  // every record has one, so that a missing batch is seen
  struct Watch {
    std::string prefix;
    Watcher watcher;
  };
  std::vector<Watch> watches_;  // guarded by write_mutex_
};

}  // namespace sillok::broker
