#include "broker/group_config.h"

namespace sillok::broker {
namespace {

constexpr std::string_view kOffsetReset = "share.auto.offset.reset";

constexpr ResourceConfig number(std::string_view name, std::int64_t min, std::string_view default_setting,
                                std::string_view min_setting, std::string_view max_setting,
                                std::string_view doc) {
  return {name, {ValueType::int32, at_least(min), {}}, {}, doc, default_setting, min_setting, max_setting};
}

constexpr ResourceConfig kGroupConfigs[] = {
    number("consumer.assignment.interval.ms", 0, "group.consumer.assignment.interval.ms",
           "group.consumer.min.assignment.interval.ms", "group.consumer.max.assignment.interval.ms",
           "The least time, in ms, between two assignments of a consumer group."),
    number("consumer.heartbeat.interval.ms", 1, "group.consumer.heartbeat.interval.ms",
           "group.consumer.min.heartbeat.interval.ms", "group.consumer.max.heartbeat.interval.ms",
           "How often, in ms, a member of a consumer group says that it is alive."),
    number("consumer.session.timeout.ms", 1, "group.consumer.session.timeout.ms",
           "group.consumer.min.session.timeout.ms", "group.consumer.max.session.timeout.ms",
           "How long, in ms, a member of a consumer group may be silent."),
    number("share.assignment.interval.ms", 0, "group.share.assignment.interval.ms",
           "group.share.min.assignment.interval.ms", "group.share.max.assignment.interval.ms",
           "The least time, in ms, between two assignments of a share group."),
    {kOffsetReset,
     {ValueType::text, {}, {}},
     "latest",
     "Where a share group begins: earliest, latest, or by_duration and an ISO 8601 duration."},
    number("share.delivery.count.limit", 1, "group.share.delivery.count.limit",
           "group.share.min.delivery.count.limit", "group.share.max.delivery.count.limit",
           "How many times a record is delivered to a share group."),
    number("share.heartbeat.interval.ms", 1, "group.share.heartbeat.interval.ms",
           "group.share.min.heartbeat.interval.ms", "group.share.max.heartbeat.interval.ms",
           "How often, in ms, a member of a share group says that it is alive."),
    {"share.isolation.level",
     {ValueType::text, {}, "read_committed|read_uncommitted"},
     "read_uncommitted",
     "Whether a share group reads records of transactions that are not committed."},
    number("share.partition.max.record.locks", 1, "group.share.partition.max.record.locks",
           "group.share.min.partition.max.record.locks", "group.share.max.partition.max.record.locks",
           "How many records of a partition a share group may have under way."),
    number("share.record.lock.duration.ms", 1, "group.share.record.lock.duration.ms",
           "group.share.min.record.lock.duration.ms", "group.share.max.record.lock.duration.ms",
           "How long, in ms, a record is lent to a member of a share group."),
    {"share.renew.acknowledge.enable",
     {ValueType::boolean, {}, {}},
     "true",
     "Whether a member of a share group may ask for more time with a record."},
    number("share.session.timeout.ms", 1, "group.share.session.timeout.ms",
           "group.share.min.session.timeout.ms", "group.share.max.session.timeout.ms",
           "How long, in ms, a member of a share group may be silent."),
    number("streams.assignment.interval.ms", 0, "group.streams.assignment.interval.ms",
           "group.streams.min.assignment.interval.ms", "group.streams.max.assignment.interval.ms",
           "The least time, in ms, between two assignments of a streams group."),
    number("streams.heartbeat.interval.ms", 1, "group.streams.heartbeat.interval.ms",
           "group.streams.min.heartbeat.interval.ms", "group.streams.max.heartbeat.interval.ms",
           "How often, in ms, a member of a streams group says that it is alive."),
    number("streams.initial.rebalance.delay.ms", 0, "group.streams.initial.rebalance.delay.ms", {}, {},
           "How long, in ms, the first assignment of a streams group waits for more members."),
    number("streams.num.standby.replicas", 0, "group.streams.num.standby.replicas", {},
           "group.streams.max.standby.replicas", "Standby copies of each task's state in a streams group."),
    number("streams.session.timeout.ms", 1, "group.streams.session.timeout.ms",
           "group.streams.min.session.timeout.ms", "group.streams.max.session.timeout.ms",
           "How long, in ms, a member of a streams group may be silent."),
};

// "PnDTnHnMn.nS" with one part at least, as java.time.Duration reads it, and not negative.
bool is_duration(std::string_view text) {
  if (!text.starts_with('P') && !text.starts_with('p')) return false;
  text.remove_prefix(1);
  std::string_view units = "DTHMS";
  bool has_part = false;
  while (!text.empty()) {
    if (text.front() == 'T' || text.front() == 't') {
      if (!units.starts_with("DT") && !units.starts_with('T')) return false;
      units = "HMS";
      text.remove_prefix(1);
      has_part = false;
      continue;
    }
    const std::size_t end = text.find_first_not_of("0123456789.");
    if (end == 0 || end == std::string_view::npos) return false;
    const char unit = text[end] >= 'a' ? static_cast<char>(text[end] - 'a' + 'A') : text[end];
    const std::size_t place = unit == 'T' ? std::string_view::npos : units.find(unit);
    if (place == std::string_view::npos) return false;
    const std::string_view digits = text.substr(0, end);
    if (unit == 'S' ? !parse_float(digits) : !parse_integer(digits)) return false;
    units.remove_prefix(place + 1);
    text.remove_prefix(end + 1);
    has_part = true;
  }
  return has_part;
}

}  // namespace

std::span<const ResourceConfig> group_configs() { return kGroupConfigs; }

std::optional<std::string> group_config_fault(std::string_view name, std::string_view value) {
  constexpr std::string_view kByDuration = "by_duration:";
  if (name != kOffsetReset) return std::nullopt;
  if (value == "earliest" || value == "latest") return std::nullopt;
  if (value.starts_with(kByDuration) && is_duration(value.substr(kByDuration.size()))) return std::nullopt;
  return "must be earliest, latest or like by_duration:P1DT2H";
}

}  // namespace sillok::broker
