// What a request that is under way keeps of its message, in memory that comes with it.
#pragma once

#include <array>
#include <cstddef>
#include <cstring>
#include <memory_resource>
#include <string_view>

namespace sillok::broker {

// The first `kInline` bytes need no allocation. All is given back at once, at the end.
template <std::size_t kInline>
class RequestMemory {
 public:
  RequestMemory() = default;
  RequestMemory(const RequestMemory&) = delete;
  RequestMemory& operator=(const RequestMemory&) = delete;

  std::pmr::memory_resource* resource() { return &arena_; }
  // A copy of the text.
  std::string_view keep(std::string_view text) {
    if (text.empty()) return {};
    char* const place = static_cast<char*>(arena_.allocate(text.size(), 1));
    std::memcpy(place, text.data(), text.size());
    return {place, text.size()};
  }

 private:
  alignas(std::max_align_t) std::array<std::byte, kInline> first_;
  std::pmr::monotonic_buffer_resource arena_{first_.data(), first_.size()};
};

}  // namespace sillok::broker
