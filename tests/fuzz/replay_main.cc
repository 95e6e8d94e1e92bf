// A test of one target, without a fuzzer: its seeds, the files of its corpus (the arguments), and changes of
// both by a generator that is always the same.
#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <random>

#include "tests/fuzz/target.h"

namespace {

using sillok::Bytes;

// Spread over all inputs, however many there are.
constexpr std::size_t kChangesOfEachMax = 20;
constexpr std::size_t kChangesMax = 4000;

std::vector<Bytes> files_of(const std::filesystem::path& folder) {
  std::vector<Bytes> found;
  if (!std::filesystem::is_directory(folder)) return found;
  for (const auto& entry : std::filesystem::directory_iterator(folder)) {
    std::ifstream file(entry.path(), std::ios::binary);
    const std::string text{std::istreambuf_iterator<char>(file), {}};
    found.push_back(sillok::fuzz::bytes_of(text));
  }
  return found;
}

// A few bytes set, or an end cut off.
Bytes changed(Bytes input, std::mt19937& random) {
  const auto below = [&](std::size_t count) {
    return std::uniform_int_distribution<std::size_t>(0, count - 1)(random);
  };
  if (input.empty()) return input;
  if (below(4) == 0) input.resize(below(input.size()));
  for (std::size_t i = 0; i < 3 && !input.empty(); ++i) {
    constexpr std::uint8_t kTelling[] = {0x00, 0x01, 0x7f, 0x80, 0xff};
    const bool tells = below(2) == 0;
    input[below(input.size())] =
        std::byte{tells ? kTelling[below(5)] : static_cast<std::uint8_t>(below(256))};
  }
  return input;
}

void replay(int argc, char** argv) {
  std::vector<Bytes> inputs = sillok::fuzz::seeds();
  for (int i = 1; i < argc; ++i) {
    for (Bytes& found : files_of(argv[i])) inputs.push_back(std::move(found));
  }
  inputs.emplace_back();
  std::mt19937 random(1);
  const std::size_t changes_of_each =
      std::clamp<std::size_t>(kChangesMax / inputs.size(), 1, kChangesOfEachMax);
  for (const Bytes& input : inputs) {
    sillok::fuzz::run(input);
    for (std::size_t i = 0; i < changes_of_each; ++i) sillok::fuzz::run(changed(input, random));
  }
  std::printf("%zu inputs, %zu changes of each\n", inputs.size(), changes_of_each);
}

}  // namespace

int main(int argc, char** argv) {
  try {
    replay(argc, argv);
  } catch (const std::exception& error) {
    std::fprintf(stderr, "%s\n", error.what());
    return EXIT_FAILURE;
  }
  return EXIT_SUCCESS;
}
