#pragma once

#include <chrono>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "crypto/otr_conversation.hpp"
#include "crypto/otr_identity.hpp"
#include "crypto/trust.hpp"
#include "crypto/vault.hpp"
#include "protocol/roster.hpp"
#include "protocol/transport.hpp"

namespace sotto {

/// An account as it is kept between two starts.
struct account_settings {
  jid account;
  std::shared_ptr<const secret> password;
  std::string host;
  std::uint16_t port = 0;
  std::string ca_file;
  std::optional<certificate_pin> pin;
  bool allow_plain = false;
  std::string best_mechanism;
  std::string resource;
};

/// Own account and contact, both bare JIDs as text.
using contact_key = std::pair<std::string, std::string>;

/// All that the vault holds, read once at the start.
struct stored_state {
  std::map<std::string, account_settings> accounts;
  std::map<std::string, std::shared_ptr<const otr_identity>> identities;
  trust_store trust;
  /// Conversations that were private: nothing leaves in the clear.
  std::set<contact_key> latched;
  std::map<std::string, otr_policy> account_policies;
  std::map<contact_key, otr_policy> contact_policies;
  std::map<std::string, std::vector<contact>> contacts;
  std::map<std::string, std::vector<subscription_request>> requests;
  std::chrono::milliseconds handshake_timeout{30'000};
};

/// Reads everything. A row that makes no sense is an error that names it:
/// nothing is skipped in silence.
result<stored_state> load_state(vault& source);

/// Erases all that belongs to an account: settings, password, key, trust,
/// latches, policies, contacts, requests.
result<void> erase_account(vault& storage, const std::string& account);

/// Rows to write, shared because messages between actors are copied.
using row_changes = std::shared_ptr<std::vector<vault_change>>;

// One function a kind of row: the change that stores it, or erases it.
vault_change account_row(const account_settings& settings);
vault_change password_row(const account_settings& settings);
vault_change identity_row(const otr_identity& identity);
vault_change trust_row(const contact_key& key, const known_keys& keys);
vault_change latch_row(const contact_key& key, bool latched);
vault_change policy_row(const std::string& account, otr_policy policy);
vault_change policy_row(const contact_key& key, otr_policy policy);
vault_change contact_row(const std::string& account, const contact& row);
vault_change contact_erased(const std::string& account, const jid& address);
vault_change request_row(const std::string& account,
                         const subscription_request& request);
vault_change request_erased(const std::string& account, const jid& address);
vault_change timeout_row(std::chrono::milliseconds timeout);
}  // namespace sotto
