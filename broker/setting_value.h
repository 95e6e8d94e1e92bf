// Values of settings and of topic configs as people write them: types, ranges, and how Kafka reads them.
#pragma once

#include <concepts>
#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace sillok::broker {

// A class name is a text to us; a password is one that is never told.
enum class ValueType { boolean, int16, int32, int64, float64, text, list, class_name, password };

// Kafka's words: "boolean", "short", "int", "long", "double", "string", "list", "class", "password".
const char* to_string(ValueType type);

struct ValueRange {
  std::int64_t min = std::numeric_limits<std::int64_t>::min();
  std::int64_t max = std::numeric_limits<std::int64_t>::max();
};
constexpr ValueRange at_least(std::int64_t min) { return {min, std::numeric_limits<std::int64_t>::max()}; }

// What a value may be.
struct ValueRule {
  ValueType type = ValueType::text;
  ValueRange range;               // of numbers, beside that of the type
  std::string_view choices = {};  // "a|b": the values of a text, or the elements of a list; empty: any
};

// Why `text` is no value of the rule ("must be at least 1"); nullopt where it is one.
std::optional<std::string> value_fault(const ValueRule& rule, std::string_view text);
// A value of the rule as Kafka prints it once it is understood: " 7 " is 7, "TRUE" is true, "a, b" is a,b.
std::string normalized(const ValueRule& rule, std::string_view text);
// "1 to 10000", "at least 1", "a, b or c"; empty where everything of the type is fine.
std::string describe_range(const ValueRule& rule);

// Space around values does not count. nullopt where the text is no such value.
std::optional<bool> parse_boolean(std::string_view text);
std::optional<std::int64_t> parse_integer(std::string_view text);
std::optional<double> parse_float(std::string_view text);
// "a, b" is {a, b}; the empty text is the empty list.
std::vector<std::string_view> parse_list(std::string_view text);
// Not of a text that is gone when the elements are looked at.
template <std::same_as<std::string> Text>
std::vector<std::string_view> parse_list(Text&&) = delete;
std::string_view trim(std::string_view text);

// For messages: what somebody sent, cut to a size that every answer can carry.
std::string excerpt(std::string_view text);

}  // namespace sillok::broker
