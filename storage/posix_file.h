// An open file of the machine. Used by storage/posix_file_system.h alone.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "storage/file_system.h"

namespace sillok::storage {

// What `errno` says about `call` on `path`; the one place where it becomes an Errc.
Error posix_error(std::string_view call, const std::string& path, int error_number);

// Closes the descriptor in the end.
std::shared_ptr<File> make_posix_file(int descriptor, const std::string& path);

}  // namespace sillok::storage
