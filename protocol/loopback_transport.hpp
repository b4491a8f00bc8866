#pragma once

#include <functional>
#include <memory>
#include <string>

#include "protocol/transport.hpp"

namespace sotto {

/// A small XMPP server in this process, with the interface of the real
/// transport: accounts are made by connecting; rosters, subscriptions,
/// presence, offline messages and routing by RFC 6121 (and RFC 6120 section
/// 10). Tests, the bench and `--demo` run the whole engine over it.
///
/// Thread-safe. Unlike the real transport it has no thread: listeners are
/// called from within `open`, `send`, `close`, `cut` and `inject`, on the
/// thread of whoever called (of either side), so that a listener should only
/// note or post what it gets. No lock is held then, and each link's events come
/// in order, one at a time. `online` reports SCRAM-SHA-256 as the mechanism.
class loopback_hub {
 public:
  loopback_hub();
  ~loopback_hub();

  /// A factory for transports of this hub; must not outlive it.
  std::shared_ptr<transport_factory> factory();

  /// What a stanza on its way may meet; called for every stanza from a client
  /// before it is handled.
  enum class fate { deliver, drop, duplicate };
  void set_fault(std::function<fate(const stanza&)> fault);
  /// Sees every message with a body that a client sends and that is not
  /// dropped, as an eavesdropper would.
  void set_tap(std::function<void(const message_stanza&)> tap);
  /// Cuts every link of an account, as a failed network would.
  void cut(const jid& account);
  /// Refuses (or accepts again) new links, as a server that is down.
  void set_down(bool down);
  /// Hands a stanza to every link of an account as if it came from `from`.
  /// Wrapped messages meet the sender rules that `decode` applies.
  void inject(const jid& account, const stanza& forged);

 private:
  class impl;
  std::shared_ptr<impl> impl_;
};

}  // namespace sotto
