// What may fail for reasons outside this program: the peer's bytes, the disk, the configuration.
#pragma once

#include <optional>
#include <string>
#include <type_traits>
#include <utility>
#include <variant>

#include "protocol/base/check.h"

namespace sillok {

// What went wrong, as far as a caller must tell cases apart. Kafka's error codes are another matter
// (protocol/error_code.h); the broker maps these to those in one place.
enum class Errc {
  // The peer's or a file's bytes.
  truncated,            // ends inside a value
  malformed,            // a value that the format does not allow
  corrupt,              // a checksum or a chain does not fit
  budget_exceeded,      // well-formed, but would take more memory than allowed
  unsupported_version,  // of a message, a batch or a file
  unsupported_codec,
  too_large,  // over a configured limit
  // The log.
  invalid_record,         // a batch that must not be stored
  invalid_timestamp,      // outside message.timestamp.{before,after}.max.ms
  out_of_order_sequence,  // an idempotent producer left a gap
  producer_fenced,        // an old producer epoch
  offset_out_of_range,
  would_block,     // not in the page cache; ask again where blocking is allowed
  segment_failed,  // an earlier write or flush of this file failed: nothing is retried
  offline,         // the partition or its directory does not serve any more
  closed,          // shut down, or deleted
  // The file system.
  io_error,
  no_space,
  too_many_files,
  not_found,
  already_exists,
  lock_held,
  // Callers.
  invalid_argument,
  invalid_config,
  timed_out,
  connection_lost,
  broker_error,  // the answer of a broker was an error; the text names it
};

// The name of the code, for logs: "offset_out_of_range".
const char* to_string(Errc);

struct Error {
  Errc code;
  std::string detail;  // for people: path, offset, errno text

  std::string describe() const;  // "io_error: <detail>"
};

template <class T>
class [[nodiscard]] Result {
 public:
  using value_type = T;
  Result(T value)
      : state_(std::in_place_index<0>, std::move(value)) {}  // NOLINT(google-explicit-constructor)
  Result(Error error)
      : state_(std::in_place_index<1>, std::move(error)) {}  // NOLINT(google-explicit-constructor)

  bool ok() const { return state_.index() == 0; }
  explicit operator bool() const { return ok(); }
  // Requires: ok().
  T& value() & {
    SILLOK_CHECK(ok());
    return *std::get_if<0>(&state_);
  }
  const T& value() const& {
    SILLOK_CHECK(ok());
    return *std::get_if<0>(&state_);
  }
  T&& value() && {
    SILLOK_CHECK(ok());
    return std::move(*std::get_if<0>(&state_));
  }
  T& operator*() & { return value(); }
  const T& operator*() const& { return value(); }
  T* operator->() { return &value(); }
  const T* operator->() const { return &value(); }
  // Requires: !ok().
  Error& error() & {
    SILLOK_CHECK(!ok());
    return *std::get_if<1>(&state_);
  }
  const Error& error() const& {
    SILLOK_CHECK(!ok());
    return *std::get_if<1>(&state_);
  }
  Error&& error() && {
    SILLOK_CHECK(!ok());
    return std::move(*std::get_if<1>(&state_));
  }

 private:
  std::variant<T, Error> state_;
};

template <>
class [[nodiscard]] Result<void> {
 public:
  using value_type = void;
  Result() = default;
  Result(Error error) : error_(std::move(error)) {}  // NOLINT(google-explicit-constructor)

  bool ok() const { return !error_.has_value(); }
  explicit operator bool() const { return ok(); }
  void value() const { SILLOK_CHECK(ok()); }
  Error& error() & {
    SILLOK_CHECK(!ok());
    return *error_;
  }
  const Error& error() const& {
    SILLOK_CHECK(!ok());
    return *error_;
  }
  Error&& error() && {
    SILLOK_CHECK(!ok());
    return *std::move(error_);
  }

 private:
  std::optional<Error> error_;
};

}  // namespace sillok

// The value of a Result, or out of the function with its error: `auto size = TRY(file.size());`
#define TRY(expression)                                           \
  __extension__({                                                 \
    auto try_result_ = (expression);                              \
    if (!try_result_.ok()) return std::move(try_result_).error(); \
    std::move(try_result_).value();                               \
  })
