// A libFuzzer program of one target. With SILLOK_FUZZ_SEEDS=DIR it writes its seeds there, and ends.
#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "tests/fuzz/target.h"

extern "C" int LLVMFuzzerInitialize(int*, char***);
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);

int LLVMFuzzerInitialize(int*, char***) {
  const char* folder = std::getenv("SILLOK_FUZZ_SEEDS");
  if (folder == nullptr) return 0;
  std::filesystem::create_directories(folder);
  std::size_t number = 0;
  for (const sillok::Bytes& seed : sillok::fuzz::seeds()) {
    std::ofstream file(std::filesystem::path(folder) / ("seed-" + std::to_string(number++)),
                       std::ios::binary);
    file.write(reinterpret_cast<const char*>(seed.data()), static_cast<std::streamsize>(seed.size()));
  }
  std::exit(number > 0 ? EXIT_SUCCESS : EXIT_FAILURE);
}

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  sillok::fuzz::run({reinterpret_cast<const std::byte*>(data), size});
  return 0;
}
