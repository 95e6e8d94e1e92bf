#include "bench/load_channel.h"

#include <fmt/format.h>
#include <sys/epoll.h>
#include <sys/socket.h>

#include <cerrno>
#include <cstring>

namespace sillok::bench {
namespace {

constexpr std::size_t kCorrelationPosition = 8;  // after size, key and version

Error lost(const char* what) {
  return Error{Errc::connection_lost, fmt::format("{}: {}", what, strerror(errno))};
}

}  // namespace

void Channel::queue(ByteView request, std::int32_t correlation_id) {
  if (sent_ == out_.size()) {
    out_.clear();
    sent_ = 0;
  }
  const std::size_t start = out_.size();
  out_.insert(out_.end(), request.begin(), request.end());
  store_big_endian(out_.data() + start + kCorrelationPosition, correlation_id);
}

Result<void> Channel::flush() {
  while (sent_ < out_.size()) {
    const ssize_t sent = ::send(descriptor(), out_.data() + sent_, out_.size() - sent_, MSG_NOSIGNAL);
    if (sent < 0 && errno == EINTR) continue;
    if (sent < 0 && errno == EAGAIN) return {};
    if (sent < 0) return lost("send");
    sent_ += static_cast<std::size_t>(sent);
  }
  return {};
}

Result<void> Channel::receive() {
  if (begin_ == end_) begin_ = end_ = 0;
  if (end_ == in_size_ && begin_ > 0) {
    std::memmove(in_.get(), in_.get() + begin_, end_ - begin_);
    end_ -= begin_;
    begin_ = 0;
  }
  const ssize_t received = ::recv(descriptor(), in_.get() + end_, in_size_ - end_, 0);
  if (received < 0 && (errno == EAGAIN || errno == EINTR)) return {};
  if (received < 0) return lost("recv");
  if (received == 0) return Error{Errc::connection_lost, "the server closed the connection"};
  end_ += static_cast<std::size_t>(received);
  return {};
}

void Channel::grow(std::size_t size) {
  auto larger = std::make_unique_for_overwrite<std::byte[]>(size);
  std::memcpy(larger.get(), in_.get() + begin_, end_ - begin_);
  end_ -= begin_;
  begin_ = 0;
  in_ = std::move(larger);
  in_size_ = size;
}

Result<ByteView> Channel::next_frame() {
  const std::size_t available = end_ - begin_;
  if (available < protocol::kFrameSizeBytes) return ByteView{};
  const auto size = load_big_endian<std::int32_t>(in_.get() + begin_);
  if (size < 4 || static_cast<std::size_t>(size) > kResponseBytesMax) {
    return Error{Errc::malformed, fmt::format("an answer of {} bytes", size)};
  }
  const std::size_t whole = protocol::kFrameSizeBytes + static_cast<std::size_t>(size);
  if (available < whole) {
    if (in_size_ < whole) grow(whole);
    return ByteView{};
  }
  const ByteView frame(in_.get() + begin_ + protocol::kFrameSizeBytes, static_cast<std::size_t>(size));
  begin_ += whole;
  return frame;
}

Result<Poller> Poller::create() {
  Socket epoll(::epoll_create1(EPOLL_CLOEXEC));
  if (epoll.descriptor() < 0) return lost("epoll_create1");
  return Poller(std::move(epoll));
}

Result<void> Poller::watch(int descriptor, std::uint64_t tag) {
  epoll_event event{};
  event.events = EPOLLIN;
  event.data.u64 = tag;
  if (::epoll_ctl(epoll_.descriptor(), EPOLL_CTL_ADD, descriptor, &event) != 0) return lost("epoll_ctl");
  return {};
}

void Poller::want_write(int descriptor, std::uint64_t tag, bool wanted) {
  epoll_event event{};
  event.events = EPOLLIN;
  if (wanted) event.events |= EPOLLOUT;
  event.data.u64 = tag;
  ::epoll_ctl(epoll_.descriptor(), EPOLL_CTL_MOD, descriptor, &event);
}

int Poller::wait(Event (&events)[kEventsMax], std::int64_t timeout_ns) {
  epoll_event raw[kEventsMax];
  if (timeout_ns < 0) timeout_ns = 0;
  const timespec timeout{timeout_ns / 1'000'000'000, timeout_ns % 1'000'000'000};
  const int count = ::epoll_pwait2(epoll_.descriptor(), raw, kEventsMax, &timeout, nullptr);
  for (int i = 0; i < count; ++i) events[i] = {raw[i].data.u64, (raw[i].events & EPOLLOUT) != 0};
  return count < 0 ? 0 : count;
}

}  // namespace sillok::bench
