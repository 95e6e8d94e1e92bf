#pragma once

namespace sillok::broker {

inline constexpr const char* kVersion = "0.1.0";

}  // namespace sillok::broker
