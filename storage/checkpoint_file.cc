#include "storage/checkpoint_file.h"

#include <cstdint>
#include <unordered_set>

#include "storage/text_file.h"

namespace sillok::storage {
namespace {

constexpr std::string_view kVersionLine = "0";

Error malformed_line(std::size_t line, std::string_view what) {
  return {Errc::malformed, "line " + std::to_string(line) + ": " + std::string(what)};
}

// The word up to the next space, which it takes away as well.
std::string_view take_word(std::string_view& text) {
  const std::size_t end = text.find(' ');
  const std::string_view word = text.substr(0, end);
  text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
  return word;
}

Result<PartitionOffset> parse_entry(std::string_view line, std::size_t number) {
  std::string_view rest = line;
  const std::string_view topic = take_word(rest);
  const std::string_view partition = take_word(rest);
  const auto partition_number = parse_decimal<std::int32_t>(partition);
  const auto offset = parse_decimal<std::int64_t>(rest);
  if (topic.empty() || !partition_number || !offset) {
    return malformed_line(number, "not \"<topic> <partition> <offset>\"");
  }
  return PartitionOffset{std::string(topic), PartitionIndex(*partition_number), Offset(*offset)};
}

}  // namespace

std::string checkpoint_preamble(std::size_t count) {
  return std::string(kVersionLine) + '\n' + std::to_string(count) + '\n';
}

Result<std::vector<std::string_view>> parse_checkpoint_lines(std::string_view text) {
  std::vector<std::string_view> lines;
  while (!text.empty()) {
    const std::size_t end = text.find('\n');
    if (end == std::string_view::npos) return malformed_line(lines.size() + 1, "does not end with a newline");
    lines.push_back(text.substr(0, end));
    text.remove_prefix(end + 1);
  }
  if (lines.size() < kCheckpointFirstLine - 1)
    return malformed_line(lines.size() + 1, "version and count expected");
  const auto version = parse_decimal<std::int32_t>(lines[0]);
  if (!version) return malformed_line(1, "not a version number");
  if (lines[0] != kVersionLine) {
    return Error{Errc::unsupported_version,
                 "line 1: version " + std::to_string(*version) + ", only 0 is known"};
  }
  const auto count = parse_decimal<std::int64_t>(lines[1]);
  if (!count) return malformed_line(2, "not a count");
  lines.erase(lines.begin(), lines.begin() + 2);
  if (static_cast<std::uint64_t>(*count) != lines.size()) {
    return malformed_line(2, std::to_string(*count) + " entries announced, but " +
                                 std::to_string(lines.size()) + " lines follow");
  }
  return lines;
}

std::string serialize_offset_checkpoint(std::span<const PartitionOffset> entries) {
  std::string text = checkpoint_preamble(entries.size());
  for (const PartitionOffset& entry : entries) {
    text += entry.topic;
    text += ' ';
    text += std::to_string(entry.partition.value);
    text += ' ';
    text += std::to_string(entry.offset.value);
    text += '\n';
  }
  return text;
}

Result<std::vector<PartitionOffset>> parse_offset_checkpoint(std::string_view text) {
  const auto lines = TRY(parse_checkpoint_lines(text));
  std::vector<PartitionOffset> entries;
  entries.reserve(lines.size());
  std::unordered_set<std::string_view> seen;
  seen.reserve(lines.size());
  for (std::size_t i = 0; i < lines.size(); ++i) {
    const std::size_t number = i + kCheckpointFirstLine;
    entries.push_back(TRY(parse_entry(lines[i], number)));
    if (!seen.insert(lines[i].substr(0, lines[i].rfind(' '))).second) {
      return malformed_line(number, "a partition that an earlier line has as well");
    }
  }
  return entries;
}

Result<std::vector<PartitionOffset>> read_offset_checkpoint(FileSystem& file_system,
                                                            const std::string& path) {
  const auto text = TRY(read_file_if_exists(file_system, path, kCheckpointFileSizeMax));
  if (!text) return std::vector<PartitionOffset>{};
  return naming_file(path, parse_offset_checkpoint(*text));
}

Result<void> write_offset_checkpoint(FileSystem& file_system, const std::string& path,
                                     std::span<const PartitionOffset> entries) {
  return replace_file(file_system, path, serialize_offset_checkpoint(entries));
}

}  // namespace sillok::storage
