// What is asked seldom: which topics there are, where they end. By the messages' own structs.
#pragma once

#include "bench/floor_log.h"
#include "bench/load_endpoint.h"
#include "protocol/headers.h"
#include "protocol/wire/decoder.h"

namespace sillok::bench {

// Appends the answer to a Metadata, CreateTopics, ListOffsets or ApiVersions request to `out`; ends the
// process at any other.
void answer_seldom(FloorTopics& topics, const Endpoint& self, const protocol::RequestHeader& header,
                   protocol::Decoder& in, Bytes& out);

}  // namespace sillok::bench
