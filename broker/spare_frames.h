// Memory of answers that were sent, for answers to come. Each thread keeps its own.
#pragma once

#include <cstddef>

#include "broker/response_sink.h"

namespace sillok::broker {

// Nearly all answers without records are shorter.
inline constexpr std::size_t kUsualAnswerBytes = 512;
// Longer ones are not kept.
inline constexpr std::size_t kSpareFrameBytesMax = 32 << 10;
inline constexpr std::size_t kSpareFrameFilesMax = 64;
// Of one thread: how many usual ones, and how many longer ones.
inline constexpr std::size_t kUsualFramesMax = 256;
inline constexpr std::size_t kLongFramesMax = 16;

// An empty frame; `size` bytes fit without another allocation.
OutgoingFrame take_spare_frame(std::size_t size);
// A frame that nobody needs any more.
void keep_spare_frame(OutgoingFrame frame);

}  // namespace sillok::broker
