// A schema as data, in the words of Kafka's message definitions: for tests, documents and tools.
#pragma once

#include <string>
#include <type_traits>
#include <vector>

#include "protocol/wire/printer.h"
#include "protocol/wire/walk.h"

namespace sillok::protocol {

struct FieldDescription {
  std::string name;
  std::string type;       // "int32", "[]string", "records"; a nested struct is "struct" or "[]struct"
  VersionRange versions;  // that have the field, tagged or not
  VersionRange nullable;  // of `versions`, in which it may be null
  VersionRange tagged;
  std::int16_t tag = -1;
  IfAbsent if_absent = IfAbsent::fail;
  std::string absent_value;  // as JSON; empty for a nested struct, whose members have theirs
  std::vector<FieldDescription> fields;
};

constexpr VersionRange intersection(VersionRange a, VersionRange b) {
  const VersionRange both{std::max(a.first, b.first), std::min(a.last, b.last)};
  return both.empty() ? kNoVersions : both;
}

// "0-12", "13+", "3", "none".
std::string to_string(VersionRange range);

template <class T>
std::string type_name() {
  if constexpr (std::is_same_v<T, bool>) {
    return "bool";
  } else if constexpr (std::is_same_v<T, double>) {
    return "float64";
  } else if constexpr (std::is_integral_v<T>) {
    return (std::is_signed_v<T> ? "int" : "uint") + std::to_string(8 * sizeof(T));
  } else if constexpr (std::is_enum_v<T>) {
    return type_name<std::underlying_type_t<T>>();
  } else if constexpr (IsStrong<T>::value) {
    return type_name<typename T::rep>();
  } else if constexpr (std::is_same_v<T, Uuid>) {
    return "uuid";
  } else if constexpr (HasSchema<T>) {
    return "struct";
  } else if constexpr (IsOptional<T>::value) {
    return type_name<typename T::value_type>();
  } else if constexpr (IsVector<T>::value) {
    return "[]" + type_name<typename T::value_type>();
  } else if constexpr (std::is_same_v<T, std::string_view>) {
    return "string";
  } else if constexpr (std::is_same_v<T, ByteView>) {
    return "bytes";
  } else {
    static_assert(std::is_same_v<T, Records>);
    return "records";
  }
}

template <HasSchema T>
std::vector<FieldDescription> describe_fields() {
  std::vector<FieldDescription> fields;
  for_each_field<T>([&]<class F>(const F& f) {
    using Value = typename F::value_type;
    using Inner = typename Core<Value>::type;
    const FieldOptions& options = f.options;
    FieldDescription field{f.name,
                           type_name<Value>(),
                           options.versions,
                           kNoVersions,
                           options.tagged,
                           options.tag,
                           options.if_absent,
                           "",
                           {}};
    if (IsOptional<Value>::value) field.nullable = intersection(options.versions, options.nullable);
    if constexpr (HasSchema<Inner>) field.fields = describe_fields<Inner>();
    if constexpr (!HasSchema<Value>) {
      JsonWriter absent;
      print_value(absent, kAbsent<T>.*F::pointer, {}, RecordsForm::empty);
      field.absent_value = absent.text();
    }
    fields.push_back(std::move(field));
  });
  return fields;
}

}  // namespace sillok::protocol
