// Copies what a log has appended into a frame of the journal.
#pragma once

#include "storage/journal_frame.h"
#include "storage/log.h"

namespace sillok::storage {

enum class FrameCopy {
  copied,
  no_room,  // in a frame that already holds something
  unfit,    // more than a frame can hold, or not there to be read: the segments must be synced instead
};

// The batches from `from` up to `to`, which are places that the log told; all of them, or nothing.
FrameCopy copy_to_frame(const Log& log, const JournalKey& key, const LogPosition& from, const LogPosition& to,
                        JournalFrame& frame);

}  // namespace sillok::storage
