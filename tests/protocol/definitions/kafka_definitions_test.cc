// Compares every schema, field by field, with the message definitions that Apache Kafka publishes inside its
// client library. `./dev setup` unpacks them; without them this program says so and is skipped.
#define CATCH_CONFIG_RUNNER
#include <boost/json.hpp>
#include <catch2/catch.hpp>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <sstream>

#include "protocol/messages/all.h"
#include "protocol/wire/describe.h"

namespace json = boost::json;
using namespace sillok::protocol;

namespace {

constexpr int kSkipReturnCode = 77;  // tests/CMakeLists.txt tells ctest

std::filesystem::path definitions_folder() {
  if (const char* folder = std::getenv("SILLOK_KAFKA_MESSAGES")) return folder;
  if (const char* cache = std::getenv("SILLOK_CACHE")) return std::filesystem::path(cache) / "kafka-messages";
  const char* home = std::getenv("HOME");
  return std::filesystem::path(home != nullptr ? home : "/root") / ".cache/sillok/kafka-messages";
}

json::object read_definition(const std::string& name) {
  const std::filesystem::path path = definitions_folder() / (name + ".json");
  INFO("definition " << path);
  std::ifstream file(path);
  REQUIRE(file.good());
  std::stringstream text;
  text << file.rdbuf();
  json::parse_options options;
  options.allow_comments = true;
  return json::parse(text.str(), {}, options).as_object();
}

std::string text_of(const json::object& object, const char* key, const std::string& if_missing = "") {
  const json::value* value = object.if_contains(key);
  if (value == nullptr) return if_missing;
  return value->is_string() ? std::string(value->as_string()) : json::serialize(*value);
}

// "0-12", "13+", "3", "none".
VersionRange parse_range(const std::string& text) {
  if (text == "none") return kNoVersions;
  const auto first = static_cast<Version>(std::stoi(text));
  if (text.back() == '+') return since(first);
  const auto dash = text.find('-');
  return dash == std::string::npos ? only(first)
                                   : between(first, static_cast<Version>(std::stoi(text.substr(dash + 1))));
}

bool is_primitive(const std::string& type) {
  return type.starts_with("int") || type.starts_with("uint") || type == "float64" || type == "bool" ||
         type == "string" || type == "uuid" || type == "bytes" || type == "records";
}

std::string expected_type(const std::string& type) {
  if (type.starts_with("[]")) return is_primitive(type.substr(2)) ? type : "[]struct";
  return is_primitive(type) ? type : "struct";
}

// The default of a field without one of its own, as JSON.
std::string type_default(const std::string& type) {
  if (type.starts_with("[]")) return "[]";
  if (type == "bool") return "false";
  if (type == "uuid") return "\"" + sillok::Uuid{}.to_string() + "\"";
  if (type == "string" || type == "bytes") return "\"\"";
  if (type == "records") return "null";
  return type == "struct" ? "" : "0";
}

std::string expected_default(const json::object& field) {
  const std::string type = expected_type(text_of(field, "type"));
  const std::string text = text_of(field, "default");
  if (text.empty()) return type_default(type);
  if (text == "null" || type == "bool") return text;
  if (type == "string") return "\"" + text + "\"";
  return std::to_string(std::stoll(text, nullptr, 0));
}

// The fields of a struct are in the field that uses it, or, where several do, in a list beside the message's
// own.
const json::array* struct_fields(const json::object& field, const json::array& common_structs) {
  if (const json::value* fields = field.if_contains("fields")) return &fields->as_array();
  std::string type = text_of(field, "type");
  if (type.starts_with("[]")) type = type.substr(2);
  for (const json::value& common : common_structs) {
    if (text_of(common.as_object(), "name") == type) return &common.at("fields").as_array();
  }
  return nullptr;
}

// What surrounds a field: the versions that have it, and the structs that it may name.
struct Surroundings {
  VersionRange versions;
  const json::array& common_structs;
};

void compare_fields(const std::vector<FieldDescription>& ours, const json::array& kafkas,
                    const Surroundings& around);

void compare_field(const FieldDescription& ours, const json::object& kafkas, const Surroundings& around) {
  const VersionRange range = around.versions;
  INFO("field " << ours.name << " in versions " << to_string(range));
  CHECK(ours.name == text_of(kafkas, "name"));
  CHECK(ours.type == expected_type(text_of(kafkas, "type")));
  const VersionRange versions = intersection(parse_range(text_of(kafkas, "versions")), range);
  CHECK(to_string(intersection(ours.versions, range)) == to_string(versions));
  const VersionRange nullable = parse_range(text_of(kafkas, "nullableVersions", "none"));
  CHECK(to_string(intersection(ours.nullable, versions)) == to_string(intersection(nullable, versions)));
  const VersionRange tagged = parse_range(text_of(kafkas, "taggedVersions", "none"));
  CHECK(to_string(intersection(ours.tagged, versions)) == to_string(intersection(tagged, versions)));
  CHECK(std::to_string(ours.tag) == text_of(kafkas, "tag", "-1"));
  CHECK((ours.if_absent == IfAbsent::drop) == (text_of(kafkas, "ignorable", "false") == "true"));
  // A field that may be null and has no default of its own is empty in Kafka's classes, and always written
  // over there; here it may begin as null.
  const bool either = !ours.nullable.empty() && !kafkas.contains("default");
  if (either && (ours.absent_value == "null" || ours.absent_value == "\"\"")) {
    SUCCEED();
  } else {
    CHECK(ours.absent_value == expected_default(kafkas));
  }
  if (const json::array* fields = struct_fields(kafkas, around.common_structs)) {
    compare_fields(ours.fields, *fields, {versions, around.common_structs});
  } else {
    CHECK(ours.fields.empty());
  }
}

void compare_fields(const std::vector<FieldDescription>& ours, const json::array& kafkas,
                    const Surroundings& around) {
  std::vector<const json::object*> expected;
  for (const json::value& field : kafkas) {
    const VersionRange versions = parse_range(text_of(field.as_object(), "versions"));
    if (!intersection(versions, around.versions).empty()) expected.push_back(&field.as_object());
  }
  std::string our_names;
  std::string kafkas_names;
  for (const FieldDescription& field : ours) our_names += field.name + " ";
  for (const json::object* field : expected) kafkas_names += text_of(*field, "name") + " ";
  REQUIRE(our_names == kafkas_names);
  for (std::size_t i = 0; i < ours.size(); ++i) compare_field(ours[i], *expected[i], around);
}

template <Message M>
void compare_message(Direction direction) {
  const std::string name =
      std::string(to_string(M::kKey)) + (direction == Direction::request ? "Request" : "Response");
  INFO("message " << name);
  const json::object definition = read_definition(name);
  CHECK(std::to_string(static_cast<int>(M::kKey)) == text_of(definition, "apiKey"));
  CHECK(name == text_of(definition, "name"));
  const VersionRange valid = parse_range(text_of(definition, "validVersions"));
  CHECK(to_string(intersection(valid, M::kVersions)) == to_string(M::kVersions));
  CHECK(M::kVersions.first == valid.first);
  const VersionRange flexible = parse_range(text_of(definition, "flexibleVersions"));
  CHECK(to_string(intersection(flexible, M::kVersions)) ==
        to_string(intersection(M::kFlexible, M::kVersions)));
  const json::value* common = definition.if_contains("commonStructs");
  const json::array common_structs = common == nullptr ? json::array() : common->as_array();
  compare_fields(describe_fields<M>(), definition.at("fields").as_array(), {M::kVersions, common_structs});
}

}  // namespace

TEST_CASE("definitions: every schema says what Kafka's message definitions say") {
  for_each_message([]<class M>(Direction direction) { compare_message<M>(direction); });
}

int main(int argc, char** argv) {
  if (!std::filesystem::exists(definitions_folder() / "ProduceRequest.json")) {
    std::cerr << "SKIPPED: no message definitions of Kafka in " << definitions_folder()
              << "; ./dev setup unpacks them from Maven's kafka-clients\n";
    return kSkipReturnCode;
  }
  return Catch::Session().run(argc, argv);
}
