#include "protocol/wire/printer.h"

#include <fmt/format.h>

#include <cmath>

namespace sillok::protocol {
namespace {

constexpr std::string_view kReplacement = "\xef\xbf\xbd";

// The size of the UTF-8 sequence that `text` begins with; 0 where it begins with none. RFC 3629, section 4.
std::size_t utf8_size(std::string_view text) {
  const auto at = [&](std::size_t i) { return i < text.size() ? static_cast<std::uint8_t>(text[i]) : 0; };
  const auto continues = [&](std::size_t i) { return (at(i) & 0xc0) == 0x80; };
  const int lead = at(0);
  if (lead < 0x80) return 1;
  if (lead >= 0xc2 && lead < 0xe0) return continues(1) ? 2 : 0;
  if (lead >= 0xe0 && lead < 0xf0) {
    const bool overlong = lead == 0xe0 && at(1) < 0xa0;
    const bool surrogate = lead == 0xed && at(1) >= 0xa0;
    return continues(1) && continues(2) && !overlong && !surrogate ? 3 : 0;
  }
  if (lead >= 0xf0 && lead < 0xf5) {
    const bool overlong = lead == 0xf0 && at(1) < 0x90;
    const bool too_high = lead == 0xf4 && at(1) >= 0x90;
    return continues(1) && continues(2) && continues(3) && !overlong && !too_high ? 4 : 0;
  }
  return 0;
}

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
