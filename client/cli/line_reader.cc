#include "client/cli/line_reader.h"

#include <fmt/format.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

namespace sillok::client {
namespace {

constexpr std::size_t kReadSize = 256 << 10;

}  // namespace

Result<LineReader::Next> LineReader::next(std::string_view& line) {
  for (;;) {
    const std::size_t newline = buffer_.find('\n', scanned_);
    if (newline != std::string::npos) {
      line = std::string_view(buffer_).substr(begin_, newline - begin_);
      begin_ = scanned_ = newline + 1;
      return Next::line;
    }
    scanned_ = buffer_.size();
    if (buffer_.size() - begin_ > line_size_max_) {
      return Error{Errc::too_large, fmt::format("a line of more than {} bytes", line_size_max_)};
    }
    if (at_end_) {
      if (begin_ == buffer_.size()) return Next::end;
      line = std::string_view(buffer_).substr(begin_);
      begin_ = scanned_ = buffer_.size();
      return Next::line;
    }
    buffer_.erase(0, begin_);
    scanned_ -= begin_;
    begin_ = 0;
    const std::size_t old_size = buffer_.size();
    buffer_.resize(old_size + kReadSize);
    const ssize_t got = ::read(descriptor_, buffer_.data() + old_size, kReadSize);
    const int error = errno;
    buffer_.resize(old_size + static_cast<std::size_t>(got > 0 ? got : 0));
    if (got < 0 && error == EINTR) return Next::interrupted;
    if (got < 0) return Error{Errc::io_error, fmt::format("read: {}", std::strerror(error))};
    if (got == 0) at_end_ = true;
  }
}

}  // namespace sillok::client
