// The known name that somebody probably meant.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace sillok::broker {

// The nearest of `known` by edits (insert, delete, replace, swap of neighbours); nullopt where none is near
// enough to be meant.
std::optional<std::string_view> nearest_name(std::string_view name, std::span<const std::string_view> known);

// "; did you mean log.dirs?", or nothing.
std::string did_you_mean(std::string_view name, std::span<const std::string_view> known);

}  // namespace sillok::broker
