// Reads a message by its schema.
#pragma once

#include "protocol/wire/decoder.h"
#include "protocol/wire/walk.h"

namespace sillok::protocol {

template <HasSchema T>
void decode_fields(Decoder& in, T& message, WalkContext context);

template <class T>
void decode_value(Decoder& in, T& value, WalkContext context, bool may_be_null = false);

// The elements that are there already are decoded into, so that their own arrays keep their memory.
template <class T>
void decode_array(Decoder& in, std::vector<T>& elements, std::size_t count, WalkContext context) {
  static_assert(!std::is_same_v<T, bool>,
                "no message of Kafka has an array of bool, and vector<bool> has no elements");
  elements.resize(count);
  for (T& element : elements) {
    if (!in.ok()) break;
    decode_value(in, element, context);
  }
}

template <class T>
std::optional<std::size_t> decode_size(Decoder& in, WalkContext context) {
  if constexpr (std::is_same_v<T, std::string_view>) {
    return in.string_size(context.flexible);
  } else if constexpr (IsVector<T>::value) {
    using Element = typename T::value_type;
    return in.array_count(context.flexible, value_wire_size_min<Element>(context), sizeof(Element));
  } else {
    return in.bytes_size(context.flexible);
  }
}

// What has a length in front: strings, bytes, records, arrays.
template <class T>
void decode_sized(Decoder& in, T& value, std::size_t size, WalkContext context) {
  if constexpr (std::is_same_v<T, std::string_view>) {
    value = as_text(in.bytes(size));
  } else if constexpr (std::is_same_v<T, ByteView>) {
    value = in.bytes(size);
  } else if constexpr (std::is_same_v<T, Records>) {
    value = Records{in.bytes(size)};
  } else {
    decode_array(in, value, size, context);
  }
}

template <class Inner>
void decode_optional(Decoder& in, std::optional<Inner>& value, WalkContext context, bool may_be_null) {
  std::optional<std::size_t> size = 0;
  if constexpr (HasSchema<Inner>) {
    if (may_be_null && in.integer<std::int8_t>() < 0) size = std::nullopt;
  } else {
    size = decode_size<Inner>(in, context);
  }
  if (!size) {
    if (!may_be_null) in.fail(Errc::malformed, "null where a message must have a value");
    value.reset();
    return;
  }
  if (!value) value.emplace();
  if constexpr (HasSchema<Inner>) {
    decode_fields(in, *value, context);
  } else {
    decode_sized(in, *value, *size, context);
  }
}

template <class T>
void decode_value(Decoder& in, T& value, WalkContext context, bool may_be_null) {
  if constexpr (std::is_same_v<T, bool>) {
    value = in.boolean();
  } else if constexpr (std::is_same_v<T, double>) {
    value = in.float64();
  } else if constexpr (std::is_integral_v<T>) {
    value = in.integer<T>();
  } else if constexpr (std::is_enum_v<T>) {
    value = static_cast<T>(in.integer<std::underlying_type_t<T>>());
  } else if constexpr (IsStrong<T>::value) {
    value = T(in.integer<typename T::rep>());
  } else if constexpr (std::is_same_v<T, Uuid>) {
    value = in.uuid();
  } else if constexpr (HasSchema<T>) {
    decode_fields(in, value, context);
  } else if constexpr (IsOptional<T>::value) {
    decode_optional(in, value, context, may_be_null);
  } else {
    const auto size = decode_size<T>(in, context);
    if (!size) return in.fail(Errc::malformed, "null where a message must have a value");
    decode_sized(in, value, *size, context);
  }
}

// Unknown tags are skipped. Requires: the tagged members of `message` are at their defaults.
template <HasSchema T>
void decode_tagged_fields(Decoder& in, T& message, WalkContext context) {
  const std::uint32_t count = in.unsigned_varint();
  if (count > kTaggedFieldsMax) return in.fail(Errc::too_large, "too many tagged fields");
  std::int64_t previous_tag = -1;
  for (std::uint32_t i = 0; i < count && in.ok(); ++i) {
    const std::optional<TaggedFieldHead> head = in.tagged_field(previous_tag);
    if (!head) return;
    previous_tag = head->tag;
    const std::size_t left_after = in.left().size() - head->size;
    bool known = false;
    for_each_field<T>([&]<class F>(const F& f) {
      if (!f.options.tagged.contains(context.version) || f.options.tag != previous_tag) return;
      known = true;
      decode_value(in, message.*F::pointer, context, f.options.nullable.contains(context.version));
    });
    if (!known) in.bytes(head->size);
    if (in.ok() && in.left().size() != left_after) in.fail(Errc::malformed, "a tagged field's size is wrong");
  }
}

template <HasSchema T>
void decode_fields(Decoder& in, T& message, WalkContext context) {
  for_each_field<T>([&]<class F>(const F& f) {
    if (f.options.versions.contains(context.version) && !f.options.tagged.contains(context.version)) {
      decode_value(in, message.*F::pointer, context, f.options.nullable.contains(context.version));
    } else {
      message.*F::pointer = kAbsent<T>.*F::pointer;
    }
  });
  if (context.flexible) decode_tagged_fields(in, message, context);
}

// Bytes behind the end of a message. Kafka's broker ignores them in requests, and librdkafka 2.16 sends some
// (Metadata version 13).
enum class TrailingBytes { refused, ignored };

// Reads a message body that fills the decoder's bytes. Errc::unsupported_version outside T::kVersions.
// Every member is set, absent ones to their default, so that one object can be decoded into again and again,
// and soon no longer allocates; it keeps the memory of the largest message so far, which DecodeBudget bounds.
// After an error the members hold anything.
template <Message T>
Result<void> decode(Decoder& in, T& message, Version version,
                    TrailingBytes trailing = TrailingBytes::refused) {
  static_assert(schema_is_sound<T>(T::kFlexible));
  if (!T::kVersions.contains(version)) return Error{Errc::unsupported_version, "message version"};
  decode_fields(in, message, {version, T::kFlexible.contains(version)});
  if (trailing == TrailingBytes::ignored && in.ok()) return {};
  return in.finish();
}

}  // namespace sillok::protocol
