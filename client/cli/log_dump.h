// `sillok log dump FILE_OR_DIRECTORY... [--records] [--verify]`: prints log files, offline.
#pragma once

#include <span>
#include <string>

namespace sillok::client {

// What follows `log dump`. Returns the exit code: 0, 1 where something is wrong with the files, 2 for the
// arguments.
int run_log_dump(std::span<const std::string> arguments);

}  // namespace sillok::client
