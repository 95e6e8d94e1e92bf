// One request that waits for its answer.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <utility>
#include <vector>

#include "broker/response_sink.h"
#include "broker/spare_frames.h"
#include "protocol/base/check.h"
#include "protocol/frame.h"

namespace sillok::broker {

// Logs an answer that could not be encoded: too large, or a field set that the version does not have (our
// bug).
void report_unsayable(protocol::ApiKey key, protocol::Version version, const Error& error);

// A list of holes in memory that the thread keeps.
class HoleList {
 public:
  HoleList();
  ~HoleList();
  HoleList(const HoleList&) = delete;
  HoleList& operator=(const HoleList&) = delete;
  std::vector<protocol::Encoder::Hole>& operator*() { return holes_; }
  std::vector<protocol::Encoder::Hole>* operator->() { return &holes_; }

 private:
  std::vector<protocol::Encoder::Hole>& holes_;
};

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
  // in order, to the places of the records that have an external size, and are moved from. `copied` says how
  // many bytes of records are in the response itself.
  template <protocol::Message Response>
  void send(const Response& response, std::span<storage::FileSlice> slices = {}, std::size_t copied = 0) {
    send_as(response, version_, slices, copied);
  }
  // As send(), in another version than the request's.
  template <protocol::Message Response>
  void send_as(const Response& response, protocol::Version version, std::span<storage::FileSlice> slices = {},
               std::size_t copied = 0) {
    OutgoingFrame frame = take_spare_frame(kUsualAnswerBytes + copied);
    HoleList holes;
    if (auto encoded = encode(frame.bytes, *holes, response, version); !encoded.ok()) {
      // Nothing else would be understood.
      report_unsayable(Response::kKey, version, encoded.error());
      return disconnect();
    }
    SILLOK_CHECK(holes->size() == slices.size());
    for (std::size_t i = 0; i < slices.size(); ++i) {
      frame.files.push_back({(*holes)[i].position, std::move(slices[i])});
    }
    finish(SlotOutcome::answered, std::move(frame));
  }
  void send_nothing() { finish(SlotOutcome::unanswered, {}); }
  void disconnect() { finish(SlotOutcome::disconnected, {}); }

 private:
  // The encoder is gone, and done with the bytes, when this returns.
  template <protocol::Message Response>
  Result<void> encode(Bytes& bytes, std::vector<protocol::Encoder::Hole>& holes, const Response& response,
                      protocol::Version version) const {
    protocol::Encoder encoder(bytes, holes);
    return protocol::encode_response_frame(encoder, bytes, response, correlation_id_, version);
  }
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
