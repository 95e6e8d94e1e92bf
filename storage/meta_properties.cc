#include "storage/meta_properties.h"

#include <algorithm>
#include <cstdint>
#include <map>

#include "storage/text_file.h"

namespace sillok::storage {
namespace {

constexpr std::string_view kVersion = "1";
constexpr ByteCount kFileSizeMax = 64 * 1024;
// What Java's Properties.store() puts a backslash before.
constexpr std::string_view kEscaped = "\\:=#!";
constexpr std::string_view kSpace = " \t\f\r";

Error malformed(std::string what) { return {Errc::malformed, std::move(what)}; }

std::string escape(std::string_view value) {
  std::string text;
  for (const char c : value) {
    if (kEscaped.find(c) != std::string_view::npos) text += '\\';
    text += c;
  }
  return text;
}

// The text without backslashes, up to the first character of `ends` that has none before it; that much of
// `line` is taken away.
std::string take_unescaped(std::string_view& line, std::string_view ends) {
  std::string text;
  std::size_t i = 0;
  for (; i < line.size() && ends.find(line[i]) == std::string_view::npos; ++i) {
    if (line[i] == '\\' && i + 1 < line.size()) ++i;
    text += line[i];
  }
  line.remove_prefix(i);
  return text;
}

void skip(std::string_view& line, std::string_view characters) {
  line.remove_prefix(std::min(line.find_first_not_of(characters), line.size()));
}

std::map<std::string, std::string> parse_properties(std::string_view text) {
  std::map<std::string, std::string> values;
  while (!text.empty()) {
    const std::size_t end = text.find('\n');
    std::string_view line = text.substr(0, end);
    text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
    skip(line, kSpace);
    if (line.empty() || line.front() == '#' || line.front() == '!') continue;
    std::string name = take_unescaped(line, "=: \t\f\r");
    skip(line, kSpace);
    if (!line.empty() && (line.front() == '=' || line.front() == ':')) line.remove_prefix(1);
    skip(line, kSpace);
    if (!line.empty() && line.back() == '\r') line.remove_suffix(1);
    values[std::move(name)] = take_unescaped(line, "");
  }
  return values;
}

}  // namespace

std::string serialize_meta_properties(const MetaProperties& properties) {
  std::string text = "version=" + std::string(kVersion) + "\n";
  text += "cluster.id=" + escape(properties.cluster_id) + "\n";
  text += "node.id=" + std::to_string(properties.node_id.value) + "\n";
  if (properties.directory_id) text += "directory.id=" + properties.directory_id->to_string() + "\n";
  return text;
}

Result<MetaProperties> parse_meta_properties(std::string_view text) {
  const auto values = parse_properties(text);
  const auto value_of = [&](const char* name) -> std::string_view {
    const auto found = values.find(name);
    return found == values.end() ? std::string_view() : std::string_view(found->second);
  };
  const std::string_view version = value_of("version");
  if (version.empty()) return malformed("no version");
  if (version != kVersion) {
    return Error{Errc::unsupported_version, "version " + std::string(version) + ", only 1 is known"};
  }
  MetaProperties properties;
  properties.cluster_id = value_of("cluster.id");
  if (properties.cluster_id.empty()) return malformed("no cluster.id");
  const auto node_id = parse_decimal<std::int32_t>(value_of("node.id"));
  if (!node_id) return malformed("node.id is no number from 0 on");
  properties.node_id = BrokerId(*node_id);
  if (const std::string_view directory_id = value_of("directory.id"); !directory_id.empty()) {
    properties.directory_id = Uuid::parse(directory_id);
    if (!properties.directory_id) return malformed("directory.id is no id");
  }
  return properties;
}

Result<std::optional<MetaProperties>> read_meta_properties(FileSystem& file_system,
                                                           const std::string& directory) {
  const std::string path = join_path(directory, kMetaPropertiesName);
  const auto text = TRY(read_file_if_exists(file_system, path, kFileSizeMax));
  if (!text) return std::optional<MetaProperties>();
  return std::optional<MetaProperties>(TRY(naming_file(path, parse_meta_properties(*text))));
}

Result<void> write_meta_properties(FileSystem& file_system, const std::string& directory,
                                   const MetaProperties& properties) {
  return replace_file(file_system, join_path(directory, kMetaPropertiesName),
                      serialize_meta_properties(properties));
}

}  // namespace sillok::storage
