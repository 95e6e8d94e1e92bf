// What a log is to the commit journal, where no partition is around it.
#pragma once

#include "storage/journal.h"
#include "storage/journal_source.h"
#include "storage/log.h"

namespace sillok::tests {

// Contributes what the log has from a place on, once.
class JournaledLog final : public storage::JournalTarget {
 public:
  JournaledLog(const storage::Log& log, const storage::JournalKey& key, const storage::LogPosition& from)
      : log_(log), key_(key), from_(from), to_(log.log_end()) {}
  storage::JournalKey journal_key() const override { return key_; }
  Contribution contribute(storage::JournalFrame& frame) override {
    switch (storage::copy_to_frame(log_, key_, from_, to_, frame)) {
      case storage::FrameCopy::copied:
        return Contribution::added;
      case storage::FrameCopy::no_room:
        return Contribution::no_room;
      case storage::FrameCopy::unfit:
        break;
    }
    return Contribution::unfit;
  }
  void committed() override { is_committed = true; }
  void not_committed() override {}
  void flush() override {}

  bool is_committed = false;

 private:
  const storage::Log& log_;
  const storage::JournalKey key_;
  const storage::LogPosition from_;
  const storage::LogPosition to_;
};

}  // namespace sillok::tests
