#include "tests/support/temp_dir.h"

#include <cstdlib>
#include <filesystem>
#include <system_error>

#include "protocol/base/check.h"
#include "storage/file_system.h"

namespace sillok::tests {

TempDir::TempDir() {
  path_ = (std::filesystem::temp_directory_path() / "sillok-test-XXXXXX").string();
  CHECK(::mkdtemp(path_.data()) != nullptr);
}

TempDir::~TempDir() {
  std::error_code ignored;
  std::filesystem::remove_all(path_, ignored);
}

std::string TempDir::path(std::string_view name) const { return storage::join_path(path_, name); }

}  // namespace sillok::tests
