// Whether the last stop of a log directory was clean, so that nothing needs to be scanned. Layout:
// storage/FORMAT.md.
//
// Kafka's mark is a file that is removed at start. Its removal can be lost with a power cut, and an old mark
// would then vouch for a log that was torn since. So every start gets a number of its own, durable before
// anything else is written, and our mark carries the number of the run that it ended: a mark of another run
// is ignored.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "protocol/base/result.h"
#include "storage/file_system.h"

namespace sillok::storage {

inline constexpr std::string_view kCleanShutdownName = ".kafka_cleanshutdown";
inline constexpr std::string_view kIncarnationName = "sillok-incarnation";

struct CleanShutdownMark {
  std::int64_t broker_epoch = -1;
  std::optional<std::int64_t> incarnation;  // none in a mark that Kafka wrote
  friend bool operator==(const CleanShutdownMark&, const CleanShutdownMark&) = default;
};

std::string serialize_clean_shutdown_mark(const CleanShutdownMark& mark);
// Errc::malformed. Unknown fields are ignored.
Result<CleanShutdownMark> parse_clean_shutdown_mark(std::string_view text);

struct StartedIncarnation {
  std::int64_t incarnation = 0;  // of this run: greater than of every run before
  bool was_clean = false;
  bool is_first_run = false;  // there was no number before
  // What says of the logs what the mark said that was found, as long as nothing of them was touched.
  std::optional<CleanShutdownMark> mark_as_it_was;
  std::vector<std::string> warnings;  // one line each; an unreadable file counts as absent
};

// Begins a run: reads the mark, makes the next number durable, and takes the mark away. To be called before
// anything else is written to the directory.
Result<StartedIncarnation> start_incarnation(FileSystem& file_system, const std::string& directory);
// Ends a run: to be called after everything else is durable.
Result<void> write_clean_shutdown_mark(FileSystem& file_system, const std::string& directory,
                                       std::int64_t incarnation);
Result<void> write_clean_shutdown_mark(FileSystem& file_system, const std::string& directory,
                                       const CleanShutdownMark& mark);

}  // namespace sillok::storage
