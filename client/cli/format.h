// How a record is printed: text with tokens in it.
//
//   %t topic       %p partition   %o offset          %T or %d timestamp in milliseconds
//   %k key         %K its size    %v value           %V its size
//   %h headers as name=value,...  %h{%k: %v;} each   %H their number
//   %% a percent sign             \n \t \r \0 \\ \xHH  as in C
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "protocol/base/ids.h"
#include "protocol/base/result.h"
#include "protocol/record_batch_view.h"

namespace sillok::client {

class RecordFormat {
 public:
  // Errc::invalid_argument names the token that is not known.
  static Result<RecordFormat> parse(std::string_view text);

  // Appends a record to `out`. A null key or value prints as nothing.
  void print(std::string& out, std::string_view topic, PartitionIndex partition,
             const protocol::Record& record) const;

 private:
  struct Piece {
    char token;        // 0: literal
    std::string text;  // a literal, or what is in the braces of %h
  };

  static Result<std::vector<Piece>> split(std::string_view text, std::string_view tokens);
  void print_headers(std::string& out, const Piece& piece, const protocol::Record& record) const;

  std::vector<Piece> pieces_;
  std::vector<Piece> header_pieces_;
};

}  // namespace sillok::client
