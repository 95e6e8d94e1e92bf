// Messages as JSON, in the form of Kafka's own JsonConverter classes: names in camelCase, topic ids as Kafka
// prints them, bytes in base64, no member that the version lacks, tagged fields only where they are not at
// their default.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "protocol/wire/encode.h"
#include "protocol/wire/walk.h"

namespace sillok::protocol {

// How record batches appear. Kafka has the same two forms.
enum class RecordsForm {
  size,   // "recordsSizeInBytes": 120
  empty,  // "records": ""
};

// Builds JSON text. Threading: not thread-safe.
class JsonWriter {
 public:
  // What stands between `open` and `close`, each item after comma().
  void open(char bracket);
  void close(char bracket);
  void comma();

  // The key of the next value, with its first letter in lower case, and `suffix` after it.
  void key(std::string_view name, std::string_view suffix = {});
  void null() { text_ += "null"; }
  void boolean(bool value) { text_ += value ? "true" : "false"; }
  void integer(std::int64_t value) { text_ += std::to_string(value); }
  void float64(double value);
  // Bytes that are not UTF-8 become U+FFFD.
  void string(std::string_view value);
  void base64(ByteView value);

  std::string take() && { return std::move(text_); }
  const std::string& text() const { return text_; }

 private:
  std::string text_;
};

template <HasSchema T>
void print_fields(JsonWriter& out, const T& message, WalkContext context, RecordsForm records);

template <class T>
void print_value(JsonWriter& out, const T& value, WalkContext context, RecordsForm records) {
  if constexpr (std::is_same_v<T, bool>) {
    out.boolean(value);
  } else if constexpr (std::is_same_v<T, double>) {
    out.float64(value);
  } else if constexpr (std::is_integral_v<T> || std::is_enum_v<T>) {
    out.integer(static_cast<std::int64_t>(value));
  } else if constexpr (IsStrong<T>::value) {
    out.integer(value.value);
  } else if constexpr (std::is_same_v<T, Uuid>) {
    out.string(value.to_string());
  } else if constexpr (HasSchema<T>) {
    print_fields(out, value, context, records);
  } else if constexpr (IsOptional<T>::value) {
    value ? print_value(out, *value, context, records) : out.null();
  } else if constexpr (std::is_same_v<T, std::string_view>) {
    out.string(value);
  } else if constexpr (std::is_same_v<T, ByteView>) {
    out.base64(value);
  } else if constexpr (std::is_same_v<T, Records>) {
    if (records == RecordsForm::empty) return out.string({});
    out.integer(
        static_cast<std::int64_t>(value.external_size > 0 ? value.external_size : value.bytes.size()));
  } else {
    static_assert(IsVector<T>::value);
    out.open('[');
    for (const auto& element : value) {
      out.comma();
      print_value(out, element, context, records);
    }
    out.close(']');
  }
}

template <class T>
bool prints_a_size(const T& value, RecordsForm form) {
  if constexpr (std::is_same_v<T, std::optional<Records>>)
    return value.has_value() && form == RecordsForm::size;
  return std::is_same_v<T, Records> && form == RecordsForm::size;
}

template <HasSchema T>
void print_fields(JsonWriter& out, const T& message, WalkContext context, RecordsForm records) {
  out.open('{');
  for_each_field<T>([&]<class F>(const F& f) {
    const auto& value = message.*F::pointer;
    if (!f.options.versions.contains(context.version)) return;
    if (f.options.tagged.contains(context.version) && is_default(value, kAbsent<T>.*F::pointer)) return;
    out.comma();
    out.key(f.name, prints_a_size(value, records) ? "SizeInBytes" : "");
    print_value(out, value, context, records);
  });
  out.close('}');
}

// Requires: T::kVersions.contains(version).
template <Message T>
std::string to_json(const T& message, Version version, RecordsForm records = RecordsForm::size) {
  SILLOK_CHECK(T::kVersions.contains(version));
  JsonWriter out;
  print_fields(out, message, {version, T::kFlexible.contains(version)}, records);
  return std::move(out).take();
}

}  // namespace sillok::protocol
