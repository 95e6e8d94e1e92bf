#include "broker/data_directory.h"

#include <cstddef>
#include <utility>

#include "storage/thread_priority.h"

namespace sillok::broker {

DataDirectory::DataDirectory(const Config& config, const storage::Clock& clock,
                             std::unique_ptr<storage::LogDir> log_dir)
    : clock_(clock),
      log_dir_(std::move(log_dir)),
      flusher_(static_cast<std::size_t>(config.flusher_threads), clock),
      writer_("writer", 1, storage::ThreadPriority::prompt),
      device_(clock, flusher_, writer_, config.unflushed_bytes_max) {}

void DataDirectory::start(ByteCount disk_free_bytes_min) {
  log_dir_->journal().start(flusher_, clock_);
  device_.use(log_dir_->journal());
  device_.space().watch(path(), disk_free_bytes_min, [this] { return log_dir_->space(); });
}

void DataDirectory::stop() {
  writer_.stop();
  stop_journal();
  flusher_.stop();
}

}  // namespace sillok::broker
