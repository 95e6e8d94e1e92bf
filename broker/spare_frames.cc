#include "broker/spare_frames.h"

#include <utility>
#include <vector>

namespace sillok::broker {
namespace {

// Apart, so that short answers do not take the memory of long ones.
struct SpareFrames {
  std::vector<OutgoingFrame> usual;
  std::vector<OutgoingFrame> longer;
};

SpareFrames& spare_frames() {
  thread_local SpareFrames frames;
  return frames;
}

}  // namespace

OutgoingFrame take_spare_frame(std::size_t size) {
  SpareFrames& spare = spare_frames();
  std::vector<OutgoingFrame>& frames = size <= kUsualAnswerBytes ? spare.usual : spare.longer;
  OutgoingFrame frame;
  if (!frames.empty()) {
    frame = std::move(frames.back());
    frames.pop_back();
  }
  frame.bytes.reserve(size);
  return frame;
}

void keep_spare_frame(OutgoingFrame frame) {
  const std::size_t capacity = frame.bytes.capacity();
  if (capacity < kUsualAnswerBytes || capacity > kSpareFrameBytesMax ||
      frame.files.capacity() > kSpareFrameFilesMax) {
    return;
  }
  SpareFrames& spare = spare_frames();
  const bool is_usual = capacity <= 2 * kUsualAnswerBytes;
  std::vector<OutgoingFrame>& frames = is_usual ? spare.usual : spare.longer;
  if (frames.size() >= (is_usual ? kUsualFramesMax : kLongFramesMax)) return;
  frame.bytes.clear();
  frame.files.clear();
  frames.push_back(std::move(frame));
}

}  // namespace sillok::broker
