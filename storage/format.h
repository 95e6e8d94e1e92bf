// Names, sizes and limits of the files of one partition. What they mean: storage/FORMAT.md.
#pragma once

#include <charconv>
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

#include "protocol/base/ids.h"

namespace sillok::storage {

inline constexpr std::string_view kLogSuffix = ".log";
inline constexpr std::string_view kOffsetIndexSuffix = ".index";
inline constexpr std::string_view kTimeIndexSuffix = ".timeindex";
inline constexpr std::string_view kTransactionIndexSuffix = ".txnindex";
inline constexpr std::string_view kSnapshotSuffix = ".snapshot";
// Added to a name whose file waits for its removal.
inline constexpr std::string_view kDeletedSuffix = ".deleted";
// Kafka's compaction: a copy that is not complete, and one that is.
inline constexpr std::string_view kCleanedSuffix = ".cleaned";
inline constexpr std::string_view kSwapSuffix = ".swap";
// Added to `.log`: the kept part of a log that is being truncated.
inline constexpr std::string_view kCutSuffix = ".cut";
// Added to a name, with the incarnation number behind it: bytes that recovery took out.
inline constexpr std::string_view kTornInfix = ".torn-";
inline constexpr std::string_view kJournaledInfix = ".journaled-";

inline constexpr std::size_t kOffsetNameDigits = 20;
inline constexpr std::size_t kOffsetIndexEntrySize = 8;
inline constexpr std::size_t kTimeIndexEntrySize = 12;

// Positions in an offset index are 32 bits wide, and so are its offsets, relative to the base.
inline constexpr std::int64_t kRelativeOffsetMax = 0x7fffffff;
inline constexpr ByteCount kSegmentSizeMax = 0x7fffffff;

// "00000000000000000042.log" of (42, ".log").
inline std::string offset_file_name(Offset base, std::string_view suffix) {
  const std::string digits = std::to_string(base.value);
  std::string name;
  name.reserve(kOffsetNameDigits + suffix.size());
  if (digits.size() < kOffsetNameDigits) name.assign(kOffsetNameDigits - digits.size(), '0');
  name.append(digits);
  name.append(suffix);
  return name;
}

struct OffsetFileName {
  Offset base;
  std::string_view suffix;  // all that follows the digits
};

// nullopt where the name does not begin with 20 digits and a dot.
inline std::optional<OffsetFileName> parse_offset_file_name(std::string_view name) {
  if (name.size() <= kOffsetNameDigits || name[kOffsetNameDigits] != '.') return std::nullopt;
  std::int64_t value = 0;
  const char* const end = name.data() + kOffsetNameDigits;
  const auto parsed = std::from_chars(name.data(), end, value);
  if (parsed.ec != std::errc() || parsed.ptr != end || value < 0) return std::nullopt;
  return OffsetFileName{Offset(value), name.substr(kOffsetNameDigits)};
}

}  // namespace sillok::storage
