// sillok topic create | list | describe | delete
#include <fmt/format.h>
#include <unistd.h>

#include <boost/program_options/value_semantic.hpp>
#include <cstdio>
#include <map>

#include "client/admin.h"
#include "client/cli/arguments.h"
#include "client/cli/commands.h"
#include "client/cli/suggest.h"
#include "client/cli/table.h"

namespace sillok::client {
namespace {

namespace po = boost::program_options;
using Words = std::span<const std::string>;

// One row per topic; whether all went well is in the exit code.
int print_results(const std::vector<TopicResult>& results) {
  Table table({"TOPIC", "STATUS"});
  bool all_ok = true;
  for (const TopicResult& one : results) {
    table.add({one.name, one.result.ok() ? "OK" : one.result.error().detail});
    all_ok = all_ok && one.result.ok();
  }
  fmt::print("{}", table.to_string());
  return all_ok ? kExitOk : kExitFailed;
}

int create(Words words) {
  CommandLine line{"sillok topic create", "TOPIC... [OPTIONS]",
                   "Creates topics; each gets a row with what became of it.",
                   "  sillok topic create orders\n"
                   "  sillok topic create orders returns -p 12 -c retention.ms=3600000\n",
                   1};
  line.options.add_options()("partitions,p",
                             po::value<std::int32_t>()->default_value(NewTopic::kBrokerDefault, "broker's"),
                             "number of partitions");
  line.options.add_options()("replication-factor,r",
                             po::value<std::int16_t>()->default_value(NewTopic::kBrokerDefault, "broker's"),
                             "copies of each partition");
  line.options.add_options()("config,c", po::value<std::vector<std::string>>(), "NAME=VALUE; repeatable");
  const auto arguments = parse_arguments(line, words);
  if (!arguments.ok()) return end_of_parse(line, arguments.error());
  NewTopic topic;
  topic.partitions = arguments->value<std::int32_t>("partitions");
  topic.replication_factor = arguments->value<std::int16_t>("replication-factor");
  if (arguments->has("config")) {
    for (const std::string& config : arguments->value<std::vector<std::string>>("config")) {
      const std::size_t equals = config.find('=');
      if (equals == std::string::npos)
        return usage_error(line, fmt::format("--config {}: NAME=VALUE", config));
      topic.configs.emplace_back(config.substr(0, equals), config.substr(equals + 1));
    }
  }
  const auto cluster = arguments->cluster();
  if (!cluster.ok()) return usage_error(line, cluster.error().detail);
  std::vector<NewTopic> topics;
  for (const std::string& name : arguments->words) {
    topic.name = name;
    topics.push_back(topic);
  }
  Admin admin(*cluster);
  const auto results = admin.create_topics(topics);
  return results.ok() ? print_results(*results) : failure(line, results.error().detail);
}

bool is_confirmed(const std::vector<std::string>& names) {
  if (::isatty(STDIN_FILENO) == 0) return true;
  fmt::print(stderr, "Delete {}, with all records? [y/N] ", fmt::join(names, ", "));
  const int answer = std::getchar();
  return answer == 'y' || answer == 'Y';
}

int remove(Words words) {
  CommandLine line{"sillok topic delete", "TOPIC... [OPTIONS]",
                   "Deletes topics and their records; each gets a row with what became of it.",
                   "  sillok topic delete orders\n"
                   "  sillok topic delete orders returns --yes\n",
                   1};
  line.options.add_options()("yes,y", "do not ask (a terminal is asked otherwise)");
  const auto arguments = parse_arguments(line, words);
  if (!arguments.ok()) return end_of_parse(line, arguments.error());
  const auto cluster = arguments->cluster();
  if (!cluster.ok()) return usage_error(line, cluster.error().detail);
  if (!arguments->has("yes") && !is_confirmed(arguments->words)) return failure(line, "nothing was deleted");
  Admin admin(*cluster);
  const auto results = admin.delete_topics(arguments->words);
  return results.ok() ? print_results(*results) : failure(line, results.error().detail);
}

int list(Words words) {
  CommandLine line{"sillok topic list",
                   "[OPTIONS]",
                   "Lists the topics with their partitions and replicas.",
                   "  sillok topic list\n  sillok topic list --internal -b broker-1:9092\n",
                   0,
                   0};
  line.options.add_options()("internal,i", "internal topics, too");
  const auto arguments = parse_arguments(line, words);
  if (!arguments.ok()) return end_of_parse(line, arguments.error());
  const auto cluster = arguments->cluster();
  if (!cluster.ok()) return usage_error(line, cluster.error().detail);
  Admin admin(*cluster);
  const auto topics = admin.list_topics();
  if (!topics.ok()) return failure(line, topics.error().detail);
  Table table({"NAME", "PARTITIONS", "REPLICAS"});
  for (const TopicInfo& topic : *topics) {
    if (topic.is_internal && !arguments->has("internal")) continue;
    const std::size_t replicas = topic.partitions.empty() ? 0 : topic.partitions[0].replicas.size();
    table.add({topic.name, std::to_string(topic.partitions.size()), std::to_string(replicas)});
  }
  fmt::print("{}", table.to_string());
  return kExitOk;
}

std::string join_ids(const std::vector<BrokerId>& ids) {
  std::string text;
  for (const BrokerId id : ids) text += fmt::format("{}{}", text.empty() ? "" : ",", id.value);
  return text;
}

void print_description(const TopicDescription& topic) {
  fmt::print("topic {}\nid {}\npartitions {}\n\n", topic.info.name, topic.info.id.to_string(),
             topic.info.partitions.size());
  Table partitions({"PARTITION", "LEADER", "EPOCH", "REPLICAS", "ISR", "BEGINNING", "END"});
  for (std::size_t i = 0; i < topic.info.partitions.size(); ++i) {
    const PartitionInfo& partition = topic.info.partitions[i];
    partitions.add({std::to_string(i), std::to_string(partition.leader.value),
                    std::to_string(partition.leader_epoch.value), join_ids(partition.replicas),
                    join_ids(partition.in_sync), std::to_string(topic.offsets[i].beginning.value),
                    std::to_string(topic.offsets[i].end.value)});
  }
  fmt::print("{}\n", partitions.to_string());
  static const std::map<protocol::ConfigSource, std::string> kSources = {
      {protocol::ConfigSource::topic_config, "topic"},
      {protocol::ConfigSource::dynamic_broker_config, "broker (dynamic)"},
      {protocol::ConfigSource::dynamic_default_broker_config, "cluster (dynamic)"},
      {protocol::ConfigSource::static_broker_config, "broker"},
      {protocol::ConfigSource::default_config, "default"},
  };
  Table configs({"CONFIG", "VALUE", "SOURCE"});
  for (const ConfigEntry& config : topic.configs) {
    const auto source = kSources.find(config.source);
    configs.add({config.name, config.value.value_or("-"), source == kSources.end() ? "-" : source->second});
  }
  fmt::print("{}", configs.to_string());
}

int describe(Words words) {
  CommandLine line{"sillok topic describe", "TOPIC... [OPTIONS]",
                   "Shows partitions with their offsets, and settings with where they come from.",
                   "  sillok topic describe orders\n", 1};
  const auto arguments = parse_arguments(line, words);
  if (!arguments.ok()) return end_of_parse(line, arguments.error());
  const auto cluster = arguments->cluster();
  if (!cluster.ok()) return usage_error(line, cluster.error().detail);
  Admin admin(*cluster);
  int code = kExitOk;
  for (const std::string& name : arguments->words) {
    const auto topic = admin.describe_topic(name);
    if (topic.ok()) {
      print_description(*topic);
    } else {
      code = failure(line, fmt::format("{}: {}", name, topic.error().detail));
    }
  }
  return code;
}

}  // namespace

int run_topic(std::span<const std::string> words) {
  static const std::map<std::string, int (*)(Words)> kVerbs = {
      {"create", create}, {"delete", remove}, {"describe", describe}, {"list", list}};
  static const std::vector<std::string> kNames = {"create", "delete", "describe", "list"};
  constexpr const char* kHelp =
      "sillok topic VERB [OPTIONS]\n\n"
      "  create TOPIC...    creates topics\n"
      "  list               lists them\n"
      "  describe TOPIC...  shows partitions, offsets and settings\n"
      "  delete TOPIC...    deletes topics and their records\n\n"
      "'sillok topic VERB --help' has the options and examples.\n";
  if (words.empty()) {
    fmt::print(stderr, "{}", kHelp);
    return kExitUsage;
  }
  if (words[0] == "--help" || words[0] == "-h" || words[0] == "help") {
    fmt::print("{}", kHelp);
    return kExitOk;
  }
  const auto verb = kVerbs.find(words[0]);
  if (verb != kVerbs.end()) return verb->second(words.subspan(1));
  fmt::print(stderr, "sillok topic: unknown verb '{}'{}\n", words[0], did_you_mean(words[0], kNames));
  return kExitUsage;
}

}  // namespace sillok::client
