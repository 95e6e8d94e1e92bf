#include "storage/partition_folder.h"

#include <algorithm>
#include <charconv>

namespace sillok::storage {
namespace {

constexpr std::string_view kDeletedFolderSuffix = "-delete";
constexpr std::string_view kFutureFolderSuffix = "-future";
constexpr std::size_t kUniqueDigits = 32;
constexpr std::size_t kFileNameSizeMax = 255;
constexpr std::string_view kHexDigits = "0123456789abcdef";

bool is_topic_character(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' || c == '_' ||
         c == '-';
}

// Decimal digits without a sign or needless zeros, so that a folder has one name only.
std::optional<PartitionIndex> parse_partition_index(std::string_view digits) {
  std::int32_t value = 0;
  const char* const end = digits.data() + digits.size();
  const auto parsed = std::from_chars(digits.data(), end, value);
  if (parsed.ec != std::errc() || parsed.ptr != end || value < 0) return std::nullopt;
  if (digits.size() > 1 && digits.front() == '0') return std::nullopt;
  return PartitionIndex(value);
}

// What follows the topic.
std::string unique_tail(PartitionIndex partition, const std::array<std::uint8_t, 16>& unique,
                        std::string_view suffix) {
  std::string tail = "-" + std::to_string(partition.value) + ".";
  for (const std::uint8_t byte : unique) {
    tail += kHexDigits[byte >> 4];
    tail += kHexDigits[byte & 15];
  }
  return tail += suffix;
}

std::optional<TopicPartition> parse_unique_folder(std::string_view name, std::string_view suffix) {
  if (name.size() < suffix.size() + kUniqueDigits + 1 || !name.ends_with(suffix)) return std::nullopt;
  const std::size_t digits_end = name.size() - suffix.size();
  const std::size_t dot = digits_end - kUniqueDigits - 1;
  const std::string_view digits = name.substr(dot + 1, kUniqueDigits);
  const bool all_hex = std::all_of(digits.begin(), digits.end(),
                                   [](char c) { return kHexDigits.find(c) != std::string_view::npos; });
  if (name[dot] != '.' || !all_hex) return std::nullopt;
  return parse_partition_folder(name.substr(0, dot));
}

}  // namespace

std::optional<TopicPartition> parse_partition_folder(std::string_view name) {
  const std::size_t dash = name.rfind('-');
  if (dash == std::string_view::npos || dash == 0 || dash > kTopicNameSizeMax) return std::nullopt;
  const std::string_view topic = name.substr(0, dash);
  if (!std::all_of(topic.begin(), topic.end(), is_topic_character) || topic == "." || topic == "..")
    return std::nullopt;
  const auto partition = parse_partition_index(name.substr(dash + 1));
  if (!partition) return std::nullopt;
  return TopicPartition{std::string(topic), *partition};
}

std::string partition_folder_name(const TopicPartition& name) {
  return name.topic + "-" + std::to_string(name.partition.value);
}

std::string deleted_folder_name(const TopicPartition& name, const std::array<std::uint8_t, 16>& unique) {
  const std::string tail = unique_tail(name.partition, unique, kDeletedFolderSuffix);
  return name.topic.substr(0, kFileNameSizeMax - tail.size()) + tail;
}

bool is_deleted_folder(std::string_view name) {
  return parse_unique_folder(name, kDeletedFolderSuffix).has_value();
}

std::optional<std::string> future_folder_name(const TopicPartition& name,
                                              const std::array<std::uint8_t, 16>& unique) {
  std::string folder = name.topic + unique_tail(name.partition, unique, kFutureFolderSuffix);
  if (folder.size() > kFileNameSizeMax) return std::nullopt;
  return folder;
}

std::optional<TopicPartition> parse_future_folder(std::string_view name) {
  return parse_unique_folder(name, kFutureFolderSuffix);
}

}  // namespace sillok::storage
