#include "protocol/wire/encoder.h"

#include <algorithm>
#include <cstring>

#include "protocol/base/varint.h"

namespace sillok::protocol {
namespace {

// The buffer is made longer by steps: at least this, and half of what is there; but memory that it has is
// used up first.
constexpr std::size_t kGrowMin = 256;

}  // namespace

Result<void> Encoder::finish() {
  out_.resize(position_);
  if (error_ != nullptr) return Error{Errc::unsupported_version, error_};
  return {};
}

void Encoder::truncate(std::size_t size) {
  CHECK(size <= position_);
  position_ = size;
  out_.resize(size);
  while (!holes_.empty() && holes_.back().position > size) holes_.pop_back();
  error_ = nullptr;
}

void Encoder::grow(std::size_t size) {
  const std::size_t needed = position_ + size;
  const std::size_t wanted = needed + std::max(kGrowMin, position_ / 2);
  out_.resize(needed <= out_.capacity() ? std::min(wanted, out_.capacity()) : wanted);
}

void Encoder::large_bytes(ByteView value) {
  out_.resize(position_);
  out_.insert(out_.end(), value.begin(), value.end());
  position_ = out_.size();
}

std::size_t Encoder::begin_sized() {
  claim(1);  // nearly all tagged fields are below 128 bytes
  return position_;
}

void Encoder::end_sized(std::size_t start) {
  if (!holes_.empty() && holes_.back().position >= start) return fail("records inside a tagged field");
  const std::size_t size = position_ - start;
  if (size >= 0x7fffffff) return fail("a tagged field is longer than 2 GiB");
  const std::size_t more = unsigned_varint_size(size) - 1;
  if (more > 0) {
    claim(more);
    std::byte* const from = out_.data() + start;
    std::memmove(from + more, from, size);
  }
  const std::size_t end = position_;
  position_ = start - 1;
  unsigned_varint(static_cast<std::uint32_t>(size));
  position_ = end;
}

}  // namespace sillok::protocol
