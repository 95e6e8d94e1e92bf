#include "broker/absolute_path.h"

#include <filesystem>
#include <system_error>

namespace sillok::broker {

std::string absolute_path(const std::string& path) {
  std::error_code failed;
  const std::filesystem::path absolute = std::filesystem::absolute(path, failed);
  std::string normal = failed ? path : absolute.lexically_normal().string();
  if (normal.size() > 1 && normal.back() == '/') normal.pop_back();
  return normal;
}

}  // namespace sillok::broker
