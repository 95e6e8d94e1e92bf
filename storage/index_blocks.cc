#include "storage/index_blocks.h"

#include <atomic>
#include <memory>

namespace sillok::storage {

std::uint64_t IndexBlocks::next_index_number() {
  static std::atomic<std::uint64_t> last{0};
  return last.fetch_add(1, std::memory_order_relaxed) + 1;
}

// Most threads never look anything up.
IndexBlocks& IndexBlocks::of_thread() {
  thread_local const auto blocks = std::make_unique_for_overwrite<IndexBlocks>();
  return *blocks;
}

}  // namespace sillok::storage
