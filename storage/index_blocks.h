// The blocks of index files that a thread read last: a reader that goes on, or many that follow each other,
// ask for the same one again and again.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include "protocol/base/bytes.h"
#include "protocol/base/result.h"

namespace sillok::storage {

// Entries of one block of an index file.
inline constexpr std::size_t kIndexBlockEntries = 512;
inline constexpr std::size_t kIndexBlockBytesMax = kIndexBlockEntries * 12;

// Threading: one object a thread, of_thread(), so that a lookup waits for nobody.
class IndexBlocks {
 public:
  // Names bytes that never change: what replaces an index's entries gives it another number.
  struct Key {
    std::uint64_t index = 0;  // next_index_number()
    std::uint64_t block = 0;
    std::size_t size = 0;  // of the block, in bytes: the last one of a file grows

    bool operator==(const Key&) const = default;
  };

  // Never 0, never the same twice.
  static std::uint64_t next_index_number();
  static IndexBlocks& of_thread();

  // The block's bytes, valid until the next get(); `read` fills them where they are not kept.
  // Errors: those of `read`.
  template <class Read>
  Result<const std::byte*> get(const Key& key, const Read& read) {
    Slot& slot = slots_[(key.index + key.block) % slots_.size()];
    if (slot.key != key) {
      slot.key = Key();
      TRY(read(MutableByteView(slot.bytes).first(key.size)));
      slot.key = key;
    }
    return slot.bytes.data();
  }

 private:
  struct Slot {
    Key key;
    std::array<std::byte, kIndexBlockBytesMax> bytes;
  };

  std::array<Slot, 16> slots_;
};

}  // namespace sillok::storage
