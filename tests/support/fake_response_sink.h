// Where answers go in tests of handlers.
#pragma once

#include <catch2/catch.hpp>
#include <cstdint>
#include <map>
#include <utility>

#include "broker/response_sink.h"
#include "protocol/frame.h"

namespace sillok::tests {

// Threading: one thread.
class FakeResponseSink final : public broker::ResponseSink {
 public:
  struct Answer {
    broker::SlotOutcome outcome;
    broker::OutgoingFrame frame;
  };
  std::map<std::uint64_t, Answer> answers;  // by slot

  void complete(std::uint64_t slot, broker::SlotOutcome outcome, broker::OutgoingFrame frame) override {
    const bool is_first = answers.emplace(slot, Answer{outcome, std::move(frame)}).second;
    REQUIRE(is_first);
  }

  void watch(std::uint64_t slot, std::weak_ptr<broker::Abandonable> waits) override {
    waiting[slot] = std::move(waits);
  }
  std::map<std::uint64_t, std::weak_ptr<broker::Abandonable>> waiting;  // by slot

  // The answer as a client would read it. What it views lives as long as the sink.
  template <protocol::Message Response>
  Response read(std::uint64_t slot, std::int32_t correlation_id, protocol::Version version) const {
    REQUIRE(answers.contains(slot));
    const Answer& answer = answers.at(slot);
    REQUIRE(answer.outcome == broker::SlotOutcome::answered);
    REQUIRE(answer.frame.files.empty());
    protocol::Decoder in(answer.frame.bytes);
    REQUIRE(in.integer<std::int32_t>() ==
            static_cast<std::int32_t>(answer.frame.bytes.size() - protocol::kFrameSizeBytes));
    REQUIRE(in.integer<std::int32_t>() == correlation_id);
    if (protocol::response_header_is_flexible<Response>(version)) protocol::skip_tagged_fields(in);
    Response response;
    REQUIRE(protocol::decode(in, response, version).ok());
    REQUIRE(in.left().empty());
    return response;
  }
};

}  // namespace sillok::tests
