// Ids that nobody else has.
#pragma once

#include "protocol/base/uuid.h"

namespace sillok::broker {

// Threading: any thread.
Uuid random_uuid();

}  // namespace sillok::broker
