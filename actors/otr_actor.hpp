#pragma once

#include "actors/handles.hpp"

namespace sotto {

/// What one conversation's actors start from.
struct conversation_config {
  jid account;
  jid contact;  ///< bare
  otr_options options;
  account_handle owner;
  keyring_handle keyring;
  snapshot_handle snapshots;

  contact_key key() const { return {account.str(), contact.str()}; }
};

/// One OTR context: encrypts and decrypts for one conversation. It asks the
/// keyring for key, trust and latch before anything else, and quits when the
/// session that it works for is gone.
otr_handle spawn_otr(caf::actor_system& system, conversation_config config,
                     session_handle session);

}  // namespace sotto
