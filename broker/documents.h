// The parts of the documents that say what the program itself knows: `./dev doc` writes them, and a test
// compares.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace sillok::broker {

// Which APIs are served in which versions: the table in protocol/PROTOCOL.md.
std::string api_document();
// Every setting and topic config: broker/CONFIGURATION.md.
std::string configuration_document();

// "protocol" or "configuration"; nullopt for another name.
std::optional<std::string> document_named(std::string_view name);

}  // namespace sillok::broker
