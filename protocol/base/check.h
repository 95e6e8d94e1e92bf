// Assertions about our own code. Never about bytes from the network or the disk: those get a Result.
#pragma once

#include <source_location>

namespace sillok {

// Prints the condition and the place on stderr, and aborts.
[[noreturn]] void check_failed(const char* condition,
                               std::source_location where = std::source_location::current());

}  // namespace sillok

// Always on: for what is cheap to test. Headers say SILLOK_CHECK, since Catch2 has a CHECK of its own; a test
// includes <catch2/catch.hpp> first, and CHECK is Catch2's there.
#define SILLOK_CHECK(condition) (static_cast<bool>(condition) ? void(0) : ::sillok::check_failed(#condition))
#ifndef CHECK
#define CHECK(condition) SILLOK_CHECK(condition)
#endif

// In debug and sanitizer builds only: may be O(n).
#ifdef NDEBUG
#define DCHECK(condition) (true ? void(0) : void(condition))
#else
#define DCHECK(condition) SILLOK_CHECK(condition)
#endif
