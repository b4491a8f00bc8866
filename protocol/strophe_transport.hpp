#pragma once

#include <memory>
#include <string>

#include "protocol/transport.hpp"

namespace sotto {

/// The real transport: XMPP over TCP and TLS by libstrophe, each link on a
/// thread of its own (`link_session`), so that a server which stalls delays
/// nobody else. `init_network` comes first. At most about 900 links fit into
/// a process, as libstrophe uses select(); more fail with a clear error.
///
/// `nameservers` ("192.0.2.1:53,...") instead of the system's; for tests.
std::shared_ptr<transport_factory> strophe_transport_factory(
    std::string nameservers = {});

}  // namespace sotto
