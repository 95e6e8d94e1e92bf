// Files of name=value lines, as Java's Properties reads them: comments begin with # or !, '=' ':' or space
// ends a name, a backslash at the end of a line continues it, and \t \n \r \f \uXXXX stand for what they
// name.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "protocol/base/result.h"

namespace sillok::broker {

struct Property {
  std::string name;
  std::string value;  // UTF-8
  int line = 0;       // where it begins, from 1
};

// In the order of the file; a name may come more than once. Errc::malformed for a \u without four hexadecimal
// digits.
Result<std::vector<Property>> parse_properties(std::string_view content);

// Errc::invalid_config where the file cannot be read, or is no such file; the text names it.
Result<std::vector<Property>> read_properties(const std::string& path);

}  // namespace sillok::broker
