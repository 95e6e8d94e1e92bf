#include "protocol/wire/printer.h"

#include <fmt/format.h>

#include <cmath>

#include "protocol/base/utf8.h"

namespace sillok::protocol {
namespace {

constexpr std::string_view kReplacement = "\xef\xbf\xbd";

}  // namespace

void JsonWriter::open(char bracket) { text_ += bracket; }

void JsonWriter::close(char bracket) { text_ += bracket; }

void JsonWriter::comma() {
  if (!text_.empty() && text_.back() != '{' && text_.back() != '[') text_ += ',';
}

void JsonWriter::key(std::string_view name, std::string_view suffix) {
  text_ += '"';
  text_ += static_cast<char>(name[0] >= 'A' && name[0] <= 'Z' ? name[0] - 'A' + 'a' : name[0]);
  text_ += name.substr(1);
  text_ += suffix;
  text_ += "\":";
}

void JsonWriter::float64(double value) {
  if (!std::isfinite(value)) return string(std::isnan(value) ? "NaN" : value > 0 ? "Infinity" : "-Infinity");
  text_ += fmt::format("{}", value);
}

void JsonWriter::string(std::string_view value) {
  text_ += '"';
  while (!value.empty()) {
    const std::size_t size = utf8_size(value);
    const char first = value[0];
    if (size == 0) {
      text_ += kReplacement;
    } else if (first == '"' || first == '\\') {
      text_ += '\\';
      text_ += first;
    } else if (static_cast<std::uint8_t>(first) < 0x20) {
      text_ += fmt::format("\\u{:04x}", static_cast<int>(first));
    } else {
      text_ += value.substr(0, size);
    }
    value.remove_prefix(size == 0 ? 1 : size);
  }
  text_ += '"';
}

void JsonWriter::base64(ByteView value) {
  constexpr std::string_view kAlphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  text_ += '"';
  for (std::size_t i = 0; i < value.size(); i += 3) {
    const std::size_t count = std::min<std::size_t>(3, value.size() - i);
    std::uint32_t bits = 0;
    for (std::size_t j = 0; j < 3; ++j)
      bits = bits << 8 | (j < count ? static_cast<std::uint32_t>(value[i + j]) : 0);
    for (std::size_t j = 0; j < 4; ++j) text_ += j <= count ? kAlphabet[bits >> (18 - 6 * j) & 0x3f] : '=';
  }
  text_ += '"';
}

}  // namespace sillok::protocol
