#pragma once

#include <chrono>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "crypto/fingerprint.hpp"

namespace sotto {

/// One key that a contact was seen to use.
struct known_key {
  fingerprint print;
  /// Sending to this key is allowed: it was the contact's first, or the user
  /// has verified it. A changed key is not accepted until the user acts.
  bool accepted = false;
  bool verified = false;
  std::chrono::system_clock::time_point first_seen{};
  std::chrono::system_clock::time_point last_seen{};

  friend bool operator==(const known_key&, const known_key&) = default;
};

/// What a key means for the conversation that uses it.
enum class key_standing {
  first,             ///< the contact's first key: used, unverified
  known,             ///< accepted before, unverified
  verified,          ///< verified by the user
  changed,           ///< others are known, none verified: blocks sending
  changed_verified,  ///< another one was verified: blocks sending, loudly
};

/// True where messages may be encrypted to a key of this standing (R20).
bool allows_sending(key_standing standing);

/// The keys known for one contact of one account.
class known_keys {
 public:
  known_keys() = default;
  explicit known_keys(std::vector<known_key> keys) : keys_(std::move(keys)) {}

  const std::vector<known_key>& list() const noexcept { return keys_; }
  key_standing standing_of(const fingerprint& print) const;
  const known_key* find(const fingerprint& print) const;

  /// Notes that a session uses the key; a contact's first key is accepted,
  /// any further one is not. Returns its standing as it was before.
  key_standing seen(const fingerprint& print,
                    std::chrono::system_clock::time_point when);
  /// The user has compared this fingerprint: verified and accepted.
  void verify(const fingerprint& print,
              std::chrono::system_clock::time_point when);
  /// Takes back the verification of every key; none becomes accepted by it.
  void distrust();

  friend bool operator==(const known_keys&, const known_keys&) = default;

 private:
  std::vector<known_key> keys_;
};

/// Trust is keyed by own account, contact and fingerprint: what was verified
/// from one account says nothing for another. Addresses are bare JIDs.
class trust_store {
 public:
  known_keys& of(const std::string& account, const std::string& contact);
  const known_keys* find(const std::string& account,
                         const std::string& contact) const;
  void put(const std::string& account, const std::string& contact,
           known_keys keys);
  void erase_account(const std::string& account);

  using map_type = std::map<std::pair<std::string, std::string>, known_keys>;
  const map_type& all() const noexcept { return keys_; }

 private:
  map_type keys_;
};

}  // namespace sotto
