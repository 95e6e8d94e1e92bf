#include "storage/journal_files.h"

#include <algorithm>
#include <random>
#include <utility>

#include "protocol/base/check.h"
#include "protocol/base/crc32c.h"

namespace sillok::storage {
namespace {

constexpr ByteCount kZerosSize = 1 << 20;
// The journal is a luxury on a disk that is nearly full.
constexpr ByteCount kFreeFilesMin = 8;

std::uint64_t random_id() {
  std::random_device device;
  return (static_cast<std::uint64_t>(device()) << 32) | device();
}

const std::string kDamagedPrefix = "damaged-";

bool is_journal_name(std::string_view name) {
  return name.substr(0, kJournalNamePrefix.size()) == kJournalNamePrefix;
}

}  // namespace

Result<std::unique_ptr<JournalFiles>> JournalFiles::open(const JournalFilesOptions& options,
                                                         JournalReplay& replay,
                                                         std::vector<std::string>& warnings) {
  CHECK(options.file_size % kJournalBlockSize == 0 && options.file_size >= 4 * kJournalBlockSize);
  std::unique_ptr<JournalFiles> files(new JournalFiles(options));
  TRY(files->read(replay, warnings));
  return files;
}

Result<void> JournalFiles::read(JournalReplay& replay, std::vector<std::string>& warnings) {
  for (const DirectoryEntry& entry : TRY(options_.file_system->list_directory(options_.directory))) {
    if (!entry.is_directory && is_journal_name(entry.name)) TRY(open_file(entry.name, warnings));
  }
  std::vector<FoundFrame> frames;
  for (const auto& file : files_) {
    const auto found = TRY(walk(*file));
    frames.insert(frames.end(), found.begin(), found.end());
  }
  std::sort(frames.begin(), frames.end(),
            [](const FoundFrame& a, const FoundFrame& b) { return a.header.sequence < b.header.sequence; });
  Bytes body;
  // The newest may be torn: then nobody was told that it is durable.
  const std::uint64_t greatest = frames.empty() ? 0 : frames.back().header.sequence;
  while (!frames.empty() && !TRY(read_body(frames.back(), body))) frames.pop_back();
  if (frames.empty()) return remove_found();
  const FoundFrame newest = frames.back();
  // After a kill it may be in the page cache alone, and so may the name of a file; from now on they count.
  TRY(newest.file->file->sync_data());
  TRY(options_.file_system->sync_directory(options_.directory));
  std::uint64_t expected = newest.header.tail;
  std::uint64_t missing = greatest > newest.header.sequence ? greatest - newest.header.sequence - 1 : 0;
  for (const FoundFrame& frame : frames) {
    const std::uint64_t sequence = frame.header.sequence;
    const bool is_needed = sequence >= newest.header.tail;
    // A torn one may stand beside the one that was written in its stead.
    if (is_needed && (sequence < expected || !TRY(read_body(frame, body)))) continue;
    frame.file->last_sequence = sequence;
    frame.file->end = frame.position + frame.header.padded_size();
    if (!is_needed) continue;
    missing += sequence - expected;
    expected = sequence + 1;
    TRY(replay_frame(frame, body, replay));
  }
  if (missing > 0) {
    warnings.push_back(options_.directory + ": the commit journal is damaged: " + std::to_string(missing) +
                       " of its durable frames are missing");
  }
  next_sequence_ = newest.header.sequence + 1;
  durable_tail_ = newest.header.tail;
  current_ = newest.file;
  return {};
}

// The frames that follow are counted from 1 again, and must not meet any of before.
Result<void> JournalFiles::remove_found() {
  for (const auto& file : files_) TRY(options_.file_system->remove(file->path));
  files_.clear();
  return options_.file_system->sync_directory(options_.directory);
}

// A file whose header is not there was still being made.
Result<void> JournalFiles::open_file(const std::string& name, std::vector<std::string>& warnings) {
  const std::string path = join_path(options_.directory, name);
  auto made = std::make_unique<JournalFile>();
  made->path = path;
  made->file = TRY(options_.file_system->open(path, OpenMode::read_write));
  Bytes bytes(kJournalFileHeaderSize);
  bytes.resize(TRY(made->file->read_at(FilePosition(0), bytes)));
  const auto header = decode_journal_file_header(bytes);
  const ByteCount size = TRY(made->file->size()) - FilePosition(0);
  if (!header.ok() && header.error().code == Errc::unsupported_version)
    return Error{Errc::unsupported_version, path + ": " + header.error().detail};
  if (!header.ok() || header->size != size) {
    const bool was_filled =
        std::any_of(bytes.begin(), bytes.end(), [](std::byte b) { return b != std::byte{0}; });
    made.reset();
    if (!was_filled) return options_.file_system->remove(path);
    // Its frames may be durable ones.
    const std::string kept = join_path(options_.directory, kDamagedPrefix + name);
    warnings.push_back(path + ": the header of this journal file is damaged; it is kept as " + kept);
    TRY(options_.file_system->rename(path, kept));
    return options_.file_system->sync_directory(options_.directory);
  }
  made->id = header->file_id;
  made->size = header->size;
  files_.push_back(std::move(made));
  return {};
}

// The frames of the last round through the file, and not what is left of the round before.
Result<std::vector<JournalFiles::FoundFrame>> JournalFiles::walk(JournalFile& file) {
  std::vector<FoundFrame> frames;
  Bytes bytes(kJournalFrameHeaderSize);
  for (FilePosition position(kJournalBlockSize); position - FilePosition(0) < file.size;) {
    if (TRY(file.file->read_at(position, bytes)) != bytes.size()) break;
    const auto header = decode_journal_frame_header(bytes);
    if (!header.ok() || header->file_id != file.id) break;
    if (!frames.empty() && header->sequence != frames.back().header.sequence + 1) break;
    if (header->padded_size() > file.size - (position - FilePosition(0))) break;
    frames.push_back({*header, &file, position});
    position += header->padded_size();
  }
  return frames;
}

Result<bool> JournalFiles::read_body(const FoundFrame& frame, Bytes& body) {
  body.resize(static_cast<std::size_t>(frame.header.size) - kJournalFrameHeaderSize);
  const auto from = frame.position + static_cast<std::int64_t>(kJournalFrameHeaderSize);
  if (TRY(frame.file->file->read_at(from, body)) != body.size()) return false;
  return crc32c(body) == frame.header.body_crc;
}

Result<void> JournalFiles::replay_frame(const FoundFrame& frame, const Bytes& body, JournalReplay& replay) {
  ByteView left = body;
  for (std::int32_t i = 0; i < frame.header.entry_count; ++i) {
    const JournalEntry entry = TRY(decode_journal_entry(left));
    left = left.subspan(kJournalEntryHeaderSize);
    const auto before = static_cast<std::int64_t>(body.size() - left.size());
    const auto position = frame.position + static_cast<std::int64_t>(kJournalFrameHeaderSize) + before;
    replay.add(entry, frame.header.sequence, frame.file->file, position);
    left = left.subspan(static_cast<std::size_t>(entry.size));
  }
  return {};
}

Result<bool> JournalFiles::add_file() {
  if (count() >= options_.count_max) return false;
  const ByteCount free = TRY(options_.file_system->space(options_.directory)).free;
  if (free < kFreeFilesMin * options_.file_size)
    return Error{Errc::no_space, options_.directory + ": no room for a file of the commit journal"};
  auto made = std::make_unique<JournalFile>();
  do {
    made->path =
        join_path(options_.directory, std::string(kJournalNamePrefix) + std::to_string(next_number_++));
  } while (TRY(options_.file_system->exists(made->path)));
  made->id = random_id();
  made->size = options_.file_size;
  made->file = TRY(options_.file_system->open(made->path, OpenMode::create));
  const auto fill = [&]() -> Result<void> {
    TRY(made->file->reserve(FilePosition(0), made->size));
    const Bytes zeros(static_cast<std::size_t>(std::min(kZerosSize, made->size)));
    for (ByteCount at = 0; at < made->size; at += static_cast<ByteCount>(zeros.size())) {
      const ByteView part =
          ByteView(zeros).first(std::min(zeros.size(), static_cast<std::size_t>(made->size - at)));
      TRY(made->file->write_at(FilePosition(at), {&part, 1}));
      // Little by little: whoever else waits for the disk should not wait for all of it.
      TRY(made->file->sync_data());
    }
    Bytes header(kJournalFileHeaderSize);
    encode(JournalFileHeader{made->id, made->size}, header.data());
    const ByteView part = header;
    TRY(made->file->write_at(FilePosition(0), {&part, 1}));
    TRY(made->file->sync_data());
    return options_.file_system->sync_directory(options_.directory);
  };
  if (auto filled = fill(); !filled.ok()) {
    (void)options_.file_system->remove(made->path);
    return filled.error();
  }
  const std::lock_guard lock(mutex_);
  files_.push_back(std::move(made));
  return true;
}

std::size_t JournalFiles::count() const {
  const std::lock_guard lock(mutex_);
  return files_.size();
}

bool JournalFiles::is_free(const JournalFile& file) const {
  return &file != current_ && (file.last_sequence == 0 || file.last_sequence < durable_tail_);
}

std::size_t JournalFiles::used_count() const {
  const std::lock_guard lock(mutex_);
  return static_cast<std::size_t>(
      std::count_if(files_.begin(), files_.end(), [this](const auto& file) { return !is_free(*file); }));
}

bool JournalFiles::wants_file() const {
  const std::lock_guard lock(mutex_);
  return files_.size() < options_.count_max &&
         std::none_of(files_.begin(), files_.end(), [this](const auto& file) { return is_free(*file); });
}

std::uint64_t JournalFiles::oldest_file_end() const {
  const std::lock_guard lock(mutex_);
  std::uint64_t oldest = 0;
  for (const auto& file : files_) {
    if (!is_free(*file) && file->last_sequence > 0 && (oldest == 0 || file->last_sequence < oldest))
      oldest = file->last_sequence;
  }
  return oldest;
}

// One block of each file stays free for a frame that does nothing but give files up: without it, files that
// are all full could never be taken into use again.
JournalFiles::JournalFile* JournalFiles::choose(ByteCount padded_size) {
  const auto fits = [&](const JournalFile& file, FilePosition end) {
    return (end - FilePosition(0)) + padded_size + kJournalBlockSize <= file.size;
  };
  if (current_ != nullptr && fits(*current_, current_->end)) return current_;
  const std::lock_guard lock(mutex_);
  for (const auto& file : files_) {
    if (!is_free(*file) || !fits(*file, FilePosition(kJournalBlockSize))) continue;
    file->end = FilePosition(kJournalBlockSize);
    return file.get();
  }
  return nullptr;
}

bool JournalFiles::has_block(const JournalFile& file) {
  return (file.end - FilePosition(0)) + kJournalBlockSize <= file.size;
}

bool JournalFiles::has_file_below(std::uint64_t needed_from) const {
  const std::lock_guard lock(mutex_);
  return std::any_of(files_.begin(), files_.end(), [&](const auto& file) {
    return file.get() != current_ && file->last_sequence < needed_from;
  });
}

Result<void> JournalFiles::write(JournalFrame& frame, std::uint64_t needed_from) {
  if (failed_)
    return Error{Errc::offline, options_.directory + ": an earlier write of the commit journal failed"};
  JournalFrameHeader sizes;
  sizes.size = frame.size();
  JournalFile* file = choose(sizes.padded_size());
  if (file == nullptr && current_ != nullptr) {
    // What is in the way may be needed no more, but nothing durable says so yet.
    if (has_file_below(needed_from) && has_block(*current_)) {
      JournalFrame nothing;
      TRY(write_to(*current_, nothing, std::min(needed_from, next_sequence_)));
      file = choose(sizes.padded_size());
    }
  }
  if (file == nullptr) return Error{Errc::no_space, options_.directory + ": the commit journal is full"};
  return write_to(*file, frame, std::min(needed_from, next_sequence_));
}

Result<void> JournalFiles::write_to(JournalFile& file, JournalFrame& frame, std::uint64_t needed_from) {
  JournalFrameHeader header;
  header.file_id = file.id;
  header.sequence = next_sequence_;
  header.tail = needed_from;
  const ByteView bytes = frame.finish(header);
  auto written = file.file->write_at(file.end, {&bytes, 1});
  if (written.ok()) written = file.file->sync_data();
  if (!written.ok()) {
    failed_ = true;
    return written;
  }
  current_ = &file;
  file.end += static_cast<std::int64_t>(bytes.size());
  file.last_sequence = next_sequence_++;
  durable_tail_ = needed_from;
  return {};
}

// A crash may leave any of the files: the one with the newest frame goes last, and that says that nothing is
// needed.
Result<void> JournalFiles::remove_all() {
  if (!failed_ && current_ != nullptr && has_block(*current_)) {
    JournalFrame nothing;
    (void)write_to(*current_, nothing, next_sequence_);
  }
  const std::lock_guard lock(mutex_);
  failed_ = true;
  const JournalFile* const last = std::exchange(current_, nullptr);
  const auto remove = [&](const std::string& path) -> Result<void> {
    auto removed = options_.file_system->remove(path);
    if (!removed.ok() && removed.error().code == Errc::not_found) return {};
    return removed;
  };
  if (files_.empty()) return {};
  for (const auto& file : files_) {
    if (file.get() != last) TRY(remove(file->path));
  }
  if (last != nullptr) {
    TRY(options_.file_system->sync_directory(options_.directory));
    TRY(remove(last->path));
  }
  files_.clear();
  return options_.file_system->sync_directory(options_.directory);
}

}  // namespace sillok::storage
