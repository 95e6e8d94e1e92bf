#include "storage/blocking_guard.h"

#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <utility>

namespace sillok::storage {
namespace {

std::atomic<bool> abort_enabled{false};
thread_local int forbid_depth = 0;

}  // namespace

ForbidBlocking::ForbidBlocking() { ++forbid_depth; }
ForbidBlocking::~ForbidBlocking() { --forbid_depth; }

AllowBlocking::AllowBlocking() : forbidden_before_(std::exchange(forbid_depth, 0)) {}
AllowBlocking::~AllowBlocking() { forbid_depth = forbidden_before_; }

void abort_on_forbidden_blocking(bool enabled) { abort_enabled.store(enabled, std::memory_order_relaxed); }

void about_to_block(const char* what) {
  if (forbid_depth == 0 || !abort_enabled.load(std::memory_order_relaxed)) return;
  std::fprintf(stderr, "%s may wait for the disk, on a thread that must not\n", what);
  std::abort();
}

}  // namespace sillok::storage
