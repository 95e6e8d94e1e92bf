#include "tests/fuzz/target.h"

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>

#include "protocol/base/check.h"
#include "protocol/record_batch_view.h"
#include "tests/support/batches.h"

namespace sillok::fuzz {

ByteView Choices::next_part() {
  const auto end = std::search(left_.begin(), left_.end(), std::begin(kPartEnd), std::end(kPartEnd));
  const auto size = static_cast<std::size_t>(end - left_.begin());
  const ByteView part = left_.first(size);
  left_ = left_.subspan(std::min(left_.size(), size + std::size(kPartEnd)));
  return part;
}

Bytes with_choices(std::initializer_list<std::uint8_t> choices, ByteView rest) {
  Bytes seed;
  for (const std::uint8_t choice : choices) seed.push_back(std::byte{choice});
  seed.insert(seed.end(), rest.begin(), rest.end());
  return seed;
}

Bytes in_parts(const std::vector<Bytes>& parts) {
  Bytes seed;
  for (const Bytes& part : parts) {
    seed.insert(seed.end(), part.begin(), part.end());
    seed.insert(seed.end(), std::begin(kPartEnd), std::end(kPartEnd));
  }
  return seed;
}

Bytes bytes_of(std::string_view text) {
  const ByteView view = as_bytes(text);
  return {view.begin(), view.end()};
}

std::vector<Golden> golden_files(const std::string& folder, const std::string& part) {
  std::vector<Golden> found;
  const std::filesystem::path path = std::filesystem::path(SILLOK_SOURCE_DIR) / "tests" / folder;
  for (const auto& entry : std::filesystem::directory_iterator(path)) {
    const std::string name = entry.path().filename().string();
    if (!name.ends_with(".hex") || name.find(part) == std::string::npos) continue;
    std::ifstream file(entry.path());
    const std::string text{std::istreambuf_iterator<char>(file), {}};
    found.push_back({name, tests::from_hex(text)});
  }
  std::ranges::sort(found, {}, &Golden::name);
  CHECK(!found.empty());
  return found;
}

void renew_batch_crcs(MutableByteView bytes) {
  while (bytes.size() >= protocol::kRecordBatchHeaderSize) {
    const auto header = protocol::parse_record_batch_header(bytes);
    if (!header.ok() || header->size() > bytes.size()) return;
    tests::renew_crc(bytes.first(header->size()));
    bytes = bytes.subspan(header->size());
  }
}

}  // namespace sillok::fuzz
