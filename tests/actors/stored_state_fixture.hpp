#pragma once

#include <gtest/gtest.h>

#include <array>
#include <chrono>
#include <memory>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include "actors/stored_state.hpp"
#include "tests/support/memory_vault.hpp"
#include "tests/support/otr_pair.hpp"

// The rows that the tests of stored_state share.

namespace sotto::test {

inline const std::string own = "terrence@localhost";
inline const std::string other = "terrence@localhost.example";
inline const std::string friend_of_own = "sally@localhost";
/// Stands in every text that is kept, so that an error cannot quote a row
/// unseen.
inline const std::string canary = "canary-7f3a";

inline jid address(std::string_view text) {
  const auto parsed = jid::parse(text);
  if (!parsed) throw std::runtime_error(parsed.failure().message);
  return *parsed;
}

inline fingerprint print_of(std::uint8_t filler) {
  std::array<std::uint8_t, fingerprint::size> bytes{};
  bytes.fill(filler);
  return fingerprint{bytes};
}

inline std::chrono::system_clock::time_point at(std::int64_t seconds) {
  return std::chrono::system_clock::time_point{std::chrono::seconds{seconds}};
}

inline void write(vault& storage, vault_change change) {
  std::vector<vault_change> changes;
  changes.push_back(std::move(change));
  const auto written = storage.apply(changes);
  ASSERT_TRUE(written) << written.failure().message;
}

/// What a new start finds.
inline result<stored_state> restarted(const memory_vault& storage) {
  memory_vault reopened{storage.rows()};
  return load_state(reopened);
}

inline account_settings settings_of(const std::string& account) {
  account_settings settings;
  settings.account = address(account);
  settings.password =
      std::make_shared<const secret>(secret::copy_of("pass " + canary));
  settings.host = canary + ".example";
  settings.port = 65'535;
  settings.ca_file = "/etc/ä \"" + canary + "\"\n.pem";
  settings.pin = certificate_pin{std::string(64, 'a'), "expired,wrong_host"};
  settings.allow_plain = true;
  settings.best_mechanism = "SCRAM-SHA-256";
  settings.resource = "sotto." + canary;
  return settings;
}

inline known_keys some_keys() {
  return known_keys{
      {{print_of(0x11), true, true, at(1'600'000'000), at(1'700'000'000)},
       {print_of(0xEE), true, false, at(1), at(2)},
       {print_of(0x00), false, false, at(0), at(4'000'000'000)}}};
}

inline contact contact_of(const std::string& who) {
  contact row;
  row.item.address = address(who);
  row.item.name = "Sally \"the Doer\" ü " + canary;
  row.item.groups = {"Friends", canary, ""};
  row.item.subscribed = subscription::both;
  return row;
}

inline subscription_request request_of(const std::string& who) {
  return {address(who), "May I?\n" + canary, true};
}

/// One row of every kind for an account; those of a contact for `who`.
inline std::vector<vault_change> every_row(const std::string& account,
                                           const std::string& who) {
  const auto settings = settings_of(account);
  const contact_key key{account, who};
  std::vector<vault_change> rows;
  rows.push_back(account_row(settings));
  rows.push_back(password_row(settings));
  rows.push_back(identity_row(*test::identity_of(account)));
  rows.push_back(trust_row(key, some_keys()));
  rows.push_back(latch_row(key, true));
  rows.push_back(policy_row(account, otr_policy::required));
  rows.push_back(policy_row(key, otr_policy::never));
  rows.push_back(contact_row(account, contact_of(who)));
  rows.push_back(request_row(account, request_of(who)));
  return rows;
}

inline memory_vault full_vault() {
  memory_vault storage;
  for (auto& row : every_row(own, friend_of_own))
    write(storage, std::move(row));
  write(storage, timeout_row(std::chrono::seconds{45}));
  return storage;
}

}  // namespace sotto::test
