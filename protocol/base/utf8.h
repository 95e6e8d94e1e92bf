// Which bytes are text.
#pragma once

#include <cstddef>
#include <string_view>

namespace sillok {

// The size of the UTF-8 sequence that `text` begins with; 0 where it begins with none. RFC 3629, section 4.
std::size_t utf8_size(std::string_view text);
bool is_utf8(std::string_view text);

}  // namespace sillok
