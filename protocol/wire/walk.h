// The one walk over a message's schema. decode() and encode() below are what callers use; print() is in
// printer.h, and describe() in describe.h.
#pragma once

#include <algorithm>
#include <optional>
#include <string_view>
#include <tuple>
#include <type_traits>
#include <vector>

#include "protocol/base/ids.h"
#include "protocol/wire/decoder.h"
#include "protocol/wire/encoder.h"
#include "protocol/wire/schema.h"
#include "protocol/wire/types.h"

namespace sillok::protocol {

template <class T>
struct IsVector : std::false_type {};
template <class T>
struct IsVector<std::vector<T>> : std::true_type {};
template <class T>
struct IsOptional : std::false_type {};
template <class T>
struct IsOptional<std::optional<T>> : std::true_type {};

struct WalkContext {
  Version version;
  bool flexible;
};

// A nested struct that may be null has one byte before it: -1 is null, 1 is present.
inline constexpr std::int8_t kNullStruct = -1;
inline constexpr std::int8_t kPresentStruct = 1;
inline constexpr std::uint32_t kTaggedFieldsMax = 1000;

template <HasSchema T>
std::size_t wire_size_min(WalkContext context);

// The least number of bytes that a value can have, for bounds on counts.
template <class T>
std::size_t value_wire_size_min(WalkContext context) {
  if constexpr (std::is_same_v<T, bool>) {
    return 1;
  } else if constexpr (std::is_arithmetic_v<T> || std::is_enum_v<T>) {
    return sizeof(T);
  } else if constexpr (IsStrong<T>::value) {
    return sizeof(typename T::rep);
  } else if constexpr (std::is_same_v<T, Uuid>) {
    return sizeof(Uuid::bytes);
  } else if constexpr (IsOptional<T>::value) {
    using Inner = typename T::value_type;
    return HasSchema<Inner> ? 1 : value_wire_size_min<Inner>(context);
  } else if constexpr (HasSchema<T>) {
    return wire_size_min<T>(context);
  } else {
    if (context.flexible) return 1;
    return std::is_same_v<T, std::string_view> ? 2 : 4;
  }
}

template <HasSchema T>
std::size_t wire_size_min(WalkContext context) {
  std::size_t size = context.flexible ? 1 : 0;
  std::apply(
      [&](const auto&... fields) {
        const auto add = [&]<class F>(const F& f) {
          if (f.options.versions.contains(context.version) && !f.options.tagged.contains(context.version)) {
            size += value_wire_size_min<typename F::value_type>(context);
          }
        };
        (add(fields), ...);
      },
      T::kSchema);
  return size;
}

// ---- decoding ----

template <HasSchema T>
void decode_fields(Decoder& in, T& message, WalkContext context);

template <class T>
void decode_value(Decoder& in, T& value, WalkContext context, bool may_be_null = false);

template <class T>
void decode_array(Decoder& in, std::vector<T>& elements, std::size_t count, WalkContext context) {
  elements.clear();
  elements.resize(count);
  if constexpr (std::is_same_v<T, bool>) {
    for (std::size_t i = 0; i < count && in.ok(); ++i) elements[i] = in.boolean();
  } else {
    for (T& element : elements) {
      if (!in.ok()) break;
      decode_value(in, element, context);
    }
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
    value.bytes = in.bytes(size);
  } else {
    decode_array(in, value, size, context);
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
    using Inner = typename T::value_type;
    if constexpr (HasSchema<Inner>) {
      if (may_be_null && in.integer<std::int8_t>() < 0) {
        value.reset();
        return;
      }
      decode_fields(in, value.emplace(), context);
    } else {
      const auto size = decode_size<Inner>(in, context);
      if (!size) {
        if (!may_be_null) in.fail(Errc::malformed, "null where a message must have a value");
        value.reset();
        return;
      }
      decode_sized(in, value.emplace(), *size, context);
    }
  } else {
    const auto size = decode_size<T>(in, context);
    if (!size) return in.fail(Errc::malformed, "null where a message must have a value");
    decode_sized(in, value, *size, context);
  }
}

template <HasSchema T>
void decode_tagged_fields(Decoder& in, T& message, WalkContext context) {
  const std::uint32_t count = in.unsigned_varint();
  if (count > kTaggedFieldsMax) return in.fail(Errc::too_large, "too many tagged fields");
  std::int64_t previous_tag = -1;
  for (std::uint32_t i = 0; i < count && in.ok(); ++i) {
    const std::uint32_t tag = in.unsigned_varint();
    const std::uint32_t size = in.unsigned_varint();
    if (static_cast<std::int64_t>(tag) <= previous_tag)
      return in.fail(Errc::malformed, "tags are not in order");
    previous_tag = tag;
    if (size > in.left().size()) return in.fail(Errc::truncated, "a tagged field is larger than its message");
    const std::size_t left_after = in.left().size() - size;
    bool known = false;
    std::apply(
        [&](const auto&... fields) {
          const auto match = [&]<class F>(const F& f) {
            if (!f.options.tagged.contains(context.version) ||
                f.options.tag != static_cast<std::int64_t>(tag))
              return;
            known = true;
            decode_value(in, message.*F::pointer, context, f.options.nullable.contains(context.version));
          };
          (match(fields), ...);
        },
        T::kSchema);
    if (!known) in.bytes(size);
    if (in.ok() && in.left().size() != left_after) in.fail(Errc::malformed, "a tagged field's size is wrong");
  }
}

template <HasSchema T>
void decode_fields(Decoder& in, T& message, WalkContext context) {
  static const T kAbsent{};
  std::apply(
      [&](const auto&... fields) {
        const auto one = [&]<class F>(const F& f) {
          if (f.options.versions.contains(context.version) && !f.options.tagged.contains(context.version)) {
            decode_value(in, message.*F::pointer, context, f.options.nullable.contains(context.version));
          } else {
            message.*F::pointer = kAbsent.*F::pointer;
          }
        };
        (one(fields), ...);
      },
      T::kSchema);
  if (context.flexible) decode_tagged_fields(in, message, context);
}

// ---- encoding ----

template <HasSchema T>
void encode_fields(Encoder& out, const T& message, WalkContext context);

template <class T>
void encode_value(Encoder& out, const T& value, WalkContext context, bool may_be_null = false) {
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
    using Inner = typename T::value_type;
    if constexpr (HasSchema<Inner>) {
      if (may_be_null) out.integer(value ? kPresentStruct : kNullStruct);
      if (value) return encode_fields(out, *value, context);
      if (!may_be_null) out.fail("null where this version must have a value");
    } else {
      if (value) return encode_value(out, *value, context);
      if (!may_be_null) return out.fail("null where this version must have a value");
      if constexpr (std::is_same_v<Inner, std::string_view>) {
        out.null_string(context.flexible);
      } else {
        out.null_bytes(context.flexible);
      }
    }
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
    for (const auto& element : value) {
      encode_value(out, static_cast<const typename T::value_type&>(element), context);
    }
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
void encode_tagged_fields(Encoder& out, const T& message, const T& absent, WalkContext context) {
  std::uint32_t count = 0;
  const auto present = [&]<class F>(const F& f) {
    return f.options.tagged.contains(context.version) && !is_default(message.*F::pointer, absent.*F::pointer);
  };
  std::apply([&](const auto&... fields) { ((count += present(fields) ? 1U : 0U), ...); }, T::kSchema);
  out.unsigned_varint(count);
  if (count == 0) return;
  // Tags go out in rising order, which need not be the order of the schema.
  for (std::int16_t tag = 0; count > 0; ++tag) {
    std::apply(
        [&](const auto&... fields) {
          const auto one = [&]<class F>(const F& f) {
            if (f.options.tag != tag || !present(f)) return;
            Bytes scratch;
            Encoder nested(scratch);
            encode_value(nested, message.*F::pointer, context, f.options.nullable.contains(context.version));
            if (!nested.ok()) out.fail("a tagged field cannot be said in this version");
            out.unsigned_varint(static_cast<std::uint32_t>(tag));
            out.unsigned_varint(static_cast<std::uint32_t>(scratch.size()));
            out.bytes(scratch);
            --count;
          };
          (one(fields), ...);
        },
        T::kSchema);
  }
}

template <HasSchema T>
void encode_fields(Encoder& out, const T& message, WalkContext context) {
  static const T kAbsent{};
  std::apply(
      [&](const auto&... fields) {
        const auto one = [&]<class F>(const F& f) {
          if (f.options.tagged.contains(context.version)) return;
          if (f.options.versions.contains(context.version)) {
            encode_value(out, message.*F::pointer, context, f.options.nullable.contains(context.version));
          } else if (f.options.if_absent == IfAbsent::fail &&
                     !is_default(message.*F::pointer, kAbsent.*F::pointer)) {
            out.fail("a field that this version does not have is set");
          }
        };
        (one(fields), ...);
      },
      T::kSchema);
  if (context.flexible) encode_tagged_fields(out, message, kAbsent, context);
}

// ---- whole messages ----

// Reads a message body that fills the decoder's bytes. Every member is set, absent ones to their default, so
// a message object can be decoded into again and again. Errc::unsupported_version outside T::kVersions.
template <Message T>
Result<void> decode(Decoder& in, T& message, Version version) {
  if (!T::kVersions.contains(version)) return Error{Errc::unsupported_version, "message version"};
  decode_fields(in, message, {version, T::kFlexible.contains(version)});
  return in.finish();
}

// Appends a message body.
template <Message T>
Result<void> encode(Encoder& out, const T& message, Version version) {
  if (!T::kVersions.contains(version)) return Error{Errc::unsupported_version, "message version"};
  encode_fields(out, message, {version, T::kFlexible.contains(version)});
  return out.finish();
}

}  // namespace sillok::protocol
