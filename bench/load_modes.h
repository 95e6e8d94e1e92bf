// The kinds of load. Each runs to its end and gives what it found.
#pragma once

#include <string>

#include "bench/load_options.h"
#include "bench/load_report.h"
#include "protocol/base/result.h"

namespace sillok::bench {

Result<LoadReport> run_produce(const LoadOptions& options);
Result<LoadReport> run_fetch(const LoadOptions& options);
Result<LoadReport> run_e2e(const LoadOptions& options);
Result<LoadReport> run_metadata(const LoadOptions& options);
// Consumers that read all partitions from their ends; JSON with what they sent and got.
Result<std::string> run_consume(const LoadOptions& options);
// Prints a line once all connections are open, and gives the one for the end.
Result<std::string> run_idle(const LoadOptions& options);
// JSON with the milliseconds, the offset, and the process id of the server where it was started here.
Result<std::string> run_first_ack(const LoadOptions& options);

}  // namespace sillok::bench
