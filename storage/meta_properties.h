// `meta.properties`: whose log directory this is. Layout: storage/FORMAT.md.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "protocol/base/ids.h"
#include "protocol/base/result.h"
#include "protocol/base/uuid.h"
#include "storage/file_system.h"

namespace sillok::storage {

inline constexpr std::string_view kMetaPropertiesName = "meta.properties";

struct MetaProperties {
  std::string cluster_id;
  BrokerId node_id;
  std::optional<Uuid> directory_id;  // Kafka before 3.7 wrote none
  friend bool operator==(const MetaProperties&, const MetaProperties&) = default;
};

std::string serialize_meta_properties(const MetaProperties& properties);
// A file of Java properties: any order, comments and unknown names are left out. Errc::malformed, or
// unsupported_version for other versions than 1.
Result<MetaProperties> parse_meta_properties(std::string_view text);

// nullopt where the file is missing.
Result<std::optional<MetaProperties>> read_meta_properties(FileSystem& file_system,
                                                           const std::string& directory);
// Durability: on disk when it returns.
Result<void> write_meta_properties(FileSystem& file_system, const std::string& directory,
                                   const MetaProperties& properties);

}  // namespace sillok::storage
