// Which log directories this broker ever had, so that partitions that are not found can be told from
// partitions whose directory is not there.
#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "broker/metadata/store.h"
#include "protocol/base/result.h"
#include "protocol/base/uuid.h"

namespace sillok::broker {

struct KnownDirectory {
  Uuid id;
  std::string path;  // when it was seen last
};

struct OpenDirectory {
  Uuid id;
  std::string path;  // absolute
  // Which directory has the metadata, as this one says (storage/metadata_home.h).
  std::optional<Uuid> metadata_home = {};
};

struct DirectoryCensus {
  std::vector<KnownDirectory> missing;
  std::vector<KnownDirectory> given_up;  // by this census
  // Those of `open`, by position, that lie where there was another one, which is missing: a mount point
  // without its disk, or a new disk.
  std::vector<std::size_t> strangers;
  // There are, or were, several: it matters in which of them a partition is.
  bool are_several = false;
};

// Compares those that are open, the one with the store first, with what the store knows, and durably adds
// them, but for strangers. `lost` are those that will never come back: the store forgets them. A first one
// that has another id than the store knows for its path is still the one: give it that id before
// (known_id_of()). Errc::invalid_config where one of the lost is open, or where one of the open is another
// broker's.
Result<DirectoryCensus> take_census(MetadataStore& store, std::span<const OpenDirectory> open,
                                    std::span<const Uuid> lost);
// nullopt: the store knows none at that path, or `id` is known.
Result<std::optional<Uuid>> known_id_of(MetadataStore& store, const OpenDirectory& directory);
// Nothing is missing that could be on them.
Result<void> forget_directories(MetadataStore& store, std::span<const KnownDirectory> gone);

}  // namespace sillok::broker
