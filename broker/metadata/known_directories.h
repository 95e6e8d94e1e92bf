// Which log directories this broker ever had, so that partitions that are not found can be told from
// partitions whose directory is not there.
#pragma once

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

// Durably adds those that are open to what the store knows, and tells those that it knows and that are not
// among them. With one directory, and none known, there is nothing to do.
Result<std::vector<KnownDirectory>> note_directories(MetadataStore& store,
                                                     std::span<const KnownDirectory> open);
// Nothing is missing that could be on them.
Result<void> forget_directories(MetadataStore& store, std::span<const KnownDirectory> gone);

}  // namespace sillok::broker
