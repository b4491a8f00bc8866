#pragma once

#include <cstdint>
#include <memory>

#include "actors/handles.hpp"
#include "protocol/transport.hpp"

namespace sotto {

/// Turns what happens on a transport's thread into messages for the account.
/// `attempt` numbers the link that it listens to.
std::shared_ptr<transport_listener> make_bridge(account_handle account,
                                                std::uint64_t attempt);

}  // namespace sotto
