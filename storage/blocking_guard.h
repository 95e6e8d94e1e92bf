// A debugging aid: finds calls that may wait for the disk on threads that must not.
#pragma once

namespace sillok::storage {

// While one lives, its thread is one that must never wait for the disk (a reactor).
class ForbidBlocking {
 public:
  ForbidBlocking();
  ~ForbidBlocking();
  ForbidBlocking(const ForbidBlocking&) = delete;
  ForbidBlocking& operator=(const ForbidBlocking&) = delete;
};

// While one lives, its thread may wait after all: for an append, which may have to open or create the files
// of its segment as well as to write, and which is timed as a whole (broker/device.h).
class AllowBlocking {
 public:
  AllowBlocking();
  ~AllowBlocking();
  AllowBlocking(const AllowBlocking&) = delete;
  AllowBlocking& operator=(const AllowBlocking&) = delete;

 private:
  const int forbidden_before_;
};

// Switches the check on for the whole process (setting sillok.debug.abort.on.blocking).
void abort_on_forbidden_blocking(bool enabled);

// Called by the file systems before every call that may wait for the disk: aborts, naming `what`, where the
// check is on and the thread is one that must not. Buffered writes are exempt: reactors make them
// (broker/README.md says when).
void about_to_block(const char* what);

}  // namespace sillok::storage
