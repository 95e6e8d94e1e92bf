#include "broker/metadata/topic_names.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>

#include "broker/metadata/topics.h"
#include "broker/random_uuid.h"

namespace sillok::broker {
namespace {

bool is_legal(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' || c == '_' ||
         c == '-';
}

}  // namespace

std::optional<std::string> topic_name_fault(std::string_view name) {
  if (name.empty()) return "the topic name is empty";
  if (name == "." || name == "..") return "the topic name cannot be '.' or '..'";
  if (name.size() > kTopicNameSizeMax) {
    return fmt::format("the topic name is {} characters long, more than {}", name.size(), kTopicNameSizeMax);
  }
  if (!std::ranges::all_of(name, is_legal)) {
    return "the topic name has characters other than ASCII letters, digits, '.', '_' and '-'";
  }
  return std::nullopt;
}

std::string collision_name(std::string_view name) {
  std::string changed(name);
  std::ranges::replace(changed, '.', '_');
  return changed;
}

bool may_collide(std::string_view name) { return name.find_first_of("._") != std::string_view::npos; }

TopicId new_topic_id() { return random_uuid(); }

std::map<std::string, std::string> adopted_topic_configs(std::string_view name) {
  if (name == "__consumer_offsets" || name == "__transaction_state") return {{"cleanup.policy", "compact"}};
  if (name == "__share_group_state") return {{"cleanup.policy", "delete"}, {"retention.ms", "-1"}};
  return {{"retention.bytes", "-1"}, {"retention.ms", "-1"}};
}

}  // namespace sillok::broker
