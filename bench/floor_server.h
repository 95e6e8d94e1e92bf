// The event loop of the floor: one thread, one epoll, all connections.
#pragma once

#include <sys/epoll.h>

#include <array>
#include <cstdint>
#include <memory>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "bench/floor_flusher.h"
#include "bench/floor_log.h"
#include "bench/load_endpoint.h"
#include "protocol/wire/decoder.h"

namespace sillok::bench {

// No tagged fields of the partition, the topic, the answer: what follows the records of a fetch answer.
inline constexpr std::size_t kFloorTailSize = 3;

// A fetch of one partition, as far as an answer needs it.
struct FloorFetch {
  std::int32_t correlation_id = 0;
  std::int32_t max_wait_ms = 0;
  std::string_view topic;  // of FloorTopic::name
  std::int32_t index = 0;
  FloorPartition* partition = nullptr;
  Offset offset;
  ByteCount max_bytes = 0;
};

struct FloorConnection {
  explicit FloorConnection(int open) : descriptor(open) {}
  FloorConnection(const FloorConnection&) = delete;
  FloorConnection& operator=(const FloorConnection&) = delete;
  ~FloorConnection();

  // Answers from `begin` on wait for the flusher's hand-over.
  struct Gate {
    std::uint64_t hand_over;
    std::size_t begin;
  };

  const int descriptor;
  std::unique_ptr<std::byte[]> in;
  std::size_t capacity = 0;
  std::size_t begin = 0;
  std::size_t end = 0;
  bool is_readable = false;  // the socket may hold more
  bool has_turn = false;     // in FloorServer::ready_

  Bytes out;
  std::size_t sent = 0;
  std::vector<Gate> gates;
  // What follows `out` from a file, and then the last bytes of a fetch answer. Until it is gone, no further
  // request is looked at.
  int slice_descriptor = -1;
  off_t slice_position = 0;
  std::size_t slice_left = 0;
  std::size_t tail_left = 0;

  bool fetch_waits = false;
  FloorFetch fetch;
  std::int64_t give_up_ms = 0;
  Place last_end{Offset(-1), FilePosition(0)};  // of the last answer, where the next mostly begins
  const FloorPartition* last_partition = nullptr;

  bool is_closed = false;

  bool is_busy() const { return slice_left > 0 || tail_left > 0 || fetch_waits; }
};

// Threading: run() on one thread; beside it only the flusher's.
class FloorServer {
 public:
  FloorServer(const Endpoint& endpoint, const std::string& directory, FlushMode mode,
              ByteCount journal_bytes);
  ~FloorServer();

  // Until SIGTERM or SIGINT, which the caller has blocked.
  void run();

 private:
  void accept_all();
  void close(FloorConnection& connection);
  // Receives once, takes the requests, sends the answers. Where there may be more, the connection's next turn
  // comes after those of the others.
  void serve(FloorConnection& connection);
  void serve_ready();
  void receive(FloorConnection& connection);
  void take_frames(FloorConnection& connection);
  void take(FloorConnection& connection, MutableByteView frame);
  // False where the socket takes no more.
  bool send_answers(FloorConnection& connection);
  bool send_slice(FloorConnection& connection);

  void produce(FloorConnection& connection, protocol::Decoder& in, std::int32_t correlation_id,
               MutableByteView frame);
  void fetch(FloorConnection& connection, protocol::Decoder& in, std::int32_t correlation_id);
  void answer_fetch(FloorConnection& connection);
  void answer_woken();
  void end_wait(FloorConnection& connection);
  void give_up_waits();
  void take_flushed();

  Endpoint endpoint_;
  FloorTopics topics_;
  FloorFlusher flusher_;
  int epoll_ = -1;
  int listener_ = -1;
  int signals_ = -1;
  std::array<epoll_event, 256> events_;
  std::unordered_map<int, std::unique_ptr<FloorConnection>> connections_;
  std::vector<std::unique_ptr<FloorConnection>> closed_;  // until no event of this round may name them
  std::vector<FloorConnection*> ready_;                   // may have more to receive
  std::vector<FloorConnection*> waiting_;                 // fetches
  std::int64_t next_give_up_ms_ = 0;                      // not later than the first of these
  std::vector<FloorPartition*> woken_;                    // have records for fetches that wait
  std::vector<FloorConnection*> gated_;                   // with answers that wait for a flush
};

}  // namespace sillok::bench
