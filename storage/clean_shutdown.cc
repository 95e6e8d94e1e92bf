#include "storage/clean_shutdown.h"

#include <algorithm>
#include <boost/json.hpp>
#include <boost/system/error_code.hpp>

#include "storage/checkpoint_file.h"
#include "storage/text_file.h"

namespace sillok::storage {
namespace {

constexpr std::string_view kVersionField = "version";
constexpr std::string_view kBrokerEpochField = "brokerEpoch";
constexpr std::string_view kIncarnationField = "sillok.incarnation";
constexpr std::int64_t kVersion = 0;
constexpr ByteCount kFileSizeMax = 64 * 1024;
// More starts than there can be: a greater number is damage.
constexpr std::int64_t kIncarnationMax = std::int64_t{1} << 62;

Error malformed(std::string what) { return {Errc::malformed, std::move(what)}; }

// nullopt where the field is missing.
Result<std::optional<std::int64_t>> integer_field(const boost::json::object& object, std::string_view name) {
  const boost::json::value* const value =
      object.if_contains(boost::json::string_view(name.data(), name.size()));
  if (value == nullptr) return std::optional<std::int64_t>();
  if (!value->is_int64()) return malformed(std::string(name) + " is no integer");
  return std::optional<std::int64_t>(value->get_int64());
}

Result<std::int64_t> parse_incarnation(std::string_view text) {
  const auto lines = TRY(parse_checkpoint_lines(text));
  if (lines.size() != 1) return malformed("one line expected");
  const auto number = parse_decimal<std::int64_t>(lines[0]);
  if (!number || *number == 0 || *number > kIncarnationMax) return malformed("no incarnation number");
  return *number;
}

std::string serialize_incarnation(std::int64_t number) {
  return checkpoint_preamble(1) + std::to_string(number) + '\n';
}

Result<void> overwrite_file(FileSystem& file_system, const std::string& path, std::string_view content) {
  const auto file = TRY(file_system.open(path, OpenMode::read_write));
  const ByteView part = as_bytes(content);
  TRY(file->write_at(FilePosition(0), {&part, 1}));
  TRY(file->truncate(FilePosition(static_cast<std::int64_t>(content.size()))));
  TRY(file->sync_data());
  return file_system.sync_directory(parent_path(path));
}

template <class T>
struct Found {
  std::optional<T> value;
  bool exists = false;  // the file, though it may be of no use
};

template <class T>
Result<Found<T>> read_or_warn(FileSystem& file_system, const std::string& path,
                              Result<T> (*parse)(std::string_view), std::vector<std::string>& warnings) {
  auto text = read_file(file_system, path, kFileSizeMax);
  if (!text.ok() && text.error().code == Errc::not_found) return Found<T>{};
  if (!text.ok() && text.error().code != Errc::too_large) return std::move(text).error();
  Result<T> value = text.ok() ? naming_file(path, parse(*text)) : Result<T>(text.error());
  if (value.ok()) return Found<T>{std::move(value).value(), true};
  warnings.push_back(value.error().describe() + "; the file is taken for absent");
  return Found<T>{std::nullopt, true};
}

}  // namespace

std::string serialize_clean_shutdown_mark(const CleanShutdownMark& mark) {
  boost::json::object object;
  const auto put = [&](std::string_view name, std::int64_t value) {
    object.emplace(boost::json::string_view(name.data(), name.size()), value);
  };
  put(kVersionField, kVersion);
  put(kBrokerEpochField, mark.broker_epoch);
  if (mark.incarnation) put(kIncarnationField, *mark.incarnation);
  return boost::json::serialize(object);
}

Result<CleanShutdownMark> parse_clean_shutdown_mark(std::string_view text) {
  boost::system::error_code failure;
  const auto value = boost::json::parse(boost::json::string_view(text.data(), text.size()), failure);
  if (failure) return malformed(failure.message());
  if (!value.is_object()) return malformed("not a JSON object");
  const auto& object = value.get_object();
  if (TRY(integer_field(object, kVersionField)) != kVersion) return malformed("not of version 0");
  CleanShutdownMark mark;
  mark.broker_epoch = TRY(integer_field(object, kBrokerEpochField)).value_or(-1);
  mark.incarnation = TRY(integer_field(object, kIncarnationField));
  if (mark.incarnation && (*mark.incarnation <= 0 || *mark.incarnation > kIncarnationMax)) {
    return malformed("no incarnation number");
  }
  return mark;
}

Result<StartedIncarnation> start_incarnation(FileSystem& file_system, const std::string& directory) {
  const std::string mark_path = join_path(directory, kCleanShutdownName);
  const std::string number_path = join_path(directory, kIncarnationName);
  StartedIncarnation started;
  const auto mark = TRY(read_or_warn(file_system, mark_path, &parse_clean_shutdown_mark, started.warnings));
  const auto number = TRY(read_or_warn(file_system, number_path, &parse_incarnation, started.warnings));
  if (mark.value && mark.value->incarnation) {
    started.was_clean = number.value == mark.value->incarnation;
  } else if (mark.value) {
    // Kafka's. It says nothing about runs of ours, which may have come after it.
    started.was_clean = !number.exists;
  }
  started.is_first_run = !number.exists;
  const std::int64_t mark_number = mark.value ? mark.value->incarnation.value_or(0) : 0;
  started.incarnation = std::max(number.value.value_or(0), mark_number) + 1;
  // Kafka's mark is good for Kafka even where it says nothing about us.
  if (started.was_clean || (mark.value && !mark.value->incarnation)) started.mark_as_it_was = mark.value;
  if (started.was_clean) started.mark_as_it_was->incarnation = started.incarnation;

  // The mark goes first, so that the one sync of the directory makes both durable, and Kafka, which knows no
  // incarnations, does not find an old mark either. A crash in between costs a scan at most: whatever comes
  // back of the mark then stands beside a number that is not its own, or that cannot be read.
  if (mark.exists) TRY(file_system.remove(mark_path));
  const std::string content = serialize_incarnation(started.incarnation);
  auto written = replace_file(file_system, number_path, content);
  // A full disk has no room for a second file, but keeps the first one's block. Half of the new content is no
  // number, and an absent number costs a scan at most.
  if (!written.ok() && written.error().code == Errc::no_space) {
    written = overwrite_file(file_system, number_path, content);
  }
  if (!written.ok()) return written.error();
  return started;
}

Result<void> write_clean_shutdown_mark(FileSystem& file_system, const std::string& directory,
                                       std::int64_t incarnation) {
  return write_clean_shutdown_mark(file_system, directory, CleanShutdownMark{-1, incarnation});
}

Result<void> write_clean_shutdown_mark(FileSystem& file_system, const std::string& directory,
                                       const CleanShutdownMark& mark) {
  return replace_file(file_system, join_path(directory, kCleanShutdownName),
                      serialize_clean_shutdown_mark(mark));
}

}  // namespace sillok::storage
