// The settings of listeners, resolved together.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "broker/config.h"

namespace sillok::broker {

// As they were set; nullopt where they were not.
struct ListenerSettings {
  std::optional<std::string> listeners;
  std::optional<std::string> advertised_listeners;
  std::optional<std::string> protocol_map;
  std::optional<std::string> controller_listener_names;
  bool allow_remote_plaintext = false;
};

struct SettingFault {
  std::string setting;
  std::string fault;
};

// Every fault goes to `faults`; what is returned is of use only where there is none. `notes` tell which
// listeners are left out: those of a Kafka controller.
std::vector<Listener> resolve_listeners(const ListenerSettings& settings, std::vector<SettingFault>& faults,
                                        std::vector<std::string>& notes);

// Whether only this machine reaches an address: 127.0.0.0/8, ::1, or "localhost". Names are not looked up.
bool is_loopback(std::string_view host);

}  // namespace sillok::broker
