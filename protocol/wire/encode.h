// Writes a message by its schema.
#pragma once

#include "protocol/wire/encoder.h"
#include "protocol/wire/walk.h"

namespace sillok::protocol {

template <HasSchema T>
void encode_fields(Encoder& out, const T& message, WalkContext context);

template <class T>
void encode_value(Encoder& out, const T& value, WalkContext context, bool may_be_null = false);

template <class Inner>
void encode_optional(Encoder& out, const std::optional<Inner>& value, WalkContext context, bool may_be_null) {
  if (!value && !may_be_null) return out.fail("null where this version must have a value");
  if constexpr (HasSchema<Inner>) {
    if (may_be_null) out.integer(value ? kPresentStruct : kNullStruct);
    if (value) encode_fields(out, *value, context);
  } else {
    if (value) return encode_value(out, *value, context);
    if constexpr (std::is_same_v<Inner, std::string_view>) {
      out.null_string(context.flexible);
    } else {
      out.null_bytes(context.flexible);
    }
  }
}

template <class T>
void encode_value(Encoder& out, const T& value, WalkContext context, bool may_be_null) {
  if constexpr (std::is_same_v<T, bool>) {
    out.boolean(value);
  } else if constexpr (std::is_same_v<T, double>) {
    out.float64(value);
  } else if constexpr (std::is_integral_v<T>) {
    out.integer(value);
  } else if constexpr (std::is_enum_v<T>) {
    out.integer(static_cast<std::underlying_type_t<T>>(value));
  } else if constexpr (IsStrong<T>::value) {
    out.integer(value.value);
  } else if constexpr (std::is_same_v<T, Uuid>) {
    out.uuid(value);
  } else if constexpr (HasSchema<T>) {
    encode_fields(out, value, context);
  } else if constexpr (IsOptional<T>::value) {
    encode_optional(out, value, context, may_be_null);
  } else if constexpr (std::is_same_v<T, std::string_view>) {
    out.string_size(context.flexible, value.size());
    out.bytes(as_bytes(value));
  } else if constexpr (std::is_same_v<T, ByteView>) {
    out.bytes_size(context.flexible, value.size());
    out.bytes(value);
  } else if constexpr (std::is_same_v<T, Records>) {
    out.bytes_size(context.flexible, value.external_size > 0 ? value.external_size : value.bytes.size());
    if (value.external_size > 0) return out.hole(value.external_size);
    out.bytes(value.bytes);
  } else {
    static_assert(IsVector<T>::value);
    out.array_count(context.flexible, value.size());
    for (const auto& element : value) encode_value(out, element, context);
  }
}

template <class T>
bool is_default(const T& value, const T& absent) {
  if constexpr (std::is_same_v<T, ByteView>) {
    return as_text(value) == as_text(absent);
  } else if constexpr (std::is_same_v<T, std::optional<ByteView>>) {
    return value.has_value() == absent.has_value() && (!value || as_text(*value) == as_text(*absent));
  } else {
    return value == absent;
  }
}

template <HasSchema T>
void encode_tagged_fields(Encoder& out, const T& message, WalkContext context) {
  std::uint32_t count = 0;
  const auto present = [&]<class F>(const F& f) {
    return f.options.tagged.contains(context.version) &&
           !is_default(message.*F::pointer, kAbsent<T>.*F::pointer);
  };
  for_each_field<T>([&](const auto& f) { count += present(f) ? 1U : 0U; });
  out.unsigned_varint(count);
  // Tags go out in rising order, which need not be the order of the schema.
  std::uint32_t written = 0;
  std::int16_t tag = 0;
  while (written < count) {
    for_each_field<T>([&]<class F>(const F& f) {
      if (f.options.tag != tag || !present(f)) return;
      out.unsigned_varint(static_cast<std::uint32_t>(tag));
      const std::size_t start = out.begin_sized();
      encode_value(out, message.*F::pointer, context, f.options.nullable.contains(context.version));
      out.end_sized(start);
      ++written;
    });
    ++tag;
  }
}

template <HasSchema T>
void encode_fields(Encoder& out, const T& message, WalkContext context) {
  for_each_field<T>([&]<class F>(const F& f) {
    if (f.options.tagged.contains(context.version)) return;
    if (f.options.versions.contains(context.version)) {
      encode_value(out, message.*F::pointer, context, f.options.nullable.contains(context.version));
    } else if (f.options.if_absent == IfAbsent::fail &&
               !is_default(message.*F::pointer, kAbsent<T>.*F::pointer)) {
      out.fail("a field that this version does not have is set");
    }
  });
  if (context.flexible) encode_tagged_fields(out, message, context);
}

// Appends a message body.
template <Message T>
Result<void> encode(Encoder& out, const T& message, Version version) {
  static_assert(schema_is_sound<T>(T::kFlexible));
  if (!T::kVersions.contains(version)) return Error{Errc::unsupported_version, "message version"};
  encode_fields(out, message, {version, T::kFlexible.contains(version)});
  return out.finish();
}

}  // namespace sillok::protocol
