#include "broker/documents.h"

#include <fmt/format.h>

#include "broker/dispatcher.h"
#include "broker/resource_configs.h"
#include "broker/settings.h"
#include "broker/topic_config.h"
#include "protocol/wire/describe.h"

namespace sillok::broker {
namespace {

// A cell of a table.
std::string cell(std::string_view text) {
  std::string escaped;
  for (const char c : text) {
    if (c == '|') escaped += '\\';
    escaped += c;
  }
  return escaped;
}

std::string code(const std::optional<std::string>& value) {
  if (!value) return "";
  return value->empty() ? "empty" : fmt::format("`{}`", cell(*value));
}

std::string row(std::string_view name, const ValueRule& rule, const std::optional<std::string>& value,
                std::string_view doc) {
  return fmt::format("| `{}` | {} | {} | {} | {} |\n", name, to_string(rule.type), code(value),
                     cell(describe_range(rule)), cell(doc));
}

constexpr std::string_view kHead = "| name | type | default | values | |\n|---|---|---|---|---|\n";

std::string setting_rows(Update update) {
  std::string text(kHead);
  for (const Setting& setting : settings()) {
    if (setting.has_effect && setting.update == update) {
      text += row(setting.name, setting.rule, default_value(setting), setting.doc);
    }
  }
  return text;
}

std::string topic_rows() {
  std::string text(kHead);
  const storage::LogConfig defaults = Config{}.log_defaults;
  for (const TopicConfig& config : topic_configs()) {
    const std::string value =
        config.text != nullptr ? config.text(defaults) : std::string(config.kept_default);
    text += row(config.name, config.rule, value, config.doc);
  }
  return text;
}

std::string resource_rows(ResourceKind kind) {
  std::string text(kHead);
  const LoadedConfig nothing_set;
  for (const ResourceConfig& config : resource_configs(kind)) {
    text += row(config.name, config.rule, default_value(config, nothing_set), config.doc);
  }
  return text;
}

}  // namespace

std::string api_document() {
  std::string text = "| Key | API | Versions | Flexible |\n|---|---|---|---|\n";
  for (const ApiEntry& api : api_table()) {
    text += fmt::format("| {} | {} | {} | {} |\n", static_cast<int>(api.key), to_string(api.key),
                        to_string(api.served), to_string(api.flexible));
  }
  return text;
}

std::string configuration_document() {
  std::string text =
      "# Configuration\n\n"
      "`sillokd --print-document configuration` writes this page (`./dev doc`). Settings come from a file "
      "of\n"
      "name=value lines, from variables (`KAFKA_LOG_DIRS` is `log.dirs`) and from `--set`; the later ones "
      "win.\n\n"
      "## Settings that a restart takes up\n";
  text += setting_rows(Update::at_start);
  text += "\n## Settings that can be altered while the broker runs, too\n";
  text += setting_rows(Update::live);
  text +=
      "\n## Topic configs\nThe default holds where neither the topic nor a setting of the broker "
      "says\notherwise.\n\n";
  text += topic_rows();
  text += "\n## Configs of groups\nKept for when there are groups.\n\n";
  text += resource_rows(ResourceKind::group);
  text += "\n## Configs of subscriptions to client metrics\n";
  text += resource_rows(ResourceKind::client_metrics);
  text += "\n## Known from Apache Kafka 4.3, and without effect here\n| name | |\n|---|---|\n";
  for (const Setting& setting : settings_without_effect()) {
    text += fmt::format("| `{}` | {} |\n", setting.name, cell(setting.doc));
  }
  text += "\n## Of other versions of Apache Kafka, and without effect here\n";
  for (std::string_view name : foreign_settings()) {
    text += fmt::format("- `{}{}`\n", name, name.ends_with('.') ? "*" : "");
  }
  return text;
}

std::optional<std::string> document_named(std::string_view name) {
  if (name == "protocol") return api_document();
  if (name == "configuration") return configuration_document();
  return std::nullopt;
}

}  // namespace sillok::broker
