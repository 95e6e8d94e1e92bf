// The lines of a descriptor, however long, as fast as read() gives them.
#pragma once

#include <string>
#include <string_view>

#include "protocol/base/result.h"

namespace sillok::client {

// Threading: not thread-safe.
class LineReader {
 public:
  LineReader(int descriptor, std::size_t line_size_max)
      : descriptor_(descriptor), line_size_max_(line_size_max) {}

  enum class Next { line, end, interrupted };
  // The next line, without its newline; a last line may lack one. Errc::too_large for a line over the limit,
  // io_error.
  Result<Next> next(std::string_view& line);

 private:
  int descriptor_;
  std::size_t line_size_max_;
  std::string buffer_;
  std::size_t begin_ = 0;    // of the next line
  std::size_t scanned_ = 0;  // no newline between begin_ and here
  bool at_end_ = false;
};

}  // namespace sillok::client
