// A directory of its own for a test, removed with all that is in it.
#pragma once

#include <string>
#include <string_view>

namespace sillok::tests {

class TempDir {
 public:
  TempDir();
  ~TempDir();
  TempDir(const TempDir&) = delete;
  TempDir& operator=(const TempDir&) = delete;

  const std::string& path() const { return path_; }
  std::string path(std::string_view name) const;  // of something in it

 private:
  std::string path_;
};

}  // namespace sillok::tests
