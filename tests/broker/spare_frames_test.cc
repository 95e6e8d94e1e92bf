#include "broker/spare_frames.h"

#include <catch2/catch.hpp>
#include <utility>

using namespace sillok;
using namespace sillok::broker;

TEST_CASE("spare frames: one that was kept comes back empty, with its memory") {
  OutgoingFrame frame = take_spare_frame(kUsualAnswerBytes);
  CHECK(frame.bytes.capacity() >= kUsualAnswerBytes);
  frame.bytes.resize(100);
  frame.files.push_back({});
  const std::byte* const memory = frame.bytes.data();
  keep_spare_frame(std::move(frame));
  const OutgoingFrame again = take_spare_frame(10);
  CHECK(again.bytes.empty());
  CHECK(again.files.empty());
  CHECK(again.bytes.data() == memory);
}

TEST_CASE("spare frames: a long one is not kept") {
  OutgoingFrame longer;
  longer.bytes.reserve(kSpareFrameBytesMax + 1);
  keep_spare_frame(std::move(longer));
  CHECK(take_spare_frame(kUsualAnswerBytes + 1).bytes.capacity() <= kSpareFrameBytesMax);
}

TEST_CASE("spare frames: short answers do not get the memory of long ones") {
  OutgoingFrame longer = take_spare_frame(20'000);
  const std::byte* const memory = longer.bytes.data();
  keep_spare_frame(std::move(longer));
  const OutgoingFrame shorter = take_spare_frame(kUsualAnswerBytes);
  CHECK(shorter.bytes.data() != memory);
  CHECK(take_spare_frame(20'000).bytes.data() == memory);
}
