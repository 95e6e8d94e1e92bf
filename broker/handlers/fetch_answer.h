// The answer to a fetch: its message, and where the records of it are.
#pragma once

#include "broker/fetch_part.h"
#include "broker/pending_response.h"

namespace sillok::broker {

// Answers with the partitions that are not left out: those that do not exist behind the others, and
// neighbours of one topic together, as Kafka does.
void send_fetch_answer(PendingResponse& response, const FetchParts& parts, std::int32_t session_id);
// Without partitions.
void send_fetch_error(PendingResponse& response, protocol::ErrorCode error, std::int32_t session_id);

}  // namespace sillok::broker
