#include "broker/metadata/known_directories.h"

#include <algorithm>
#include <utility>

#include "broker/metadata/metadata_records.h"

namespace sillok::broker {

Result<std::vector<KnownDirectory>> note_directories(MetadataStore& store,
                                                     std::span<const KnownDirectory> open) {
  std::vector<KnownDirectory> missing;
  MetadataStore::Transaction changes;
  for (const KnownDirectory& directory : open)
    changes.puts.push_back({directory_key(directory.id), encode_directory(directory.path)});
  for (const KeyValue& pair : TRY(store.range(kDirectoryKeyPrefix))) {
    KnownDirectory known{TRY(directory_id_in_key(pair.key)), TRY(decode_directory(pair.key, pair.value))};
    std::erase_if(changes.puts, [&](const MetadataStore::Put& put) {
      return put.key == pair.key && put.value == pair.value;
    });
    const bool is_open =
        std::ranges::any_of(open, [&](const KnownDirectory& one) { return one.id == known.id; });
    if (!is_open) missing.push_back(std::move(known));
  }
  if (changes.puts.empty() || (open.size() <= 1 && missing.empty())) return missing;
  const auto noted = store.txn(changes);
  if (!noted.ok()) return noted.error();
  return missing;
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
