#include "broker/metadata/known_directories.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "broker/metadata/metadata_records.h"
#include "storage/metadata_home.h"

namespace sillok::broker {
namespace {

using Known = std::vector<KnownDirectory>;

Result<Known> known_directories(MetadataStore& store) {
  Known known;
  for (const KeyValue& pair : TRY(store.range(kDirectoryKeyPrefix)))
    known.push_back({TRY(directory_id_in_key(pair.key)), TRY(decode_directory(pair.key, pair.value))});
  return known;
}

const KnownDirectory* find(const Known& known, const Uuid& id) {
  const auto found = std::ranges::find(known, id, &KnownDirectory::id);
  return found == known.end() ? nullptr : &*found;
}

Result<void> check(std::span<const OpenDirectory> open, const Known& known, std::span<const Uuid> lost) {
  for (const OpenDirectory& one : open) {
    if (std::ranges::find(lost, one.id) != lost.end()) {
      return Error{Errc::invalid_config, fmt::format("sillok.lost.log.dirs: {} is {}, which is there",
                                                     one.id.to_string(), one.path)};
    }
    const bool is_ours = !one.metadata_home || *one.metadata_home == open.front().id || find(known, one.id);
    if (!is_ours) {
      return Error{Errc::invalid_config,
                   fmt::format("log.dirs: {} belongs to a broker whose metadata is in the directory with "
                               "directory.id {}, which is not {}, the first of log.dirs. If that one and its "
                               "metadata are lost, remove {} from all log directories",
                               one.path, one.metadata_home->to_string(), open.front().path,
                               storage::kMetadataHomeName)};
    }
  }
  return {};
}

}  // namespace

Result<std::optional<Uuid>> known_id_of(MetadataStore& store, const OpenDirectory& directory) {
  const Known known = TRY(known_directories(store));
  const auto at_path = std::ranges::find(known, directory.path, &KnownDirectory::path);
  if (at_path == known.end() || find(known, directory.id)) return std::optional<Uuid>();
  return std::optional<Uuid>(at_path->id);
}

Result<DirectoryCensus> take_census(MetadataStore& store, std::span<const OpenDirectory> open,
                                    std::span<const Uuid> lost) {
  const Known known = TRY(known_directories(store));
  TRY(check(open, known, lost));
  DirectoryCensus census;
  MetadataStore::Transaction changes;
  for (const KnownDirectory& one : known) {
    if (std::ranges::find(open, one.id, &OpenDirectory::id) != open.end()) continue;
    if (std::ranges::find(lost, one.id) != lost.end()) {
      changes.deletes.push_back(directory_key(one.id));
      census.given_up.push_back(one);
    } else {
      census.missing.push_back(one);
    }
  }
  for (std::size_t i = 0; i < open.size(); ++i) {
    const KnownDirectory* const before = find(known, open[i].id);
    const bool is_stranger =
        before == nullptr &&
        std::ranges::find(census.missing, open[i].path, &KnownDirectory::path) != census.missing.end();
    if (is_stranger) {
      census.strangers.push_back(i);
    } else if (before == nullptr || before->path != open[i].path) {
      changes.puts.push_back({directory_key(open[i].id), encode_directory(open[i].path)});
    }
  }
  census.are_several = open.size() > 1 || !census.missing.empty() || !census.given_up.empty();
  if (!census.are_several) changes.puts.clear();
  if (changes.puts.empty() && changes.deletes.empty()) return census;
  const auto noted = store.txn(changes);
  if (!noted.ok()) return noted.error();
  return census;
}

Result<void> forget_directories(MetadataStore& store, std::span<const KnownDirectory> gone) {
  MetadataStore::Transaction changes;
  for (const KnownDirectory& directory : gone) changes.deletes.push_back(directory_key(directory.id));
  if (changes.deletes.empty()) return {};
  const auto forgotten = store.txn(changes);
  if (!forgotten.ok()) return forgotten.error();
  return {};
}

}  // namespace sillok::broker
