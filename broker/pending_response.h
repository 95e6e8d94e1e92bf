// One request that waits for its answer.
#pragma once

#include <cstdint>
#include <memory>
#include <utility>
#include <vector>

#include "broker/response_sink.h"
#include "protocol/base/check.h"
#include "protocol/frame.h"

namespace sillok::broker {

// Logs an answer that could not be encoded: too large, or a field set that the version does not have (our
// bug).
void report_unsayable(protocol::ApiKey key, protocol::Version version, const Error& error);

// Threading: any thread, one at a time. Move-only. Answered once: one that is destroyed unanswered closes the
// connection, so that a forgotten request is seen at once and never leaves a client waiting.
class PendingResponse {
 public:
  PendingResponse(std::shared_ptr<ResponseSink> sink, std::uint64_t slot, std::int32_t correlation_id,
                  protocol::Version version)
      : sink_(std::move(sink)), slot_(slot), correlation_id_(correlation_id), version_(version) {}
  PendingResponse(PendingResponse&&) noexcept = default;
  PendingResponse& operator=(PendingResponse&& other) noexcept {
    if (this != &other) {
      if (sink_) disconnect();
      sink_ = std::move(other.sink_);
      slot_ = other.slot_;
      correlation_id_ = other.correlation_id_;
      version_ = other.version_;
    }
    return *this;
  }
  ~PendingResponse() {
    if (sink_) disconnect();
  }

  protocol::Version version() const { return version_; }
  // On the connection's reactor, before the answer.
  void abandon_if_unwanted(std::weak_ptr<Abandonable> waits) { sink_->watch(slot_, std::move(waits)); }

  // Encodes in the request's version: what the response views need only live through the call. `slices` go,
  // in order, to the places of the records that have an external size.
  template <protocol::Message Response>
  void send(const Response& response, std::vector<storage::FileSlice> slices = {}) {
    send_as(response, version_, std::move(slices));
  }
  // As send(), in another version than the request's.
  template <protocol::Message Response>
  void send_as(const Response& response, protocol::Version version,
               std::vector<storage::FileSlice> slices = {}) {
    OutgoingFrame frame;
    protocol::Encoder encoder(frame.bytes);
    const auto encoded =
        protocol::encode_response_frame(encoder, frame.bytes, response, correlation_id_, version);
    if (!encoded.ok()) {  // nothing else would be understood
      report_unsayable(Response::kKey, version, encoded.error());
      return disconnect();
    }
    SILLOK_CHECK(encoder.holes().size() == slices.size());
    for (std::size_t i = 0; i < slices.size(); ++i) {
      frame.files.push_back({encoder.holes()[i].position, std::move(slices[i])});
    }
    finish(SlotOutcome::answered, std::move(frame));
  }
  void send_nothing() { finish(SlotOutcome::unanswered, {}); }
  void disconnect() { finish(SlotOutcome::disconnected, {}); }

 private:
  void finish(SlotOutcome outcome, OutgoingFrame frame) {
    SILLOK_CHECK(sink_ != nullptr);
    const std::shared_ptr<ResponseSink> sink = std::move(sink_);
    sink_ = nullptr;
    sink->complete(slot_, outcome, std::move(frame));
  }

  std::shared_ptr<ResponseSink> sink_;
  std::uint64_t slot_;
  std::int32_t correlation_id_;
  protocol::Version version_;
};

}  // namespace sillok::broker
