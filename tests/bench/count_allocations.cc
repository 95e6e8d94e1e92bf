// A library for LD_PRELOAD that counts the heap allocations of a process into a file, where a test reads them
// at any time. SILLOK_ALLOCATIONS names the file, and nothing is counted without it. operator new ends in
// malloc, and is counted there.
//
// The file: number of allocations, their bytes, number of stacks; then, where SILLOK_ALLOCATION_STACKS is
// set, who asked: kStacksMax times count, bytes, depth and kDepthMax return addresses. Every field has 8
// bytes in the order of this machine. counters_test.py reads it.
#include <execinfo.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <cstdlib>

// glibc's own, under the names that nobody replaces.
extern "C" {
void* __libc_malloc(std::size_t size);
void* __libc_calloc(std::size_t count, std::size_t size);
void* __libc_realloc(void* old, std::size_t size);
void* __libc_memalign(std::size_t alignment, std::size_t size);
}

namespace {

constexpr std::size_t kStacksMax = 4096;
constexpr int kDepthMax = 29;
constexpr int kOwnFrames = 2;  // note() and its caller

struct Stack {
  std::uint64_t count;
  std::uint64_t bytes;
  std::uint64_t depth;
  void* frames[kDepthMax];
};
static_assert(sizeof(Stack) == 256);

struct Counts {
  std::atomic<std::uint64_t> allocations;
  std::atomic<std::uint64_t> bytes;
  std::atomic<std::uint64_t> stacks;
  Stack stack[kStacksMax];
};

std::atomic<Counts*> counts{nullptr};
bool with_stacks = false;
std::atomic_flag stacks_lock = ATOMIC_FLAG_INIT;
thread_local bool inside __attribute__((tls_model("initial-exec"))) = false;

__attribute__((constructor)) void begin() {
  const char* path = std::getenv("SILLOK_ALLOCATIONS");
  if (path == nullptr) return;
  const int file = ::open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  if (file < 0 || ::ftruncate(file, sizeof(Counts)) != 0) std::abort();
  void* mapped = ::mmap(nullptr, sizeof(Counts), PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
  if (mapped == MAP_FAILED) std::abort();
  ::close(file);
  with_stacks = std::getenv("SILLOK_ALLOCATION_STACKS") != nullptr;
  void* first[1];
  if (with_stacks) ::backtrace(first, 1);  // it loads a library the first time
  counts.store(static_cast<Counts*>(mapped));
}

void note_stack(Counts& into, std::size_t size) {
  void* found[kDepthMax + kOwnFrames];
  const int all = ::backtrace(found, kDepthMax + kOwnFrames);
  void** const frames = found + kOwnFrames;
  const auto depth = static_cast<std::uint64_t>(std::max(0, all - kOwnFrames));
  while (stacks_lock.test_and_set(std::memory_order_acquire)) {
  }
  const std::uint64_t used = into.stacks.load();
  std::uint64_t at = 0;
  while (at < used &&
         !(into.stack[at].depth == depth && std::equal(frames, frames + depth, into.stack[at].frames)))
    ++at;
  if (at < kStacksMax) {
    Stack& stack = into.stack[at];
    if (at == used) {
      stack.depth = depth;
      std::copy(frames, frames + depth, stack.frames);
      into.stacks.store(used + 1);
    }
    ++stack.count;
    stack.bytes += size;
  }
  stacks_lock.clear(std::memory_order_release);
}

__attribute__((noinline)) void note(std::size_t size) {
  Counts* const into = counts.load(std::memory_order_relaxed);
  if (into == nullptr || inside) return;
  into->allocations.fetch_add(1, std::memory_order_relaxed);
  into->bytes.fetch_add(size, std::memory_order_relaxed);
  if (!with_stacks) return;
  inside = true;
  note_stack(*into, size);
  inside = false;
}

}  // namespace

extern "C" {

void* malloc(std::size_t size) noexcept {
  note(size);
  return __libc_malloc(size);
}

void* calloc(std::size_t count, std::size_t size) noexcept {
  note(count * size);
  return __libc_calloc(count, size);
}

void* realloc(void* old, std::size_t size) noexcept {
  note(size);
  return __libc_realloc(old, size);
}

void* memalign(std::size_t alignment, std::size_t size) noexcept {
  note(size);
  return __libc_memalign(alignment, size);
}

void* aligned_alloc(std::size_t alignment, std::size_t size) noexcept {
  note(size);
  return __libc_memalign(alignment, size);
}

int posix_memalign(void** into, std::size_t alignment, std::size_t size) noexcept {
  note(size);
  void* const made = __libc_memalign(alignment, size);
  if (made == nullptr) return ENOMEM;
  *into = made;
  return 0;
}
}
