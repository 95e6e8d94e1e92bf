#include "protocol/frame.h"

namespace sillok::protocol {

void skip_tagged_fields(Decoder& in) {
  const std::uint32_t count = in.unsigned_varint();
  if (count > kTaggedFieldsMax) return in.fail(Errc::too_large, "too many tagged fields");
  for (std::uint32_t i = 0; i < count && in.ok(); ++i) {
    in.unsigned_varint();
    in.bytes(in.unsigned_varint());
  }
}

}  // namespace sillok::protocol
