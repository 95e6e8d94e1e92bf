#include "storage/torn_tail.h"

#include <algorithm>

namespace sillok::storage {
namespace {

constexpr std::int64_t kCopySize = 1 << 20;

template <class Visitor>
Result<void> visit_range(const File& file, FilePosition begin, FilePosition end, const Visitor& visit) {
  Bytes buffer(static_cast<std::size_t>(std::clamp<std::int64_t>(end - begin, 0, kCopySize)));
  while (begin < end) {
    const auto wanted = static_cast<std::size_t>(std::min<std::int64_t>(end - begin, kCopySize));
    const std::size_t count = TRY(file.read_at(begin, MutableByteView(buffer).first(wanted)));
    if (count == 0) break;
    TRY(visit(ByteView(buffer.data(), count)));
    begin += static_cast<std::int64_t>(count);
  }
  return {};
}

}  // namespace

Result<void> copy_range(const File& from, FilePosition begin, FilePosition end, File& to,
                        FilePosition position) {
  return visit_range(from, begin, end, [&](ByteView bytes) -> Result<void> {
    const ByteView parts[] = {bytes};
    TRY(to.write_at(position, parts));
    position += static_cast<std::int64_t>(bytes.size());
    return {};
  });
}

Result<void> keep_aside(FileSystem& file_system, const File& file, FilePosition begin, FilePosition end,
                        const std::string& path) {
  bool only_zeros = true;
  TRY(visit_range(file, begin, end, [&](ByteView bytes) -> Result<void> {
    only_zeros =
        only_zeros && std::all_of(bytes.begin(), bytes.end(), [](std::byte b) { return b == std::byte{0}; });
    return {};
  }));
  if (only_zeros) return {};
  const auto copy = TRY(file_system.open(path, OpenMode::open_or_create));
  TRY(copy->truncate(FilePosition(0)));
  TRY(copy_range(file, begin, end, *copy, FilePosition(0)));
  return copy->sync_data();
}

}  // namespace sillok::storage
