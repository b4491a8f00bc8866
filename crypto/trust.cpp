#include "crypto/trust.hpp"

#include <algorithm>

namespace sotto {

bool allows_sending(key_standing standing) {
  switch (standing) {
    case key_standing::first:
    case key_standing::known:
    case key_standing::verified:
      return true;
    case key_standing::changed:
    case key_standing::changed_verified:
      return false;
  }
  return false;
}

const known_key* known_keys::find(const fingerprint& print) const {
  const auto found =
      std::find_if(keys_.begin(), keys_.end(),
                   [&](const known_key& key) { return key.print == print; });
  return found == keys_.end() ? nullptr : &*found;
}

key_standing known_keys::standing_of(const fingerprint& print) const {
  const auto* key = find(print);
  if (key != nullptr && key->verified) return key_standing::verified;
  if (key != nullptr && key->accepted) return key_standing::known;
  if (keys_.empty()) return key_standing::first;
  const bool any_verified =
      std::any_of(keys_.begin(), keys_.end(),
                  [](const known_key& other) { return other.verified; });
  return any_verified ? key_standing::changed_verified : key_standing::changed;
}

key_standing known_keys::seen(const fingerprint& print,
                              std::chrono::system_clock::time_point when) {
  const auto standing = standing_of(print);
  for (auto& key : keys_) {
    if (key.print != print) continue;
    key.last_seen = std::max(key.last_seen, when);
    return standing;
  }
  keys_.push_back({.print = print,
                   .accepted = standing == key_standing::first,
                   .verified = false,
                   .first_seen = when,
                   .last_seen = when});
  return standing;
}

void known_keys::verify(const fingerprint& print,
                        std::chrono::system_clock::time_point when) {
  for (auto& key : keys_) {
    if (key.print != print) continue;
    key.accepted = true;
    key.verified = true;
    return;
  }
  keys_.push_back({.print = print,
                   .accepted = true,
                   .verified = true,
                   .first_seen = when,
                   .last_seen = when});
}

void known_keys::distrust() {
  for (auto& key : keys_) key.verified = false;
}

known_keys& trust_store::of(const std::string& account,
                            const std::string& contact) {
  return keys_[{account, contact}];
}

const known_keys* trust_store::find(const std::string& account,
                                    const std::string& contact) const {
  const auto found = keys_.find({account, contact});
  return found == keys_.end() ? nullptr : &found->second;
}

void trust_store::put(const std::string& account, const std::string& contact,
                      known_keys keys) {
  keys_[{account, contact}] = std::move(keys);
}

void trust_store::erase_account(const std::string& account) {
  std::erase_if(keys_,
                [&](const auto& row) { return row.first.first == account; });
}

}  // namespace sotto
