// sillok: the command line.
#include <fmt/format.h>

#include <cstdio>
#include <exception>
#include <string>
#include <vector>

#include "client/cli/arguments.h"
#include "client/cli/commands.h"

int main(int argc, char** argv) {
  try {
    return sillok::client::run_program(std::vector<std::string>(argv + 1, argv + argc));
  } catch (const std::exception& error) {
    fmt::print(stderr, "sillok: {}\n", error.what());
    return sillok::client::kExitFailed;
  }
}
