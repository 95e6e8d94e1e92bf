// Writes records, from any thread.
#pragma once

#include <functional>
#include <memory>

#include "client/cluster.h"
#include "client/producer_options.h"
#include "client/producer_record.h"
#include "protocol/base/result.h"

namespace sillok::client {

// Threading: thread-safe. Delivery reports come from a thread of the producer's own and must not call send()
// or flush(). Failure: see Sender. The destructor drops what is not delivered: flush() first.
class Producer {
 public:
  Producer(ClusterOptions cluster, ProducerOptions options);
  ~Producer();
  Producer(const Producer&) = delete;
  Producer& operator=(const Producer&) = delete;

  // Whether any broker can be reached at all. send() does not ask: a broker may come.
  Result<void> connect();
  // Queues a record; waits while buffered_bytes_max are not delivered. Errc::too_large for a record that no
  // broker would take, whose report is not called.
  Result<void> send(ProducerRecord record, DeliveryReport report);
  // Waits until every record has its report.
  void flush();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace sillok::client
