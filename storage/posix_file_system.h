// The FileSystem of the machine.
#pragma once

#include <memory>

#include "storage/file_system.h"

namespace sillok::storage {

// Threading: any thread, as FileSystem demands; holds no state but what the kernel was found to be able to
// do.
std::unique_ptr<FileSystem> make_posix_file_system();

}  // namespace sillok::storage
