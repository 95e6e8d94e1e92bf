// What a fuzz target is: a decoder of bytes from the network or the disk, which may refuse any of them, but
// must neither break a promise (CHECK) nor read, write or compute what it must not (the sanitizers).
//
// Each *_fuzz.cc defines both functions. libfuzzer_main.cc makes a libFuzzer program of it (`./dev fuzz`),
// replay_main.cc a test that runs the seeds, what was once found (corpus/), and some changes of both.
#pragma once

#include <string>
#include <vector>

#include "protocol/base/bytes.h"

namespace sillok::fuzz {

void run(ByteView input);
// Inputs that are right, or nearly: what changes begin with.
std::vector<Bytes> seeds();

// ---- for targets ----

// Takes an input apart: choices from its front, and the rest.
class Choices {
 public:
  explicit Choices(ByteView input) : left_(input) {}
  // Below `count`; 0 where nothing is left.
  std::size_t choose(std::size_t count) {
    if (left_.empty()) return 0;
    const auto value = std::to_integer<std::size_t>(left_.front());
    left_ = left_.subspan(1);
    return value % count;
  }
  bool flip() { return choose(2) == 1; }
  ByteView rest() const { return left_; }
  // Up to the next 0xff 0x00 0xff, which parts the files of an input.
  ByteView next_part();

 private:
  ByteView left_;
};
inline constexpr std::byte kPartEnd[] = {std::byte{0xff}, std::byte{0x00}, std::byte{0xff}};

// A seed for Choices.
Bytes with_choices(std::initializer_list<std::uint8_t> choices, ByteView rest);
Bytes in_parts(const std::vector<Bytes>& parts);
Bytes bytes_of(std::string_view text);

// The golden files in a folder of tests/ whose names hold `part`, with their names.
struct Golden {
  std::string name;
  Bytes bytes;
};
std::vector<Golden> golden_files(const std::string& folder, const std::string& part);

// Gives every batch in `bytes` that is whole the checksum that fits it: else changes would stop there.
void renew_batch_crcs(MutableByteView bytes);

}  // namespace sillok::fuzz
