// Work that mostly waits for the disk, on several threads.
#pragma once

#include <spdlog/spdlog.h>

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <mutex>
#include <optional>
#include <system_error>
#include <thread>
#include <utility>
#include <vector>

#include "protocol/base/result.h"

namespace sillok::broker {

// Calls `work(i)` for 0 to count - 1 on up to `thread_count` threads, this one included.
template <class Work>
void in_parallel(std::size_t count, std::int32_t thread_count, const Work& work) {
  std::atomic<std::size_t> next{0};
  const auto run = [&] {
    for (std::size_t i = next.fetch_add(1); i < count; i = next.fetch_add(1)) work(i);
  };
  std::vector<std::thread> helpers;
  const auto helper_count = std::min<std::size_t>(static_cast<std::size_t>(std::max(thread_count, 1)), count);
  try {
    for (std::size_t i = 1; i < helper_count; ++i) helpers.emplace_back(run);
  } catch (const std::system_error& error) {
    spdlog::warn("{} threads instead of {}: {}", helpers.size() + 1, helper_count, error.what());
  }
  run();
  for (std::thread& helper : helpers) helper.join();
}

// The same with work that can fail: the first failure, after which no more is begun.
template <class Work>
Result<void> try_in_parallel(std::size_t count, std::int32_t thread_count, const Work& work) {
  std::mutex mutex;  // guards `failure`
  std::optional<Error> failure;
  std::atomic<bool> has_failed{false};
  in_parallel(count, thread_count, [&](std::size_t i) {
    if (has_failed) return;
    Result<void> done = work(i);
    if (done.ok()) return;
    has_failed = true;
    const std::lock_guard lock(mutex);
    if (!failure) failure = std::move(done).error();
  });
  if (failure) return *std::move(failure);
  return {};
}

}  // namespace sillok::broker
