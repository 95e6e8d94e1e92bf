// Reads a segment after a stop that was not clean: what is whole, what is a torn tail, what is damage; and
// builds its indexes. The rules: storage/FORMAT.md, section 9.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "storage/segment.h"

namespace sillok::storage {

// What the scan of one segment starts from.
struct SegmentScanPlan {
  // The batches before it are neither read nor indexed again. Must be a batch boundary.
  FilePosition from;
  // What a whole log has there; offsets below it do not fit.
  Offset least_offset;
  // Bytes below it were synced: a bad batch there is damage, and kept. So is one where offsets below
  // `durable_offset` are still to come. Past both, a torn tail.
  FilePosition durable_end;
  Offset durable_offset{0};
};

struct SegmentScan {
  FilePosition end;  // behind the last batch that counts
  Offset next_offset;
  bool met_durable_end = false;  // one batch ended exactly there (or the scan began there)
  Offset offset_at_durable_end;
  std::vector<DamagedRange> damage;
  std::string problem;  // of the first bad batch, for people; empty where there is none
  ByteCount scanned_bytes = 0;
};

using BatchVisitor = std::function<Result<void>(const BatchPlace&)>;

// Reads [plan.from, file_end), checks every batch, and visits the good ones in order. `base` is the
// segment's: no batch of it ends past what an index entry can say, and no checksum covers a batch's offset.
// Errors: only those of the file.
Result<SegmentScan> scan_segment(const File& file, Offset base, const SegmentScanPlan& plan,
                                 FilePosition file_end, const BatchVisitor& visit);

// Builds both indexes of a segment anew from its batches. Appends must wait.
Result<void> rebuild_indexes(Segment& segment, const LogConfig& config);

}  // namespace sillok::storage
