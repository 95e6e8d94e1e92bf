// A path as Kafka tells it, and as two of them are compared.
#pragma once

#include <string>

namespace sillok::broker {

// From the root, without "." and "..", and without a slash at the end. Symbolic links stay.
std::string absolute_path(const std::string& path);

}  // namespace sillok::broker
