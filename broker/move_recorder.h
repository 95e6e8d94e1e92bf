// Who remembers durably in which log directory a partition is, while it moves to another one.
#pragma once

#include <string>

#include "protocol/base/ids.h"
#include "protocol/base/result.h"
#include "protocol/base/uuid.h"

namespace sillok::broker {

// Threading: the control executor only. May block. Durability: on disk when a call returns without an error;
// after one, it may be or not.
class MoveRecorder {
 public:
  virtual ~MoveRecorder() = default;

  // The partition is in the directory with the id `to` from now on, where it is still called a future, and
  // its folder in `from` is to be removed once the one in `to` is served: if the process ends now, the next
  // start makes the future the partition, and removes the other. Where there is neither a settled future nor
  // a folder in `to`, and none of the partition in a third directory, the one in `from` is right.
  virtual Result<void> record_move(const std::string& topic, const TopicId& topic_id,
                                   PartitionIndex partition, const Uuid& from, const Uuid& to) = 0;
  // The copy in `to` turned out to be of no use before anything was served from it: the partition is in
  // `from` again, and its folder there stays.
  virtual Result<void> take_back(const std::string& topic, const TopicId& topic_id, PartitionIndex partition,
                                 const Uuid& from) = 0;
  // Its folder in `from` is gone.
  virtual Result<void> end_move(const std::string& topic, const TopicId& topic_id,
                                PartitionIndex partition) = 0;
};

}  // namespace sillok::broker
