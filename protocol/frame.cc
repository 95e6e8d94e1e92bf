#include "protocol/frame.h"

namespace sillok::protocol {

void skip_tagged_fields(Decoder& in) {
  const std::uint32_t count = in.unsigned_varint();
  if (count > kTaggedFieldsMax) return in.fail(Errc::too_large, "too many tagged fields");
  std::int64_t previous_tag = -1;
  for (std::uint32_t i = 0; i < count && in.ok(); ++i) {
    const std::optional<TaggedFieldHead> head = in.tagged_field(previous_tag);
    if (!head) return;
    previous_tag = head->tag;
    in.bytes(head->size);
  }
}

}  // namespace sillok::protocol
