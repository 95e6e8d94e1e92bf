#include "broker/setting_value.h"

#include <catch2/catch.hpp>
#include <string>
#include <string_view>
#include <vector>

namespace sillok::tests {
namespace {

using broker::ValueRule;
using broker::ValueType;

bool is_value(const ValueRule& rule, std::string_view text) {
  return !broker::value_fault(rule, text).has_value();
}

TEST_CASE("setting value: numbers may have a sign and space around them, and nothing else") {
  CHECK(broker::parse_integer("12") == 12);
  CHECK(broker::parse_integer(" -12\t") == -12);
  CHECK(broker::parse_integer("+12") == 12);
  CHECK(broker::parse_integer("9223372036854775807") == 9'223'372'036'854'775'807);
  for (const char* text :
       {"", " ", "+", "-", "+-1", "++1", "1 2", "1k", "0x10", "1.0", "9223372036854775808"}) {
    INFO(text);
    CHECK_FALSE(broker::parse_integer(text).has_value());
  }
}

TEST_CASE("setting value: true and false in any case") {
  CHECK(broker::parse_boolean(" True ") == true);
  CHECK(broker::parse_boolean("FALSE") == false);
  for (const char* text : {"", "yes", "1", "t"}) CHECK_FALSE(broker::parse_boolean(text).has_value());
}

TEST_CASE("setting value: lists are separated by commas, without the space around them") {
  CHECK(broker::parse_list("").empty());
  CHECK(broker::parse_list("  ").empty());
  CHECK(broker::parse_list("a") == std::vector<std::string_view>{"a"});
  CHECK(broker::parse_list(" a , b,,c ") == std::vector<std::string_view>{"a", "b", "", "c"});
}

TEST_CASE("setting value: a number must be of its type and in its range") {
  const ValueRule small{ValueType::int32, {1, 10}, {}};
  CHECK(is_value(small, "1"));
  CHECK(is_value(small, "10"));
  CHECK(broker::value_fault(small, "0") == "must be at least 1");
  CHECK(broker::value_fault(small, "11") == "must be at most 10");
  CHECK(broker::value_fault(small, "x") == "must be a whole number");
  const ValueRule whole{ValueType::int32, {}, {}};
  CHECK(is_value(whole, "-2147483648"));
  CHECK(broker::value_fault(whole, "2147483648") == "must be at most 2147483647");
  CHECK_FALSE(is_value({ValueType::int16, {}, {}}, "32768"));
  CHECK(is_value({ValueType::int64, {}, {}}, "2147483648"));
  const ValueRule part{ValueType::float64, {0, 1}, {}};
  CHECK(is_value(part, "0.25"));
  CHECK(is_value(part, "1e-3"));
  for (const char* text : {"1.01", "-0.1", "inf", "nan", "", "half"}) CHECK_FALSE(is_value(part, text));
}

TEST_CASE("setting value: texts and lists may have choices") {
  const ValueRule text{ValueType::text, {}, "ab|cd"};
  CHECK(is_value(text, " ab "));
  CHECK(broker::value_fault(text, "a") == "must be ab or cd");
  CHECK_FALSE(is_value(text, "ab|cd"));
  CHECK_FALSE(is_value(text, ""));
  const ValueRule list{ValueType::list, {}, "ab|cd|ef"};
  CHECK(is_value(list, ""));
  CHECK(is_value(list, "cd, ab"));
  CHECK(broker::value_fault(list, "ab,x") == "each element must be ab, cd or ef");
  CHECK(broker::value_fault({ValueType::list, {}, {}}, "a,,b") == "has an empty element");
}

TEST_CASE("setting value: ranges are described in words") {
  CHECK(broker::describe_range({ValueType::int32, {1, 10}, {}}) == "1 to 10");
  CHECK(broker::describe_range({ValueType::int64, broker::at_least(-1), {}}) == "at least -1");
  CHECK(broker::describe_range({ValueType::int64, {}, {}}).empty());
  CHECK(broker::describe_range({ValueType::boolean, {}, {}}) == "true or false");
  CHECK(broker::describe_range({ValueType::text, {}, "a|b|c"}) == "a, b or c");
}

TEST_CASE("setting value: an excerpt is short, whatever it is of") {
  CHECK(broker::excerpt("short") == "short");
  CHECK(broker::excerpt(std::string(100'000, 'x')).size() < 300);
}

TEST_CASE("setting value: a value is told as Kafka understands it") {
  using broker::normalized;
  CHECK(normalized({ValueType::int64, {}, {}}, " +7 ") == "7");
  CHECK(normalized({ValueType::boolean, {}, {}}, " TRUE") == "true");
  CHECK(normalized({ValueType::list, {}, {}}, " delete , compact ") == "delete,compact");
  CHECK(normalized({ValueType::list, {}, {}}, " ") == "");
  CHECK(normalized({ValueType::float64, {}, {}}, "0.50") == "0.5");
  CHECK(normalized({ValueType::float64, {}, {}}, "1") == "1.0");
  CHECK(normalized({ValueType::text, {}, {}}, " CreateTime") == "CreateTime");
}

}  // namespace
}  // namespace sillok::tests
