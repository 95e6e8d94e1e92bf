#include "storage/leader_epochs.h"

#include <algorithm>

#include "protocol/base/check.h"
#include "storage/checkpoint_file.h"
#include "storage/text_file.h"

namespace sillok::storage {
namespace {

bool starts_after(Offset offset, const LeaderEpochEntry& entry) { return offset < entry.start_offset; }
bool epoch_is_after(LeaderEpoch epoch, const LeaderEpochEntry& entry) { return epoch < entry.epoch; }

Result<LeaderEpochEntry> parse_entry(std::string_view line) {
  const std::size_t space = line.find(' ');
  if (space != std::string_view::npos) {
    const auto epoch = parse_decimal<std::int32_t>(line.substr(0, space));
    const auto start_offset = parse_decimal<std::int64_t>(line.substr(space + 1));
    if (epoch && start_offset) return LeaderEpochEntry{LeaderEpoch(*epoch), Offset(*start_offset)};
  }
  return Error{Errc::malformed, "not \"<epoch> <start offset>\""};
}

}  // namespace

Result<LeaderEpochs> LeaderEpochs::parse(std::string_view text) {
  const auto lines = TRY(parse_checkpoint_lines(text));
  LeaderEpochs epochs;
  for (std::size_t i = 0; i < lines.size(); ++i) {
    const std::string place = "line " + std::to_string(i + kCheckpointFirstLine);
    const auto entry = TRY(naming_file(place, parse_entry(lines[i])));
    if (i > 0 && (entry.epoch <= epochs.entries_.back().epoch ||
                  entry.start_offset <= epochs.entries_.back().start_offset)) {
      return Error{Errc::malformed, place + ": epoch and start offset must be past those of the line before"};
    }
    epochs.entries_.push_back(entry);
  }
  if (epochs.entries_.size() > kLeaderEpochCountMax) {
    epochs.entries_.erase(epochs.entries_.begin(), epochs.entries_.end() - kLeaderEpochCountMax);
  }
  return epochs;
}

std::string LeaderEpochs::serialize() const {
  std::string text = checkpoint_preamble(entries_.size());
  for (const LeaderEpochEntry& entry : entries_) {
    text += std::to_string(entry.epoch.value);
    text += ' ';
    text += std::to_string(entry.start_offset.value);
    text += '\n';
  }
  return text;
}

Result<LeaderEpochs> LeaderEpochs::read(FileSystem& file_system, const std::string& directory) {
  const std::string path = join_path(directory, kLeaderEpochFileName);
  const auto text = TRY(read_file_if_exists(file_system, path, kLeaderEpochFileSizeMax));
  if (!text) return LeaderEpochs();
  return naming_file(path, parse(*text));
}

Result<void> LeaderEpochs::write(FileSystem& file_system, const std::string& directory) const {
  return replace_file(file_system, join_path(directory, kLeaderEpochFileName), serialize());
}

bool LeaderEpochs::assign(LeaderEpoch epoch, Offset start_offset) {
  CHECK(epoch.value >= 0 && start_offset.value >= 0);
  if (!entries_.empty() && epoch == entries_.back().epoch && start_offset >= entries_.back().start_offset)
    return false;
  while (!entries_.empty() &&
         (entries_.back().epoch >= epoch || entries_.back().start_offset >= start_offset)) {
    entries_.pop_back();
  }
  if (entries_.size() == kLeaderEpochCountMax) entries_.erase(entries_.begin());
  entries_.push_back({epoch, start_offset});
  return true;
}

std::optional<LeaderEpochEntry> LeaderEpochs::latest() const {
  if (entries_.empty()) return std::nullopt;
  return entries_.back();
}

std::optional<LeaderEpoch> LeaderEpochs::epoch_at(Offset offset) const {
  const auto after = std::upper_bound(entries_.begin(), entries_.end(), offset, starts_after);
  if (after == entries_.begin()) return std::nullopt;
  return std::prev(after)->epoch;
}

LeaderEpochs::End LeaderEpochs::end_offset_for(LeaderEpoch requested, Offset log_end) const {
  if (entries_.empty() || requested.value < 0) return {};
  if (requested == entries_.back().epoch) return {requested, log_end};
  const auto after = std::upper_bound(entries_.begin(), entries_.end(), requested, epoch_is_after);
  if (after == entries_.end()) return {};
  if (after == entries_.begin()) return {requested, after->start_offset};
  return {std::prev(after)->epoch, after->start_offset};
}

bool LeaderEpochs::truncate_from_end(Offset offset) {
  const auto size_before = entries_.size();
  while (!entries_.empty() && entries_.back().start_offset >= offset) entries_.pop_back();
  return entries_.size() != size_before;
}

bool LeaderEpochs::truncate_from_start(Offset offset) {
  const auto after = std::upper_bound(entries_.begin(), entries_.end(), offset, starts_after);
  if (after == entries_.begin()) return false;
  const auto holder = std::prev(after);
  if (holder == entries_.begin() && holder->start_offset == offset) return false;
  holder->start_offset = offset;
  entries_.erase(entries_.begin(), holder);
  return true;
}

void LeaderEpochs::check_invariants() const {
  CHECK(entries_.size() <= kLeaderEpochCountMax);
  for (std::size_t i = 0; i < entries_.size(); ++i) {
    CHECK(entries_[i].epoch.value >= 0 && entries_[i].start_offset.value >= 0);
    if (i == 0) continue;
    CHECK(entries_[i - 1].epoch < entries_[i].epoch);
    CHECK(entries_[i - 1].start_offset < entries_[i].start_offset);
  }
}

}  // namespace sillok::storage
