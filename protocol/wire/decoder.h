// Reads the primitive values of messages from a frame.
#pragma once

#include <algorithm>
#include <concepts>
#include <cstdint>
#include <optional>
#include <string_view>

#include "protocol/base/bytes.h"
#include "protocol/base/result.h"
#include "protocol/base/uuid.h"
#include "protocol/wire/schema.h"

namespace sillok::protocol {

// How much memory the arrays of one decoded message may take: many tiny elements decode to far more than
// their bytes.
struct DecodeBudget {
  static constexpr std::size_t kBase = 1 << 20;
  static constexpr std::size_t kPerByte = 8;
  static constexpr std::size_t kMax = 64 << 20;  // a million partitions of a fetch request
  std::size_t bytes;

  static constexpr DecodeBudget for_frame(std::size_t frame_size) {
    return {std::min(kMax, kBase + kPerByte * frame_size)};
  }
};

struct TaggedFieldHead {
  std::uint32_t tag;
  std::size_t size;
};

// Threading: not thread-safe.
// Failure: sticky. The first bad byte sets the error, and from then on every read gives a zero value and the
//   walk stays linear; the caller looks at ok() once, at the end.
// Lifetime: strings and bytes that it gives are views into the frame.
class Decoder {
 public:
  explicit Decoder(ByteView frame) : Decoder(frame, DecodeBudget::for_frame(frame.size())) {}
  Decoder(ByteView frame, DecodeBudget budget) : left_(frame), budget_(budget.bytes) {}

  bool ok() const { return !failed_; }
  ByteView left() const { return left_; }
  std::size_t budget_left() const { return budget_; }
  // ok() and nothing left, or why not.
  Result<void> finish() const;

  template <std::integral T>
  T integer() {
    if (left_.size() < sizeof(T)) {
      fail(Errc::truncated, "a message ends inside an integer");
      return T{};
    }
    const T value = load_big_endian<T>(left_.data());
    left_ = left_.subspan(sizeof(T));
    return value;
  }
  bool boolean() { return integer<std::int8_t>() != 0; }
  double float64();
  Uuid uuid();
  std::uint32_t unsigned_varint() {
    if (left_.empty() || static_cast<std::uint8_t>(left_[0]) >= 0x80) return long_varint();
    const auto value = static_cast<std::uint32_t>(left_[0]);
    left_ = left_.subspan(1);
    return value;
  }
  // `size` bytes, viewed.
  ByteView bytes(std::size_t size) {
    if (left_.size() < size) {
      fail(Errc::truncated, "a message ends inside a value");
      return {};
    }
    const ByteView value = left_.first(size);
    left_ = left_.subspan(size);
    return value;
  }

  // The length of a string or of bytes; nullopt is null. A string's classic length has 16 bits, that of
  // bytes 32.
  std::optional<std::size_t> string_size(bool flexible);
  std::optional<std::size_t> bytes_size(bool flexible);
  // The number of elements of an array; nullopt is null. Checked against the bytes left, each element having
  // at least `element_wire_size_min` of them, and charged to the budget with `element_memory` each.
  std::optional<std::size_t> array_count(bool flexible, std::size_t element_wire_size_min,
                                         std::size_t element_memory);

  // The tag and size before a tagged field; nullopt after an error. Tags rise; the field's bytes are there.
  std::optional<TaggedFieldHead> tagged_field(std::int64_t previous_tag);

  void fail(Errc code, const char* what);

 private:
  std::uint32_t long_varint();
  std::optional<std::size_t> checked_size(std::int64_t size);

  ByteView left_;
  std::size_t budget_;
  bool failed_ = false;
  Errc code_{};
  const char* what_ = "";
};

}  // namespace sillok::protocol
