// Ctrl-C: the first asks the program to finish what it holds, the second ends it.
#pragma once

namespace sillok::client {

// For SIGINT and SIGTERM. A read() that waits is interrupted, too.
void watch_for_interrupt();
bool is_interrupted();

}  // namespace sillok::client
