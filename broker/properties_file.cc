#include "broker/properties_file.h"

#include <fmt/format.h>

#include <cstdint>
#include <fstream>
#include <iterator>
#include <optional>
#include <utility>

namespace sillok::broker {
namespace {

constexpr std::size_t kFileSizeMax = 1 << 20;

bool is_space(char c) { return c == ' ' || c == '\t' || c == '\f'; }

void append_utf8(std::string& out, std::uint32_t code) {
  if (code < 0x80) {
    out += static_cast<char>(code);
  } else if (code < 0x800) {
    out += static_cast<char>(0xc0 | (code >> 6));
    out += static_cast<char>(0x80 | (code & 0x3f));
  } else if (code < 0x10000) {
    out += static_cast<char>(0xe0 | (code >> 12));
    out += static_cast<char>(0x80 | ((code >> 6) & 0x3f));
    out += static_cast<char>(0x80 | (code & 0x3f));
  } else {
    out += static_cast<char>(0xf0 | (code >> 18));
    out += static_cast<char>(0x80 | ((code >> 12) & 0x3f));
    out += static_cast<char>(0x80 | ((code >> 6) & 0x3f));
    out += static_cast<char>(0x80 | (code & 0x3f));
  }
}

std::optional<std::uint32_t> parse_hex4(std::string_view text) {
  if (text.size() < 4) return std::nullopt;
  std::uint32_t value = 0;
  for (char c : text.substr(0, 4)) {
    const int digit = c >= '0' && c <= '9'   ? c - '0'
                      : c >= 'a' && c <= 'f' ? c - 'a' + 10
                      : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                             : -1;
    if (digit < 0) return std::nullopt;
    value = value * 16 + static_cast<std::uint32_t>(digit);
  }
  return value;
}

// Splits the file into lines as a reader sees them: continued ones joined, comments and empty ones left out.
class LogicalLines {
 public:
  explicit LogicalLines(std::string_view content) : left_(content) {}

  struct Line {
    std::string text;
    int number;
  };
  std::optional<Line> next() {
    while (has_more_) {
      std::string_view natural = strip(take());
      const int number = number_;
      if (natural.empty() || natural.front() == '#' || natural.front() == '!') continue;
      std::string text;
      while (is_continued(natural)) {
        text += natural.substr(0, natural.size() - 1);
        natural = has_more_ ? strip(take()) : std::string_view();
      }
      text += natural;
      return Line{std::move(text), number};
    }
    return std::nullopt;
  }

 private:
  std::string_view take() {
    ++number_;
    const std::size_t end = left_.find_first_of("\r\n");
    const std::string_view line = left_.substr(0, end);
    if (end == std::string_view::npos) {
      has_more_ = false;
      return line;
    }
    const bool is_pair = left_[end] == '\r' && end + 1 < left_.size() && left_[end + 1] == '\n';
    left_.remove_prefix(end + (is_pair ? 2 : 1));
    return line;
  }
  static std::string_view strip(std::string_view line) {
    while (!line.empty() && is_space(line.front())) line.remove_prefix(1);
    return line;
  }
  // An odd number of backslashes at the end: the last one is not itself escaped.
  static bool is_continued(std::string_view line) {
    std::size_t count = 0;
    while (count < line.size() && line[line.size() - 1 - count] == '\\') ++count;
    return count % 2 == 1;
  }

  std::string_view left_;
  bool has_more_ = true;
  int number_ = 0;
};

// Where the name ends: the first separator that no backslash stands before.
std::size_t name_size(std::string_view line) {
  for (std::size_t i = 0; i < line.size(); ++i) {
    if (line[i] == '\\') {
      ++i;
    } else if (line[i] == '=' || line[i] == ':' || is_space(line[i])) {
      return i;
    }
  }
  return line.size();
}

// nullopt for a \u without four digits.
std::optional<std::string> unescape(std::string_view text) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '\\' || i + 1 == text.size()) {
      out += text[i];
      continue;
    }
    const char escaped = text[++i];
    if (escaped == 'u') {
      auto code = parse_hex4(text.substr(i + 1));
      if (!code) return std::nullopt;
      i += 4;
      const bool is_high = *code >= 0xd800 && *code < 0xdc00;
      if (is_high && text.substr(i + 1).starts_with("\\u")) {
        const auto low = parse_hex4(text.substr(i + 3));
        if (low && *low >= 0xdc00 && *low < 0xe000) {
          code = 0x10000 + ((*code - 0xd800) << 10) + (*low - 0xdc00);
          i += 6;
        }
      }
      append_utf8(out, *code);
    } else {
      out += escaped == 't'   ? '\t'
             : escaped == 'n' ? '\n'
             : escaped == 'r' ? '\r'
             : escaped == 'f' ? '\f'
                              : escaped;
    }
  }
  return out;
}

}  // namespace

Result<std::vector<Property>> parse_properties(std::string_view content) {
  std::vector<Property> properties;
  LogicalLines lines(content);
  while (const auto line = lines.next()) {
    const std::string_view text = line->text;
    const std::size_t end = name_size(text);
    std::string_view value = text.substr(end);
    while (!value.empty() && is_space(value.front())) value.remove_prefix(1);
    if (!value.empty() && (value.front() == '=' || value.front() == ':')) value.remove_prefix(1);
    while (!value.empty() && is_space(value.front())) value.remove_prefix(1);
    auto name = unescape(text.substr(0, end));
    auto unescaped = unescape(value);
    if (!name || !unescaped) {
      return Error{Errc::malformed, fmt::format("line {}: \\u needs four hexadecimal digits", line->number)};
    }
    properties.push_back({*std::move(name), *std::move(unescaped), line->number});
  }
  return properties;
}

Result<std::vector<Property>> read_properties(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) return Error{Errc::invalid_config, fmt::format("{}: cannot be opened", path)};
  std::string content;
  char block[4096];
  while (file.read(block, sizeof block) || file.gcount() > 0) {
    content.append(block, static_cast<std::size_t>(file.gcount()));
    if (content.size() > kFileSizeMax) {
      return Error{Errc::invalid_config, fmt::format("{}: larger than {} bytes", path, kFileSizeMax)};
    }
  }
  if (file.bad()) return Error{Errc::invalid_config, fmt::format("{}: cannot be read", path)};
  auto properties = parse_properties(content);
  if (!properties.ok()) {
    return Error{Errc::invalid_config, fmt::format("{}: {}", path, properties.error().detail)};
  }
  return properties;
}

}  // namespace sillok::broker
