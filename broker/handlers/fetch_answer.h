// The answer to a fetch: its message, and where the records of it are.
#pragma once

#include "broker/fetch_part.h"
#include "broker/pending_response.h"

namespace sillok::broker {

// Answers with the partitions that are not left out, neighbours of one topic together. As Kafka does, unknown
// ids come behind the others, and behind them what else does not exist.
void send_fetch_answer(PendingResponse& response, const FetchParts& parts, std::int32_t session_id);
// Without partitions.
void send_fetch_error(PendingResponse& response, protocol::ErrorCode error, std::int32_t session_id);

}  // namespace sillok::broker
