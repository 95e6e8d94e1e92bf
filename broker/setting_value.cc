#include "broker/setting_value.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <charconv>
#include <cmath>

namespace sillok::broker {
namespace {

constexpr std::size_t kExcerptSizeMax = 200;

ValueRange range_of(const ValueRule& rule) {
  ValueRange range = rule.range;
  if (rule.type == ValueType::int16) {
    range.min = std::max<std::int64_t>(range.min, std::numeric_limits<std::int16_t>::min());
    range.max = std::min<std::int64_t>(range.max, std::numeric_limits<std::int16_t>::max());
  } else if (rule.type == ValueType::int32) {
    range.min = std::max<std::int64_t>(range.min, std::numeric_limits<std::int32_t>::min());
    range.max = std::min<std::int64_t>(range.max, std::numeric_limits<std::int32_t>::max());
  }
  return range;
}

bool is_choice(std::string_view choices, std::string_view value) {
  for (;;) {
    const std::size_t end = choices.find('|');
    if (choices.substr(0, end) == value) return true;
    if (end == std::string_view::npos) return false;
    choices.remove_prefix(end + 1);
  }
}

std::string list_choices(std::string_view choices) {
  std::string text;
  for (;;) {
    const std::size_t end = choices.find('|');
    if (!text.empty()) text += end == std::string_view::npos ? " or " : ", ";
    text += choices.substr(0, end);
    if (end == std::string_view::npos) return text;
    choices.remove_prefix(end + 1);
  }
}

// `Number` is the type to compare in.
template <class Number>
std::optional<std::string> number_fault(const ValueRange& range, Number value) {
  if (range.min != ValueRange{}.min && value < static_cast<Number>(range.min))
    return fmt::format("must be at least {}", range.min);
  if (range.max != ValueRange{}.max && value > static_cast<Number>(range.max))
    return fmt::format("must be at most {}", range.max);
  return std::nullopt;
}

std::optional<std::string> text_fault(const ValueRule& rule, std::string_view text) {
  if (rule.choices.empty() || is_choice(rule.choices, trim(text))) return std::nullopt;
  return fmt::format("must be {}", list_choices(rule.choices));
}

std::optional<std::string> list_fault(const ValueRule& rule, std::string_view text) {
  for (std::string_view element : parse_list(text)) {
    if (element.empty()) return "has an empty element";
    if (!rule.choices.empty() && !is_choice(rule.choices, element)) {
      return fmt::format("each element must be {}", list_choices(rule.choices));
    }
  }
  return std::nullopt;
}

}  // namespace

const char* to_string(ValueType type) {
  switch (type) {
    case ValueType::boolean:
      return "boolean";
    case ValueType::int16:
      return "short";
    case ValueType::int32:
      return "int";
    case ValueType::int64:
      return "long";
    case ValueType::float64:
      return "double";
    case ValueType::text:
      return "string";
    case ValueType::list:
      return "list";
    case ValueType::class_name:
      return "class";
    case ValueType::password:
      return "password";
  }
  return "string";
}

std::optional<std::string> value_fault(const ValueRule& rule, std::string_view text) {
  switch (rule.type) {
    case ValueType::boolean:
      if (!parse_boolean(text)) return "must be true or false";
      return std::nullopt;
    case ValueType::int16:
    case ValueType::int32:
    case ValueType::int64: {
      const auto value = parse_integer(text);
      if (!value) return "must be a whole number";
      return number_fault(range_of(rule), *value);
    }
    case ValueType::float64: {
      const auto value = parse_float(text);
      if (!value) return "must be a number";
      return number_fault(rule.range, *value);
    }
    case ValueType::text:
      return text_fault(rule, text);
    case ValueType::class_name:
    case ValueType::password:
      return std::nullopt;
    case ValueType::list:
      return list_fault(rule, text);
  }
  return std::nullopt;
}

std::string normalized(const ValueRule& rule, std::string_view text) {
  switch (rule.type) {
    case ValueType::boolean:
      return parse_boolean(text).value_or(false) ? "true" : "false";
    case ValueType::int16:
    case ValueType::int32:
    case ValueType::int64:
      return fmt::format("{}", parse_integer(text).value_or(0));
    case ValueType::float64: {
      // At least one digit behind the point, as in Java.
      std::string digits = fmt::format("{}", parse_float(text).value_or(0));
      return digits.find_first_of(".e") == std::string::npos ? digits + ".0" : digits;
    }
    case ValueType::list:
      return fmt::format("{}", fmt::join(parse_list(text), ","));
    case ValueType::text:
    case ValueType::class_name:
    case ValueType::password:
      break;
  }
  return std::string(trim(text));
}

std::string describe_range(const ValueRule& rule) {
  if (rule.type == ValueType::boolean) return "true or false";
  if (rule.type >= ValueType::text) return rule.choices.empty() ? std::string() : list_choices(rule.choices);
  const bool has_min = rule.range.min != ValueRange{}.min;
  const bool has_max = rule.range.max != ValueRange{}.max;
  if (has_min && has_max) return fmt::format("{} to {}", rule.range.min, rule.range.max);
  if (has_min) return fmt::format("at least {}", rule.range.min);
  if (has_max) return fmt::format("at most {}", rule.range.max);
  return {};
}

std::string_view trim(std::string_view text) {
  constexpr std::string_view kSpace = " \t\r\n\f";
  const std::size_t begin = text.find_first_not_of(kSpace);
  if (begin == std::string_view::npos) return {};
  return text.substr(begin, text.find_last_not_of(kSpace) - begin + 1);
}

std::string excerpt(std::string_view text) {
  if (text.size() <= kExcerptSizeMax) return std::string(text);
  return std::string(text.substr(0, kExcerptSizeMax)) + "...";
}

std::optional<bool> parse_boolean(std::string_view text) {
  std::string lower(trim(text));
  for (char& c : lower) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  if (lower == "true") return true;
  if (lower == "false") return false;
  return std::nullopt;
}

std::optional<std::int64_t> parse_integer(std::string_view text) {
  text = trim(text);
  if (text.starts_with('+') && !text.starts_with("+-")) text.remove_prefix(1);
  std::int64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

std::optional<double> parse_float(std::string_view text) {
  text = trim(text);
  double value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size() || !std::isfinite(value)) return std::nullopt;
  return value;
}

std::vector<std::string_view> parse_list(std::string_view text) {
  std::vector<std::string_view> elements;
  text = trim(text);
  if (text.empty()) return elements;
  for (;;) {
    const std::size_t end = text.find(',');
    elements.push_back(trim(text.substr(0, end)));
    if (end == std::string_view::npos) return elements;
    text.remove_prefix(end + 1);
  }
}

}  // namespace sillok::broker
