#include "storage/posix_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cerrno>
#include <climits>
#include <system_error>

#include "storage/blocking_guard.h"

namespace sillok::storage {
namespace {

// Parts of one pwritev(): far below IOV_MAX, so that the list fits on any stack.
constexpr std::size_t kPartsPerWrite = 128;
static_assert(kPartsPerWrite <= IOV_MAX);
// How much make_resident() reads at a time, only to wait for it.
constexpr std::size_t kWaitBufferSize = 64 * 1024;
// The unit of st_blocks, whatever the file system's own blocks are.
constexpr ByteCount kStatBlockSize = 512;

// cachestat(2), Linux 6.5; glibc 2.36 does not know it.
constexpr long kCachestatCall = 451;
struct CachestatRange {
  std::uint64_t position;
  std::uint64_t size;
};
struct CachestatCounts {
  std::uint64_t cached;
  std::uint64_t dirty;
  std::uint64_t writeback;
  std::uint64_t evicted;
  std::uint64_t recently_evicted;
};
std::atomic<bool> cachestat_is_missing{false};

template <class Call>
auto retry_interrupted(Call call) {
  for (;;) {
    const auto result = call();
    if (result >= 0 || errno != EINTR) return result;
  }
}

std::int64_t page_size() {
  static const std::int64_t size = ::sysconf(_SC_PAGESIZE);
  return size;
}

enum class Probe { resident, absent, unknown };

class PosixFile final : public File {
 public:
  PosixFile(int descriptor, std::string path) : descriptor_(descriptor), path_(std::move(path)) {}
  // What close() reports is nothing new: whoever cares for the bytes has synced them.
  ~PosixFile() override { ::close(descriptor_); }
  PosixFile(const PosixFile&) = delete;
  PosixFile& operator=(const PosixFile&) = delete;

  Result<std::size_t> read_at(FilePosition position, MutableByteView out) const override {
    about_to_block("read_at");
    std::size_t done = 0;
    while (done < out.size()) {
      const auto count = retry_interrupted(
          [&] { return ::pread(descriptor_, out.data() + done, out.size() - done, place(position, done)); });
      if (count < 0) return error("pread");
      if (count == 0) break;
      done += static_cast<std::size_t>(count);
    }
    return done;
  }

  Result<std::size_t> read_resident_at(FilePosition position, MutableByteView out) const override {
    std::size_t done = 0;
    while (done < out.size()) {
      const ssize_t count = read_without_wait(position, done, out);
      // The kernel stops at the first page that is not there, and at the end of the file: only a further call
      // tells which.
      if (count < 0 && (errno == EAGAIN || errno == EOPNOTSUPP)) {
        return Error{Errc::would_block, path_};
      }
      if (count < 0) return error("preadv2");
      if (count == 0) break;
      done += static_cast<std::size_t>(count);
    }
    return done;
  }

  bool is_resident(FilePosition position, ByteCount size, RangeEnd end) const override {
    if (size <= 0) return true;
    const FilePosition last = position + (size - 1);
    const Probe counted = count_pages(position, size);
    if (counted == Probe::absent) return false;
    // Pages count from the moment their reading begins, and reading ends with the last.
    if (counted == Probe::resident && end == RangeEnd::read_just_now) return true;
    const Probe last_probe = probe_page(last);
    if (counted == Probe::resident) return last_probe != Probe::absent;
    return last_probe == Probe::resident && probe_page(position) == Probe::resident;
  }

  Result<void> make_resident(FilePosition position, ByteCount size) const override {
    about_to_block("make_resident");
    if (size <= 0) return {};
    // Starts the reading of the whole range at once; where it cannot, the loop below reads it step by step.
    (void)::readahead(descriptor_, position.value, static_cast<std::size_t>(size));
    std::array<std::byte, kWaitBufferSize> buffer;
    for (ByteCount done = 0; done < size;) {
      const auto step = static_cast<std::size_t>(std::min<ByteCount>(size - done, kWaitBufferSize));
      const auto count = TRY(read_at(position + done, MutableByteView(buffer.data(), step)));
      if (count < step) break;
      done += static_cast<ByteCount>(count);
    }
    return {};
  }

  void give_back(FilePosition position, ByteCount size) const override {
    about_to_block("give_back");
    if (size > 0) (void)::posix_fadvise(descriptor_, position.value, size, POSIX_FADV_DONTNEED);
  }

  Result<void> write_at(FilePosition position, std::span<const ByteView> parts) override {
    std::int64_t at = position.value;
    std::size_t next = 0;  // the first part that is not written yet
    std::size_t skip = 0;  // bytes of it that are
    for (;;) {
      std::array<iovec, kPartsPerWrite> list;
      std::size_t listed = 0;
      std::size_t first_skip = skip;
      for (std::size_t i = next; i < parts.size() && listed < list.size(); ++i) {
        const ByteView part = parts[i].subspan(first_skip);
        first_skip = 0;
        list[listed++] = {const_cast<std::byte*>(part.data()), part.size()};
      }
      if (listed == 0) return {};
      const auto count = retry_interrupted(
          [&] { return ::pwritev(descriptor_, list.data(), static_cast<int>(listed), at); });
      if (count < 0) return error("pwritev");
      at += count;
      std::size_t written = static_cast<std::size_t>(count);
      const std::size_t next_before = next;
      while (next < parts.size() && next - next_before < listed && written >= parts[next].size() - skip) {
        written -= parts[next].size() - skip;
        skip = 0;
        ++next;
      }
      skip += written;
      if (count == 0 && next == next_before) return posix_error("pwritev", path_, EIO);
    }
  }

  Result<void> truncate(FilePosition size) override {
    about_to_block("truncate");
    // With nothing to cut, reserved blocks included, the file stays as old as it is.
    struct stat status;
    if (::fstat(descriptor_, &status) == 0 && status.st_size == size.value) {
      const ByteCount used = (status.st_size + status.st_blksize - 1) / status.st_blksize * status.st_blksize;
      if (status.st_blocks * kStatBlockSize <= used) return {};
    }
    if (retry_interrupted([&] { return ::ftruncate(descriptor_, size.value); }) != 0)
      return error("ftruncate");
    return {};
  }

  Result<void> reserve(FilePosition position, ByteCount size) override {
    if (size <= 0) return {};
    const int result = retry_interrupted(
        [&] { return ::fallocate(descriptor_, FALLOC_FL_KEEP_SIZE, position.value, size); });
    if (result != 0 && errno != EOPNOTSUPP) return error("fallocate");
    return {};
  }

  void start_writing_out() override {
    about_to_block("start_writing_out");
    (void)::sync_file_range(descriptor_, 0, 0, SYNC_FILE_RANGE_WRITE);
  }

  Result<void> sync_data() override {
    about_to_block("sync_data");
    // EINTR comes from file systems of a network, before anything was found out about the bytes: nothing was
    // reported.
    if (retry_interrupted([&] { return ::fdatasync(descriptor_); }) != 0) return error("fdatasync");
    return {};
  }

  Result<FilePosition> size() const override {
    struct stat status;
    if (::fstat(descriptor_, &status) != 0) return error("fstat");
    return FilePosition(status.st_size);
  }

  std::optional<int> descriptor() const override { return descriptor_; }

 private:
  static off_t place(FilePosition position, std::size_t done) {
    return position.value + static_cast<std::int64_t>(done);
  }

  ssize_t read_without_wait(FilePosition position, std::size_t done, MutableByteView out) const {
    const iovec part{out.data() + done, out.size() - done};
    return retry_interrupted(
        [&] { return ::preadv2(descriptor_, &part, 1, place(position, done), RWF_NOWAIT); });
  }

  Probe probe_page(FilePosition position) const {
    std::byte byte;
    const ssize_t count = read_without_wait(position, 0, MutableByteView(&byte, 1));
    if (count == 1) return Probe::resident;
    return count < 0 && errno == EOPNOTSUPP ? Probe::unknown : Probe::absent;
  }

  Probe count_pages(FilePosition position, ByteCount size) const {
    if (cachestat_is_missing.load(std::memory_order_relaxed)) return Probe::unknown;
    const CachestatRange range{static_cast<std::uint64_t>(position.value), static_cast<std::uint64_t>(size)};
    CachestatCounts counts{};
    if (::syscall(kCachestatCall, descriptor_, &range, &counts, 0) != 0) {
      if (errno == ENOSYS) cachestat_is_missing.store(true, std::memory_order_relaxed);
      return Probe::unknown;  // EPERM: a file of somebody else, or a container that allows no such call
    }
    const std::int64_t first_page = position.value / page_size();
    const std::int64_t last_page = (position.value + size - 1) / page_size();
    return counts.cached >= static_cast<std::uint64_t>(last_page - first_page + 1) ? Probe::resident
                                                                                   : Probe::absent;
  }

  Error error(const char* call) const { return posix_error(call, path_, errno); }

  const int descriptor_;
  const std::string path_;
};

}  // namespace

Error posix_error(std::string_view call, const std::string& path, int error_number) {
  Errc code = Errc::io_error;
  switch (error_number) {
    case ENOSPC:
    case EDQUOT:
      code = Errc::no_space;
      break;
    case EMFILE:
    case ENFILE:
      code = Errc::too_many_files;
      break;
    case ENOENT:
      code = Errc::not_found;
      break;
    case EEXIST:
      code = Errc::already_exists;
      break;
    case EAGAIN:
      code = Errc::would_block;
      break;
    default:
      break;
  }
  std::string detail(call);
  detail += ' ';
  detail += path;
  detail += ": ";
  detail += std::generic_category().message(error_number);
  return {code, std::move(detail)};
}

std::shared_ptr<File> make_posix_file(int descriptor, const std::string& path) {
  return std::make_shared<PosixFile>(descriptor, path);
}

}  // namespace sillok::storage
