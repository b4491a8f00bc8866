#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "crypto/result.hpp"

namespace sotto {

/// One SRV record of an XMPP service (RFC 2782).
struct srv_record {
  std::string target;  ///< without a trailing dot; empty: "no such service"
  std::uint16_t port = 0;
  std::uint16_t priority = 0;
  std::uint16_t weight = 0;
  bool direct_tls = false;  ///< from `_xmpps-client` (XEP-0368)

  friend bool operator==(const srv_record&, const srv_record&) = default;
};

/// The order in which targets are tried (RFC 2782): by priority, and within
/// one at random by weight. `_xmpp-client` and `_xmpps-client` are merged
/// beforehand (XEP-0368 section 3). `random(n)` gives 0 to n.
std::vector<srv_record> in_srv_order(
    std::vector<srv_record> records,
    const std::function<std::uint32_t(std::uint32_t)>& random);

/// Where to connect to.
struct server_address {
  std::string ip;  ///< an address literal, no brackets
  std::uint16_t port = 0;
  bool direct_tls = false;

  friend bool operator==(const server_address&,
                         const server_address&) = default;
};

/// What to look up.
struct resolve_request {
  std::string domain = {};  ///< of the account
  std::string host = {};    ///< override; empty: SRV records of the domain
  std::uint16_t port = 0;   ///< override of SRV records; 0: 5222 with `host`
  bool direct_tls = false;  ///< with `host`
};

/// Finds a domain's XMPP servers by c-ares. Blocks the calling thread, within
/// limits: for the links' own threads.
class resolver {
 public:
  /// `nameservers` ("192.0.2.1:53,...") instead of the system's; for tests.
  explicit resolver(std::string nameservers = {});

  /// Every address to try, in order (RFC 6120 section 3.2): all addresses of
  /// every SRV target; without SRV records those of the domain itself, port
  /// 5222. Never empty. Gives up at `deadline`, or as soon as `cancel_fd` can
  /// be read (errc::unavailable); SRV records that do not come within half of
  /// the time are taken not to be there.
  result<std::vector<server_address>> resolve(
      const resolve_request& request,
      std::chrono::steady_clock::time_point deadline, int cancel_fd) const;

 private:
  std::string nameservers_;
};

}  // namespace sotto
