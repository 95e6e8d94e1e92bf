#include "client/cli/format.h"

#include <fmt/format.h>

#include <charconv>
#include <iterator>

namespace sillok::client {
namespace {

constexpr std::string_view kRecordTokens = "tpoTdkKvVhH";
constexpr std::string_view kHeaderTokens = "kv";

Error bad(std::string text) { return Error{Errc::invalid_argument, std::move(text)}; }

// Reads the escape that follows a backslash at text[0]; removes it.
Result<char> take_escape(std::string_view& text) {
  if (text.empty()) return bad("a format ends in a backslash");
  const char kind = text.front();
  text.remove_prefix(1);
  switch (kind) {
    case 'n':
      return '\n';
    case 't':
      return '\t';
    case 'r':
      return '\r';
    case '0':
      return '\0';
    case '\\':
      return '\\';
    case 'x': {
      unsigned value = 0;
      const auto parsed =
          std::from_chars(text.data(), text.data() + std::min<std::size_t>(2, text.size()), value, 16);
      if (parsed.ec != std::errc()) return bad("\\x needs hexadecimal digits");
      text.remove_prefix(static_cast<std::size_t>(parsed.ptr - text.data()));
      return static_cast<char>(value);
    }
    default:
      return bad(fmt::format("unknown escape '\\{}' in a format", kind));
  }
}

void append(std::string& out, const std::optional<ByteView>& bytes) {
  if (bytes) out += as_text(*bytes);
}

void append_size(std::string& out, const std::optional<ByteView>& bytes) {
  fmt::format_to(std::back_inserter(out), "{}", bytes ? bytes->size() : 0);
}

}  // namespace

Result<std::vector<RecordFormat::Piece>> RecordFormat::split(std::string_view text, std::string_view tokens) {
  std::vector<Piece> pieces;
  const auto literal = [&pieces](char c) {
    if (pieces.empty() || pieces.back().token != 0) pieces.push_back({0, ""});
    pieces.back().text.push_back(c);
  };
  while (!text.empty()) {
    const char c = text.front();
    text.remove_prefix(1);
    if (c == '\\') {
      literal(TRY(take_escape(text)));
      continue;
    }
    if (c != '%') {
      literal(c);
      continue;
    }
    if (text.empty()) return bad("a format ends in '%'");
    const char token = text.front();
    text.remove_prefix(1);
    if (token == '%') {
      literal('%');
      continue;
    }
    if (tokens.find(token) == std::string_view::npos)
      return bad(fmt::format("unknown token '%{}' in a format", token));
    pieces.push_back({token, ""});
    if (token == 'h' && text.starts_with('{')) {
      const std::size_t close = text.find('}');
      if (close == std::string_view::npos) return bad("'%h{' has no '}'");
      pieces.back().text = text.substr(1, close - 1);
      text.remove_prefix(close + 1);
    }
  }
  return pieces;
}

Result<RecordFormat> RecordFormat::parse(std::string_view text) {
  RecordFormat format;
  format.pieces_ = TRY(split(text, kRecordTokens));
  for (const Piece& piece : format.pieces_) {
    if (piece.token == 'h' && !piece.text.empty())
      format.header_pieces_ = TRY(split(piece.text, kHeaderTokens));
  }
  return format;
}

void RecordFormat::print_headers(std::string& out, const Piece& piece, const protocol::Record& record) const {
  bool is_first = true;
  for (const protocol::RecordHeader& header : record.headers) {
    if (piece.text.empty()) {
      if (!is_first) out += ',';
      out += header.key;
      out += '=';
      append(out, header.value);
    }
    for (const Piece& part : piece.text.empty() ? std::vector<Piece>() : header_pieces_) {
      if (part.token == 0) out += part.text;
      if (part.token == 'k') out += header.key;
      if (part.token == 'v') append(out, header.value);
    }
    is_first = false;
  }
}

void RecordFormat::print(std::string& out, std::string_view topic, PartitionIndex partition,
                         const protocol::Record& record) const {
  const auto number = [&out](auto value) { fmt::format_to(std::back_inserter(out), "{}", value); };
  for (const Piece& piece : pieces_) {
    switch (piece.token) {
      case 0:
        out += piece.text;
        break;
      case 't':
        out += topic;
        break;
      case 'p':
        number(partition.value);
        break;
      case 'o':
        number(record.offset.value);
        break;
      case 'T':
      case 'd':
        number(record.timestamp);
        break;
      case 'k':
        append(out, record.key);
        break;
      case 'K':
        append_size(out, record.key);
        break;
      case 'v':
        append(out, record.value);
        break;
      case 'V':
        append_size(out, record.value);
        break;
      case 'h':
        print_headers(out, piece, record);
        break;
      case 'H':
        number(record.headers.size());
        break;
      default:
        break;
    }
  }
}

}  // namespace sillok::client
