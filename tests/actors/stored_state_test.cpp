#include "actors/stored_state.hpp"

#include <gtest/gtest.h>

#include <set>
#include <string>
#include <vector>

#include "tests/actors/stored_state_fixture.hpp"

namespace sotto::test {
namespace {

// -- round trips -------------------------------------------------------------

TEST(stored_state, an_empty_vault_is_a_first_start) {
  const auto state = restarted(memory_vault{});
  ASSERT_TRUE(state) << state.failure().message;
  EXPECT_TRUE(state->accounts.empty());
  EXPECT_TRUE(state->identities.empty());
  EXPECT_TRUE(state->trust.all().empty());
  EXPECT_TRUE(state->latched.empty());
  EXPECT_TRUE(state->account_policies.empty());
  EXPECT_TRUE(state->contact_policies.empty());
  EXPECT_TRUE(state->contacts.empty());
  EXPECT_TRUE(state->requests.empty());
  EXPECT_EQ(state->handshake_timeout, std::chrono::seconds{30});
}

void expect_same(const account_settings& kept, const account_settings& meant) {
  EXPECT_EQ(kept.account, meant.account);
  ASSERT_NE(kept.password, nullptr);
  EXPECT_TRUE(kept.password->equals(*meant.password));
  EXPECT_EQ(kept.host, meant.host);
  EXPECT_EQ(kept.port, meant.port);
  EXPECT_EQ(kept.ca_file, meant.ca_file);
  ASSERT_EQ(kept.pin.has_value(), meant.pin.has_value());
  if (meant.pin) {
    EXPECT_EQ(kept.pin->sha256, meant.pin->sha256);
    EXPECT_EQ(kept.pin->problems, meant.pin->problems);
  }
  EXPECT_EQ(kept.allow_plain, meant.allow_plain);
  EXPECT_EQ(kept.best_mechanism, meant.best_mechanism);
  EXPECT_EQ(kept.resource, meant.resource);
}

TEST(stored_state, an_account_is_kept_with_all_its_settings) {
  const auto full = settings_of(own);
  account_settings plain;
  plain.account = address(other);
  plain.password = std::make_shared<const secret>(
      secret::copy_of(std::string_view{"\0\xff", 2}));
  memory_vault storage;
  for (const auto& settings : {full, plain}) {
    write(storage, account_row(settings));
    write(storage, password_row(settings));
  }
  const auto state = restarted(storage);
  ASSERT_TRUE(state) << state.failure().message;
  ASSERT_EQ(state->accounts.size(), 2U);
  expect_same(state->accounts.at(own), full);
  expect_same(state->accounts.at(other), plain);
}

TEST(stored_state, a_pin_that_was_taken_back_is_gone) {
  auto settings = settings_of(own);
  memory_vault storage;
  write(storage, account_row(settings));
  write(storage, password_row(settings));
  settings.pin.reset();
  write(storage, account_row(settings));
  const auto state = restarted(storage);
  ASSERT_TRUE(state) << state.failure().message;
  EXPECT_FALSE(state->accounts.at(own).pin);
}

TEST(stored_state, the_password_is_in_no_row_but_its_own) {
  const auto settings = settings_of(own);
  const std::string password{settings.password->view()};
  EXPECT_EQ(password_row(settings).value->view(), password);
  EXPECT_EQ(account_row(settings).value->view().find(password),
            std::string_view::npos);
}

TEST(stored_state, a_key_is_kept_with_its_instance_tag) {
  const auto identity = test::identity_of(own);
  memory_vault storage;
  write(storage, identity_row(*identity));
  const auto state = restarted(storage);
  ASSERT_TRUE(state) << state.failure().message;
  const auto& kept = state->identities.at(own);
  EXPECT_EQ(kept->account(), own);
  EXPECT_EQ(kept->print(), identity->print());
  EXPECT_EQ(kept->instance_tag(), identity->instance_tag());
  EXPECT_TRUE(kept->private_key().equals(identity->private_key()));
}

TEST(stored_state, trust_is_kept_key_by_key) {
  const contact_key key{own, friend_of_own};
  memory_vault storage;
  write(storage, trust_row(key, some_keys()));
  write(storage, trust_row({other, friend_of_own}, {}));
  const auto state = restarted(storage);
  ASSERT_TRUE(state) << state.failure().message;
  const auto* kept = state->trust.find(own, friend_of_own);
  ASSERT_NE(kept, nullptr);
  EXPECT_EQ(*kept, some_keys());
  ASSERT_NE(state->trust.find(other, friend_of_own), nullptr);
  EXPECT_TRUE(state->trust.find(other, friend_of_own)->list().empty());
  // What one account knows says nothing for another, nor the other way round.
  EXPECT_EQ(state->trust.all().size(), 2U);
}

TEST(stored_state, a_latch_is_kept_until_it_is_opened) {
  const contact_key key{own, friend_of_own};
  memory_vault storage;
  write(storage, latch_row(key, true));
  write(storage, latch_row({other, friend_of_own}, true));
  auto state = restarted(storage);
  ASSERT_TRUE(state) << state.failure().message;
  EXPECT_EQ(state->latched,
            (std::set<contact_key>{key, {other, friend_of_own}}));
  write(storage, latch_row(key, false));
  state = restarted(storage);
  ASSERT_TRUE(state) << state.failure().message;
  EXPECT_EQ(state->latched, (std::set<contact_key>{{other, friend_of_own}}));
}

TEST(stored_state, every_policy_is_kept_for_account_and_contact) {
  for (const auto policy : {otr_policy::opportunistic, otr_policy::automatic,
                            otr_policy::required, otr_policy::never}) {
    const contact_key key{own, friend_of_own};
    memory_vault storage;
    write(storage, policy_row(own, policy));
    auto state = restarted(storage);
    ASSERT_TRUE(state) << state.failure().message;
    EXPECT_EQ(state->account_policies.at(own), policy);
    EXPECT_TRUE(state->contact_policies.empty());
    write(storage, policy_row(own, otr_policy::opportunistic));
    write(storage, policy_row(key, policy));
    state = restarted(storage);
    ASSERT_TRUE(state) << state.failure().message;
    EXPECT_EQ(state->account_policies.at(own), otr_policy::opportunistic);
    EXPECT_EQ(state->contact_policies.at(key), policy);
  }
}

TEST(stored_state, a_contact_is_kept_as_it_is_until_it_is_removed) {
  for (const auto subscribed : {subscription::none, subscription::to,
                                subscription::from, subscription::both})
    for (const bool ask : {false, true})
      for (const bool declined : {false, true}) {
        auto row = contact_of(friend_of_own);
        row.item.subscribed = subscribed;
        row.item.ask_subscribe = ask;
        row.declined = declined;
        memory_vault storage;
        write(storage, contact_row(own, row));
        write(storage, contact_row(own, contact_of("zoe@localhost")));
        auto state = restarted(storage);
        ASSERT_TRUE(state) << state.failure().message;
        ASSERT_EQ(state->contacts.at(own).size(), 2U);
        EXPECT_EQ(state->contacts.at(own)[0], row);
        write(storage, contact_erased(own, row.item.address));
        state = restarted(storage);
        ASSERT_TRUE(state) << state.failure().message;
        ASSERT_EQ(state->contacts.at(own).size(), 1U);
        EXPECT_EQ(state->contacts.at(own)[0], contact_of("zoe@localhost"));
      }
}

TEST(stored_state, a_request_is_kept_until_it_is_answered) {
  const auto ignored = request_of(friend_of_own);
  const subscription_request fresh{address("zoe@localhost"), "", false};
  memory_vault storage;
  write(storage, request_row(own, ignored));
  write(storage, request_row(own, fresh));
  auto state = restarted(storage);
  ASSERT_TRUE(state) << state.failure().message;
  EXPECT_EQ(state->requests.at(own), (std::vector{ignored, fresh}));
  write(storage, request_erased(own, ignored.from));
  state = restarted(storage);
  ASSERT_TRUE(state) << state.failure().message;
  EXPECT_EQ(state->requests.at(own), std::vector{fresh});
}

TEST(stored_state, the_handshakes_time_is_kept) {
  memory_vault storage;
  for (const auto seconds : {1, 600}) {
    write(storage, timeout_row(std::chrono::seconds{seconds}));
    const auto state = restarted(storage);
    ASSERT_TRUE(state) << state.failure().message;
    EXPECT_EQ(state->handshake_timeout, std::chrono::seconds{seconds});
  }
}

// Whoever makes a row does so in an actor, which an exception would end.
TEST(stored_state, text_that_is_no_utf8_is_stored_as_well_as_it_can_be) {
  auto settings = settings_of(own);
  settings.host = "host\xff";
  settings.ca_file = "/tmp/\xfc.pem";
  auto row = contact_of(friend_of_own);
  row.item.name = "\xc3";
  row.item.groups = {"\xed\xa0\x80"};
  const subscription_request request{address("zoe@localhost"), "\x80", false};
  memory_vault storage;
  EXPECT_NO_THROW(write(storage, account_row(settings)));
  EXPECT_NO_THROW(write(storage, password_row(settings)));
  EXPECT_NO_THROW(write(storage, contact_row(own, row)));
  EXPECT_NO_THROW(write(storage, request_row(own, request)));
  const auto state = restarted(storage);
  ASSERT_TRUE(state) << state.failure().message;
  ASSERT_TRUE(state->accounts.contains(own));
  EXPECT_TRUE(state->accounts.at(own).host.starts_with("host"));
  EXPECT_EQ(state->accounts.at(own).resource, settings.resource);
}

// -- erase_account -----------------------------------------------------------

std::set<std::pair<std::string, std::string>> places(
    const memory_vault& storage) {
  std::set<std::pair<std::string, std::string>> found;
  for (const auto& [place, value] : *storage.rows()) found.insert(place);
  return found;
}

TEST(stored_state, erasing_an_account_erases_all_and_only_its_rows) {
  // An account whose name begins alike, one that has the erased one as its
  // contact, and a setting of nobody's.
  memory_vault storage;
  for (auto& row : every_row(other, own)) write(storage, std::move(row));
  for (auto& row : every_row(friend_of_own, own))
    write(storage, std::move(row));
  write(storage, timeout_row(std::chrono::seconds{45}));
  const auto kept = places(storage);
  for (const auto* who : {"sally@localhost", "zoe@localhost"})
    for (auto& row : every_row(own, who)) write(storage, std::move(row));
  ASSERT_EQ(places(storage).size(), kept.size() + 4 + 5 + 5);

  const auto erased = erase_account(storage, own);
  ASSERT_TRUE(erased) << erased.failure().message;
  EXPECT_EQ(places(storage), kept);
  const auto state = restarted(storage);
  ASSERT_TRUE(state) << state.failure().message;
  EXPECT_FALSE(state->accounts.contains(own));
  EXPECT_EQ(state->accounts.size(), 2U);
  EXPECT_NE(state->trust.find(friend_of_own, own), nullptr);
}

TEST(stored_state, an_account_with_damaged_rows_can_be_erased) {
  auto storage = full_vault();
  for (auto& [place, value] : *storage.rows())
    if (place.first != "setting") value = secret::copy_of("damaged");
  ASSERT_FALSE(restarted(storage));
  ASSERT_TRUE(erase_account(storage, own));
  EXPECT_TRUE(restarted(storage));
  EXPECT_EQ(places(storage).size(), 1U);
}

TEST(stored_state, erasing_an_unknown_account_changes_nothing) {
  auto storage = full_vault();
  const auto before = places(storage);
  EXPECT_TRUE(erase_account(storage, "nobody@localhost"));
  EXPECT_TRUE(erase_account(storage, "terrence@localhos"));
  EXPECT_TRUE(erase_account(storage, "localhost"));
  EXPECT_EQ(places(storage), before);
}

// -- a vault that fails ------------------------------------------------------

TEST(stored_state, a_vault_that_cannot_be_read_is_its_own_error) {
  auto storage = full_vault();
  storage.fail_with(error{errc::io, "The disk says no."});
  const auto state = load_state(storage);
  ASSERT_FALSE(state);
  EXPECT_EQ(state.failure().code, errc::io);
  EXPECT_EQ(state.failure().message, "The disk says no.");
  const auto erased = erase_account(storage, own);
  ASSERT_FALSE(erased);
  EXPECT_EQ(erased.failure().code, errc::io);
  storage.fail_with(std::nullopt);
  EXPECT_TRUE(load_state(storage));
}

}  // namespace
}  // namespace sotto::test
