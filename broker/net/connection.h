// One client's connection: frames in, answers out, in order.
//
// Receiving: what recv() put into the reactor's scratch buffer is cut into frames, and each is dispatched in
// place. The rest of a small frame is kept until more comes; a large frame gets memory of its own, once the
// budget allows it. Answering: every request has a slot; answers arrive in any order and leave in the order
// of the slots, all of a round in one send.
//
// A large frame's reservation goes with its memory, or, where the request copied what it waits with, with its
// answer.
#pragma once

#include <boost/asio/generic/stream_protocol.hpp>
#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>

#include "broker/devices.h"
#include "broker/handler.h"
#include "broker/net/connection_limits.h"
#include "broker/net/frame_budget.h"
#include "broker/net/output_queue.h"
#include "broker/net/reactor.h"
#include "broker/net/receive_buffer.h"
#include "broker/response_sink.h"
#include "broker/ring.h"

namespace sillok::broker {

class AppendRound;
class ColdReads;
struct ReactorSlot;

// TCP's, or of the Unix domain.
using ClientSocket = boost::asio::generic::stream_protocol::socket;

// A connection that is idle for so long gives back the memory that only a busy one needs.
inline constexpr std::chrono::seconds kIdleAfter{1};

// So much that was all in memory, or a fetch that has to wait, says that a replay has caught up.
inline constexpr ByteCount kCaughtUpAfterBytes = 16 << 20;

// What all connections share.
struct ConnectionEnvironment {
  Services& services;
  FrameBudget& budget;
  ConnectionLimits& limits;
  const Devices& devices;  // of the log directories
  ColdReads& cold_reads;
  // Where connections go with their first produce request; null: they stay where they are.
  const ReactorSlot* producers = nullptr;
  // Where those go whose fetches read what is not in memory, until one has caught up: it works in the
  // background.
  const ReactorSlot* replays = nullptr;
};

// Threading: complete() from any thread; the rest on its reactor's.
// Failure: whatever the peer does wrong ends in a closed connection and at most one log line; requests
// already taken
//   are carried out.
class Connection final : public ResponseSink,
                         public Reactor::RoundEnd,
                         public std::enable_shared_from_this<Connection> {
 public:
  // On the reactor of `slot`; on `home` as long as nothing speaks for another one.
  Connection(ClientSocket socket, const ReactorSlot& slot, const ReactorSlot& home,
             ConnectionEnvironment& environment, ConnectionInfo info, std::string address);
  ~Connection() override;

  void start();
  void close(const char* reason);
  bool is_open() const { return open_; }
  // Once a second or so: closes what is idle, or dribbles a frame, for too long, and takes memory from what
  // is idle for a while.
  void check_time(storage::SteadyTime now);

  void complete(std::uint64_t slot, SlotOutcome outcome, OutgoingFrame frame) override;
  void watch(std::uint64_t slot, std::weak_ptr<Abandonable> waits) override;
  void end_of_round() override;

 private:
  struct Slot {
    bool done = false;
    SlotOutcome outcome = SlotOutcome::unanswered;
    OutgoingFrame frame;
    std::weak_ptr<Abandonable> waits;
    ByteCount reserved = 0;  // from the budget, for what the request keeps until it is answered
  };
  class CompletionTask;
  class ReservationTask;
  class BroughtInTask;
  class DeviceReadyTask;

  void wait_readable();
  void on_readable();
  Result<std::size_t> receive(MutableByteView into);
  void receive_small();
  void receive_large();
  void go_on();
  bool is_frame_kept() const;
  void take_kept();
  // Dispatches the whole frames at the front of `bytes`, and keeps the rest.
  void take_frames(MutableByteView bytes);
  void make_appends(AppendRound& appends);
  // The reactor that suits the request at the front of `bytes` better; null: none does, or something is under
  // way.
  const ReactorSlot* better_reactor(ByteView bytes) const;
  void move_to(const ReactorSlot& target, ByteView received);
  bool begin_large(std::size_t size, ByteView start);
  void reservation_made();
  void dispatch_large();
  void refuse_size(std::int32_t size);
  std::uint64_t dispatch_frame(MutableByteView frame);  // its slot
  bool may_dispatch() const;
  void wait_for(Device& device);

  void fill_slot(std::uint64_t slot, SlotOutcome outcome, OutgoingFrame frame);
  void ask_for_end_of_round();
  void send_answers();
  void send_output();
  void abandon_slots();
  void wait_writable();
  void bring_in_cold_slice();

  ClientSocket socket_;
  Reactor& reactor_;
  const ReactorSlot& home_;
  ConnectionEnvironment& environment_;
  const ConnectionInfo info_;
  const std::string address_;  // without the port; empty: a Unix domain socket
  bool open_ = true;

  // Receiving.
  Bytes kept_;  // the start of a small frame, or frames that may not be dispatched yet
  std::optional<LargeFrame> large_;
  ByteCount reserved_ = 0;                        // from the budget, for large_
  std::shared_ptr<ReservationTask> reservation_;  // waits for the budget
  std::size_t wanted_large_ = 0;
  bool waiting_readable_ = false;
  bool dispatching_ = false;
  bool waiting_for_device_ = false;
  bool receiving_ended_ = false;  // after a request that closes the connection in its turn
  std::optional<storage::SteadyTime> frame_began_;
  storage::SteadyTime last_activity_;

  // Answering.
  Ring<Slot> slots_;
  std::uint64_t first_slot_ = 0;
  ByteCount held_bytes_ = 0;  // of answers that wait for one before them
  OutputQueue output_;
  bool waiting_writable_ = false;
  bool bringing_in_ = false;
  bool is_replaying_ = false;  // it came upon what is not in memory, and has not caught up since
  ByteCount sent_since_cold_ = 0;
  bool closes_when_sent_ = false;  // a slot's turn came that closes the connection
  bool end_of_round_asked_ = false;
};

}  // namespace sillok::broker
