#include "storage/thread_priority.h"

#include <sched.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cstdint>

namespace sillok::storage {
namespace {

// sched_setattr(2), of which the C library has no declaration.
struct SchedulingAttributes {
  std::uint32_t size = sizeof(SchedulingAttributes);
  std::uint32_t policy = SCHED_OTHER;
  std::uint64_t flags = 0;
  std::int32_t nice = 0;
  std::uint32_t priority = 0;
  std::uint64_t runtime_ns = 0;
  std::uint64_t deadline_ns = 0;
  std::uint64_t period_ns = 0;
};

// The least that Linux takes. From 6.12 on a thread with shorter turns may interrupt one with longer ones,
// which are 3 ms by default; older ones take no notice.
constexpr std::uint64_t kShortTurnNs = 100'000;
// A third of an ordinary thread's weight.
constexpr int kBackgroundNice = 5;

}  // namespace

void set_thread_priority(ThreadPriority priority) {
  // Whoever chose another policy for the process meant all of it.
  if (priority == ThreadPriority::ordinary || ::sched_getscheduler(0) != SCHED_OTHER) return;
  const int inherited = ::getpriority(PRIO_PROCESS, 0);
  if (priority == ThreadPriority::background) {
    (void)::setpriority(PRIO_PROCESS, 0, inherited + kBackgroundNice);
    return;
  }
  SchedulingAttributes attributes;
  attributes.nice = inherited;
  attributes.runtime_ns = kShortTurnNs;
  (void)::syscall(SYS_sched_setattr, 0, &attributes, 0);
}

}  // namespace sillok::storage
