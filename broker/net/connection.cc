#include "broker/net/connection.h"

#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <boost/asio/post.hpp>
#include <cerrno>
#include <cstring>
#include <utility>
#include <vector>

#include "broker/append_round.h"
#include "broker/cold_reads.h"
#include "broker/device_use.h"
#include "broker/dispatcher.h"
#include "broker/net/listener.h"
#include "broker/rate_limited_log.h"
#include "protocol/frame.h"

namespace sillok::broker {

namespace {

bool is_of(protocol::ApiKey api, ByteView frame) {
  return frame.size() >= sizeof(std::int16_t) &&
         load_big_endian<std::int16_t>(frame.data()) == static_cast<std::int16_t>(api);
}

bool is_produce(ByteView frame) { return is_of(protocol::ApiKey::produce, frame); }

// Whether what the request keeps of a frame while it waits is to count as the frame does. Not of a produce:
// its batches are written, or count as queued at their device. Nor of a fetch, which may wait for as long as
// its client likes, and would keep the frames of producers out.
bool counts_until_answered(ByteView frame) {
  return !is_produce(frame) && !is_of(protocol::ApiKey::fetch, frame);
}

}  // namespace

// An answer that was made on another thread.
class Connection::CompletionTask final : public ReactorTask {
 public:
  CompletionTask(std::shared_ptr<Connection> connection, std::uint64_t slot, SlotOutcome outcome,
                 OutgoingFrame frame)
      : connection_(std::move(connection)), slot_(slot), outcome_(outcome), frame_(std::move(frame)) {}
  void run() override { connection_->complete(slot_, outcome_, std::move(frame_)); }

 private:
  const std::shared_ptr<Connection> connection_;
  const std::uint64_t slot_;
  const SlotOutcome outcome_;
  OutgoingFrame frame_;
};

// A large frame that waits for the budget.
class Connection::ReservationTask final : public FrameBudget::Waiter {
 public:
  explicit ReservationTask(std::shared_ptr<Connection> connection) : connection_(std::move(connection)) {}
  ReactorPort& reactor() override { return connection_->reactor_; }
  void run() override { connection_->reservation_made(); }

 private:
  const std::shared_ptr<Connection> connection_;
};

// The device has room again.
class Connection::DeviceReadyTask final : public ReactorTask {
 public:
  explicit DeviceReadyTask(std::shared_ptr<Connection> connection) : connection_(std::move(connection)) {}
  void run() override {
    connection_->waiting_for_device_ = false;
    connection_->end_of_round();
  }

 private:
  const std::shared_ptr<Connection> connection_;
};

// A slice that is in memory now.
class Connection::BroughtInTask final : public ReactorTask {
 public:
  BroughtInTask(std::shared_ptr<Connection> connection, bool readable)
      : connection_(std::move(connection)), readable_(readable) {}
  void run() override {
    connection_->bringing_in_ = false;
    if (!readable_) return connection_->close("a log file could not be read");
    connection_->end_of_round();
  }

 private:
  const std::shared_ptr<Connection> connection_;
  const bool readable_;
};

Connection::Connection(ClientSocket socket, const ReactorSlot& slot, const ReactorSlot& home,
                       ConnectionEnvironment& environment, ConnectionInfo info, std::string address)
    : socket_(std::move(socket)),
      reactor_(*slot.reactor),
      home_(home),
      environment_(environment),
      info_(std::move(info)),
      address_(std::move(address)),
      last_activity_(reactor_.clock().steady()) {}

Connection::~Connection() { close(nullptr); }

void Connection::start() {
  boost::system::error_code error;
  socket_.native_non_blocking(true, error);
  if (error) return close("its socket cannot be made non-blocking");
  go_on();
}

void Connection::close(const char* reason) {
  if (!open_) return;
  open_ = false;
  if (reason != nullptr) log_rate_limited("connection from {} closed: {}", info_.peer, reason);
  if (reservation_ && environment_.budget.cancel(reservation_.get())) reservation_.reset();
  if (reserved_ > 0) environment_.budget.release(std::exchange(reserved_, 0));
  large_.reset();
  Bytes().swap(kept_);
  boost::system::error_code ignored;
  socket_.shutdown(ClientSocket::shutdown_both, ignored);
  socket_.close(ignored);
  environment_.limits.leave(address_);
  abandon_slots();
}

// Answers have nobody to go to any more, and what waits for one need not.
void Connection::abandon_slots() {
  output_ = OutputQueue();
  held_bytes_ = 0;
  std::vector<std::shared_ptr<Abandonable>> waiting;
  for (std::size_t i = 0; i < slots_.size(); ++i) {
    Slot& slot = slots_[i];
    slot.frame = {};
    if (auto waits = slot.waits.lock(); waits && !slot.done) waiting.push_back(std::move(waits));
  }
  for (const std::shared_ptr<Abandonable>& one : waiting) one->abandon();
}

void Connection::check_time(storage::SteadyTime now) {
  const Config& config = environment_.services.config;
  if (frame_began_ && now - *frame_began_ > std::chrono::milliseconds(config.frame_timeout_ms)) {
    return close("a request did not arrive whole in time");
  }
  if (slots_.empty() && output_.empty() && now - last_activity_ > kIdleAfter) {
    slots_.release();
    output_.release();
  }
  // Whoever waits for an answer is not idle; whoever does not take his is.
  const bool may_be_idle = slots_.empty() || !output_.empty();
  if (may_be_idle && config.connections_max_idle_ms > 0 &&
      now - last_activity_ > std::chrono::milliseconds(config.connections_max_idle_ms)) {
    close(nullptr);
  }
}

// ---- receiving ----

void Connection::wait_readable() {
  if (!open_ || waiting_readable_) return;
  // A frame's time counts only while it is the peer that it waits for.
  if ((!kept_.empty() || large_) && !frame_began_) frame_began_ = reactor_.clock().steady();
  waiting_readable_ = true;
  socket_.async_wait(ClientSocket::wait_read, [self = shared_from_this()](boost::system::error_code error) {
    self->waiting_readable_ = false;
    if (error || !self->open_) return;
    self->on_readable();
  });
}

void Connection::on_readable() {
  if (may_dispatch()) {
    large_ ? receive_large() : receive_small();
    send_answers();
  }
  go_on();
}

// Asks for more where there may be more. What was kept while the connection was paused may hold whole frames:
// those come first, after others have had their turn.
void Connection::go_on() {
  if (!may_dispatch()) {
    frame_began_.reset();
    return;
  }
  if (waiting_readable_ || dispatching_) return;
  if (large_ || !is_frame_kept()) return wait_readable();
  ask_for_end_of_round();
}

bool Connection::is_frame_kept() const {
  if (kept_.size() < protocol::kFrameSizeBytes) return false;
  const auto size = load_big_endian<std::int32_t>(kept_.data());
  if (size < 0) return true;  // to be refused
  const std::size_t whole = protocol::kFrameSizeBytes + static_cast<std::size_t>(size);
  return whole <= kept_.size() || whole > kSmallFrameBytes;
}

void Connection::take_kept() {
  if (!may_dispatch() || waiting_readable_ || dispatching_ || large_ || !is_frame_kept()) return;
  const MutableByteView scratch = reactor_.scratch();
  const std::size_t held = kept_.size();
  std::memcpy(scratch.data(), kept_.data(), held);
  kept_.clear();
  take_frames(scratch.first(held));
  send_answers();
}

// 0 where nothing is there; connection_lost at the end of the stream.
Result<std::size_t> Connection::receive(MutableByteView into) {
  for (;;) {
    const ssize_t got = ::recv(socket_.native_handle(), into.data(), into.size(), MSG_DONTWAIT);
    if (got > 0) {
      last_activity_ = reactor_.clock().steady();
      return static_cast<std::size_t>(got);
    }
    if (got == 0) return Error{Errc::connection_lost, ""};
    if (errno == EAGAIN || errno == EWOULDBLOCK) return std::size_t{0};
    if (errno != EINTR) return Error{Errc::connection_lost, std::strerror(errno)};
  }
}

void Connection::receive_small() {
  const MutableByteView scratch = reactor_.scratch();
  const std::size_t held = kept_.size();
  CHECK(held < scratch.size());
  if (held > 0) std::memcpy(scratch.data(), kept_.data(), held);
  kept_.clear();
  const Result<std::size_t> got = receive(scratch.subspan(held));
  if (!got.ok()) return close(nullptr);
  take_frames(scratch.first(held + *got));
}

void Connection::receive_large() {
  const Result<std::size_t> got = receive(large_->rest());
  if (!got.ok()) return close(nullptr);
  large_->filled(*got);
  if (large_->complete()) dispatch_large();
}

void Connection::dispatch_large() {
  frame_began_.reset();
  LargeFrame frame = std::move(*large_);
  large_.reset();
  const bool counts = counts_until_answered(frame.frame());
  const std::uint64_t slot = dispatch_frame(frame.frame());
  Slot& entry = slots_[slot - first_slot_];
  if (counts && !entry.done) {
    entry.reserved = std::exchange(reserved_, 0);
  } else {
    environment_.budget.release(std::exchange(reserved_, 0));
  }
}

bool Connection::may_dispatch() const {
  const Config& config = environment_.services.config;
  return open_ && !receiving_ended_ && !closes_when_sent_ && !waiting_for_device_ && !reservation_ &&
         slots_.size() < static_cast<std::size_t>(config.max_in_flight_per_connection) &&
         output_.unsent() + held_bytes_ < config.response_bytes_max;
}

void Connection::take_frames(MutableByteView bytes) {
  const auto size_max = environment_.services.config.socket_request_max_bytes;
  AppendRound appends;
  while (bytes.size() >= protocol::kFrameSizeBytes && may_dispatch()) {
    if (is_produce(bytes.subspan(protocol::kFrameSizeBytes))) is_replaying_ = false;
    if (const ReactorSlot* const better = better_reactor(bytes)) return move_to(*better, bytes);
    const auto size = load_big_endian<std::int32_t>(bytes.data());
    if (size < 0 || size > size_max) return refuse_size(size);
    const std::size_t whole = protocol::kFrameSizeBytes + static_cast<std::size_t>(size);
    const MutableByteView frame =
        bytes.first(std::min(whole, bytes.size())).subspan(protocol::kFrameSizeBytes);
    const bool is_whole = whole <= bytes.size();
    // What follows an append sees it.
    if (is_whole && !is_produce(frame)) make_appends(appends);
    if (whole > kSmallFrameBytes && (!is_whole || counts_until_answered(frame))) {
      if (!begin_large(static_cast<std::size_t>(size), frame)) break;
      if (!is_whole) return;
      dispatch_large();
    } else {
      if (!is_whole) break;
      frame_began_.reset();
      dispatch_frame(frame);
    }
    bytes = bytes.subspan(whole);
  }
  make_appends(appends);
  if (!open_ || receiving_ended_) return;
  if (!bytes.empty()) {
    kept_.assign(bytes.begin(), bytes.end());
  } else if (kept_.capacity() > 0) {
    Bytes().swap(kept_);
  }
}

const ReactorSlot* Connection::better_reactor(ByteView bytes) const {
  if (!slots_.empty() || !output_.empty() || reserved_ > 0) return nullptr;
  const auto is_here = [this](const ReactorSlot* slot) {
    return slot != nullptr && slot->reactor == &reactor_;
  };
  const ReactorSlot* better = nullptr;
  if (is_produce(bytes.subspan(protocol::kFrameSizeBytes)) && environment_.producers != nullptr) {
    better = environment_.producers;
  } else if (is_here(environment_.producers)) {
    return nullptr;  // whoever does both would come and go
  } else {
    better = is_replaying_ ? environment_.replays : &home_;
  }
  return is_here(better) ? nullptr : better;
}

// Ends this object, and goes on in another one with the same socket.
void Connection::move_to(const ReactorSlot& target, ByteView received) {
  boost::system::error_code error;
  const auto protocol = socket_.local_endpoint(error).protocol();
  if (error) return close(nullptr);
  const auto handle = socket_.release(error);
  if (error) return close("its socket cannot be handed over");
  open_ = false;
  ClientSocket socket(target.reactor->context());
  socket.assign(protocol, handle, error);
  if (error) {
    ::close(handle);
    environment_.limits.leave(address_);
    return log_rate_limited("connection from {} closed: its socket cannot be handed over", info_.peer);
  }
  auto moved = std::make_shared<Connection>(std::move(socket), target, home_, environment_, info_, address_);
  moved->kept_.assign(received.begin(), received.end());
  moved->is_replaying_ = is_replaying_;
  moved->sent_since_cold_ = sent_since_cold_;
  boost::asio::post(target.reactor->context(),
                    [set = target.connections, moved = std::move(moved)] { set->add(moved); });
}

// Its answers are sent by whoever received the requests.
void Connection::make_appends(AppendRound& appends) {
  dispatching_ = true;
  appends.flush();
  dispatching_ = false;
}

// Closes the connection once what came before was answered.
void Connection::refuse_size(std::int32_t size) {
  log_rate_limited(
      "connection from {}: a request announces {} bytes, which is negative or above socket.request.max.bytes",
      info_.peer, size);
  receiving_ended_ = true;
  const std::uint64_t slot = first_slot_ + slots_.size();
  slots_.push_back({});
  fill_slot(slot, SlotOutcome::disconnected, {});
}

// False where the frame must wait for the budget: its start is kept by the caller.
bool Connection::begin_large(std::size_t size, ByteView start) {
  if (reserved_ == 0 && !environment_.budget.reserve_now(static_cast<ByteCount>(size))) {
    auto task = std::make_shared<ReservationTask>(shared_from_this());
    if (!environment_.budget.reserve(static_cast<ByteCount>(size), task)) {
      reservation_ = std::move(task);
      wanted_large_ = size;
      return false;
    }
  }
  reserved_ = static_cast<ByteCount>(size);
  large_.emplace(reactor_.frame_pool(), size);
  std::memcpy(large_->rest().data(), start.data(), start.size());
  large_->filled(start.size());
  return true;
}

void Connection::reservation_made() {
  reservation_.reset();
  if (!open_) return environment_.budget.release(static_cast<ByteCount>(wanted_large_));
  reserved_ = static_cast<ByteCount>(wanted_large_);
  end_of_round();
}

std::uint64_t Connection::dispatch_frame(MutableByteView frame) {
  const std::uint64_t slot = first_slot_ + slots_.size();
  slots_.push_back({});
  const bool appends = is_produce(frame);
  std::optional<DeviceUse> use;
  if (appends) use.emplace();
  dispatching_ = true;
  const bool answerable = dispatch(environment_.services, reactor_, info_, frame, shared_from_this(), slot);
  dispatching_ = false;
  if (!answerable) receiving_ended_ = true;  // its slot closes the connection when its turn comes
  if (Device* const congested = use ? use->congested() : nullptr) wait_for(*congested);
  return slot;
}

// A producer that outruns the disk is not read from until the disk has caught up.
void Connection::wait_for(Device& device) {
  waiting_for_device_ = true;
  // The device holds the connection meanwhile: nothing else may.
  device.when_not_congested(
      [self = shared_from_this()] { self->reactor_.run_soon(std::make_shared<DeviceReadyTask>(self)); });
}

// ---- answering ----

void Connection::complete(std::uint64_t slot, SlotOutcome outcome, OutgoingFrame frame) {
  if (!reactor_.is_current()) {
    reactor_.run_soon(std::make_shared<CompletionTask>(shared_from_this(), slot, outcome, std::move(frame)));
    return;
  }
  fill_slot(slot, outcome, std::move(frame));
  if (!dispatching_) ask_for_end_of_round();
}

void Connection::watch(std::uint64_t slot, std::weak_ptr<Abandonable> waits) {
  CHECK(slot >= first_slot_ && slot - first_slot_ < slots_.size());
  slots_[slot - first_slot_].waits = std::move(waits);
  is_replaying_ = false;  // it waits for what comes
}

void Connection::ask_for_end_of_round() {
  if (std::exchange(end_of_round_asked_, true)) return;
  reactor_.at_end_of_round(shared_from_this());
}

void Connection::fill_slot(std::uint64_t slot, SlotOutcome outcome, OutgoingFrame frame) {
  CHECK(slot >= first_slot_ && slot - first_slot_ < slots_.size());
  Slot& entry = slots_[slot - first_slot_];
  entry.done = true;
  entry.outcome = outcome;
  if (entry.reserved > 0) environment_.budget.release(std::exchange(entry.reserved, 0));
  if (!open_) return;
  entry.frame = std::move(frame);
  held_bytes_ += entry.frame.size();
}

void Connection::end_of_round() {
  end_of_round_asked_ = false;
  send_answers();
  take_kept();
  go_on();
}

void Connection::send_answers() {
  while (!slots_.empty() && slots_.front().done && !closes_when_sent_) {
    Slot slot = std::move(slots_.front());
    slots_.pop_front();
    ++first_slot_;
    if (!open_) continue;
    held_bytes_ -= slot.frame.size();
    if (slot.outcome == SlotOutcome::answered) output_.push(std::move(slot.frame));
    closes_when_sent_ = slot.outcome == SlotOutcome::disconnected;
  }
  if (!open_ || waiting_writable_ || bringing_in_) return;
  if (!output_.empty()) send_output();
  if (closes_when_sent_ && output_.empty()) close(nullptr);
}

void Connection::send_output() {
  const ByteCount unsent = output_.unsent();
  const auto progress = output_.send(socket_.native_handle());
  if (!progress.ok()) {
    return close(progress.error().code == Errc::io_error ? "a log file could not be read" : nullptr);
  }
  if (output_.unsent() < unsent) last_activity_ = reactor_.clock().steady();
  sent_since_cold_ += unsent - output_.unsent();
  if (sent_since_cold_ > kCaughtUpAfterBytes) is_replaying_ = false;
  switch (*progress) {
    case OutputQueue::Progress::drained:
      return;
    case OutputQueue::Progress::socket_full:
      return wait_writable();
    case OutputQueue::Progress::cold:
      return bring_in_cold_slice();
    case OutputQueue::Progress::more:
      return ask_for_end_of_round();
  }
}

void Connection::wait_writable() {
  waiting_writable_ = true;
  socket_.async_wait(ClientSocket::wait_write, [self = shared_from_this()](boost::system::error_code error) {
    self->waiting_writable_ = false;
    if (error || !self->open_) return;
    self->end_of_round();
  });
}

void Connection::bring_in_cold_slice() {
  bringing_in_ = true;
  is_replaying_ = true;
  sent_since_cold_ = 0;
  environment_.services.io.post([self = shared_from_this(), slice = output_.cold_slice()] {
    const ConnectionEnvironment& environment = self->environment_;
    const ReadWidth width =
        environment.devices.have_awaited_flushes() ? ReadWidth::one_at_a_time : ReadWidth::all;
    const Result<void> read = environment.cold_reads.bring_in(slice, width);
    self->reactor_.run_soon(std::make_shared<BroughtInTask>(self, read.ok()));
  });
}

}  // namespace sillok::broker
