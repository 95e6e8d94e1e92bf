#include "storage/partition_metadata.h"

#include "storage/text_file.h"

namespace sillok::storage {
namespace {

constexpr std::string_view kVersionKey = "version: ";
constexpr std::string_view kTopicIdKey = "topic_id: ";
constexpr std::string_view kVersion = "0";
constexpr ByteCount kFileSizeMax = 4096;

Error malformed(std::string_view what) { return {Errc::malformed, std::string(what)}; }

std::string_view take_line(std::string_view& text) {
  const std::size_t end = text.find('\n');
  const std::string_view line = text.substr(0, end);
  text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
  return line;
}

}  // namespace

std::string serialize_partition_metadata(const TopicId& topic_id) {
  std::string text(kVersionKey);
  text += kVersion;
  text += '\n';
  text += kTopicIdKey;
  text += topic_id.to_string();
  return text;
}

Result<TopicId> parse_partition_metadata(std::string_view text) {
  std::string_view version = take_line(text);
  std::string_view id = take_line(text);
  if (!text.empty()) return malformed("more than two lines");
  if (!version.starts_with(kVersionKey)) return malformed("line 1: not \"version: <number>\"");
  version.remove_prefix(kVersionKey.size());
  if (version != kVersion) {
    return Error{Errc::unsupported_version, "version " + std::string(version) + ", only 0 is known"};
  }
  if (!id.starts_with(kTopicIdKey)) return malformed("line 2: not \"topic_id: <id>\"");
  id.remove_prefix(kTopicIdKey.size());
  const auto topic_id = Uuid::parse(id);
  if (!topic_id || topic_id->is_zero()) return malformed("line 2: no topic id");
  return *topic_id;
}

Result<std::optional<TopicId>> read_partition_metadata(FileSystem& file_system,
                                                       const std::string& directory) {
  const std::string path = join_path(directory, kPartitionMetadataName);
  const auto text = TRY(read_file_if_exists(file_system, path, kFileSizeMax));
  if (!text) return std::optional<TopicId>();
  return std::optional<TopicId>(TRY(naming_file(path, parse_partition_metadata(*text))));
}

Result<void> write_partition_metadata(FileSystem& file_system, const std::string& directory,
                                      const TopicId& topic_id) {
  return replace_file(file_system, join_path(directory, kPartitionMetadataName),
                      serialize_partition_metadata(topic_id));
}

}  // namespace sillok::storage
