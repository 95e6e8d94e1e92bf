// "Did you mean": the nearest of some names.
#pragma once

#include <span>
#include <string>
#include <string_view>

namespace sillok::client {

// The candidate that is at most a third of its length of edits away, or empty.
std::string nearest(std::string_view word, std::span<const std::string> candidates);

// "; did you mean 'partitions'?", or nothing.
std::string did_you_mean(std::string_view word, std::span<const std::string> candidates);

}  // namespace sillok::client
