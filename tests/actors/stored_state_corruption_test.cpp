#include <gtest/gtest.h>

#include <cstdint>
#include <functional>
#include <iostream>
#include <nlohmann/json.hpp>
#include <random>
#include <string>
#include <vector>

#include "tests/actors/stored_state_fixture.hpp"

// Rows that make no sense: none may be skipped in silence, or be taken for
// another one, for what is lost could be a key's verification or a latch.

namespace sotto::test {
namespace {

using nlohmann::json;

/// The row is refused by an error that names its table and quotes nothing.
void expect_refused(const std::string& table, const std::string& key,
                    const std::string& value) {
  auto storage = full_vault();
  storage.rows()->insert_or_assign({table, key}, secret::copy_of(value));
  const auto state = restarted(storage);
  const auto which = table + " / " + key + " = " + value.substr(0, 300);
  ASSERT_FALSE(state) << "read: " << which;
  EXPECT_EQ(state.failure().code, errc::corrupt) << which;
  const auto& message = state.failure().message;
  EXPECT_NE(message.find("'" + table + "'"), std::string::npos) << message;
  EXPECT_EQ(message.find(canary), std::string::npos) << message;
}

/// The rows of `full_vault` that are JSON objects or lists of them.
std::vector<vault_change> json_rows() {
  const contact_key key{own, friend_of_own};
  std::vector<vault_change> rows;
  rows.push_back(account_row(settings_of(own)));
  rows.push_back(trust_row(key, some_keys()));
  rows.push_back(contact_row(own, contact_of(friend_of_own)));
  rows.push_back(request_row(own, request_of(friend_of_own)));
  return rows;
}

TEST(stored_state_corruption, what_is_no_json_is_refused) {
  for (const auto& row : json_rows()) {
    const std::string whole{row.value->view()};
    for (const std::string& value :
         {std::string{}, std::string{"{"}, canary, whole + "x",
          whole.substr(0, whole.size() - 1), "\xff" + whole,
          std::string(1, '\0') + whole, std::string(100'000, '['),
          std::string{"\"\xed\xa0\x80\""}})
      expect_refused(row.table, row.key, value);
  }
}

TEST(stored_state_corruption, json_of_another_shape_is_refused) {
  auto rows = json_rows();
  rows.push_back(timeout_row(std::chrono::seconds{45}));
  for (const auto& row : rows)
    for (const auto* value :
         {"null", "true", "\"text\"", "{}", "[null]", "[[]]", "[{}]"})
      expect_refused(row.table, row.key, value);
  const auto deep = std::string(100'000, '[') + std::string(100'000, ']');
  for (const auto& row : rows) expect_refused(row.table, row.key, deep);
}

/// Values of every kind; `kind_of` tells which of them are another one's.
const std::vector<json>& wrong_values() {
  static const std::vector<json> values{nullptr,
                                        true,
                                        7,
                                        -1,
                                        1.5,
                                        json("text"),
                                        json::array(),
                                        json::object(),
                                        json::array({1})};
  return values;
}

std::string kind_of(const json& value) {
  return value.is_number_float() ? "fraction" : value.type_name();
}

/// Calls `use` with the path of every value within `tree`.
void each_place(const json& tree, const json::json_pointer& here,
                const std::function<void(const json::json_pointer&)>& use) {
  if (!here.empty()) use(here);
  const auto& value = tree.at(here);
  if (value.is_object())
    for (const auto& [name, child] : value.items())
      each_place(tree, here / name, use);
  else if (value.is_array())
    for (std::size_t i = 0; i < value.size(); ++i)
      each_place(tree, here / i, use);
}

TEST(stored_state_corruption, a_field_that_is_missing_is_refused) {
  int tried = 0;
  for (const auto& row : json_rows()) {
    const auto whole = json::parse(row.value->view());
    each_place(whole, json::json_pointer{},
               [&](const json::json_pointer& place) {
                 auto parent = place.parent_pointer();
                 // A pin may be missing, and lists are of any length.
                 if (place.back() == "pin" || whole.at(parent).is_array())
                   return;
                 auto changed = whole;
                 changed.at(parent).erase(place.back());
                 expect_refused(row.table, row.key, changed.dump());
                 ++tried;
               });
  }
  std::cout << tried << " fields left out\n";
  EXPECT_EQ(tried, 8 + 3 * 5 + 5 + 2);
}

TEST(stored_state_corruption, a_field_of_another_type_is_refused) {
  int tried = 0;
  for (const auto& row : json_rows()) {
    const auto whole = json::parse(row.value->view());
    each_place(whole, json::json_pointer{},
               [&](const json::json_pointer& place) {
                 for (const auto& wrong : wrong_values()) {
                   const auto& right = whole.at(place);
                   // A list may hold nothing.
                   if (kind_of(right) == kind_of(wrong) &&
                       (wrong.empty() || !wrong.is_array()))
                     continue;
                   auto changed = whole;
                   changed.at(place) = wrong;
                   expect_refused(row.table, row.key, changed.dump());
                   ++tried;
                 }
               });
  }
  std::cout << tried << " fields of another type\n";
  EXPECT_GT(tried, 200);
}

TEST(stored_state_corruption, a_number_out_of_its_range_is_refused) {
  const auto rows = json_rows();
  const auto& account = rows.at(0);
  const auto& trust = rows.at(1);
  const auto& contact = rows.at(2);
  const auto with = [](const vault_change& row, const char* place,
                       const json& value) {
    auto changed = json::parse(row.value->view());
    changed.at(json::json_pointer{place}) = value;
    expect_refused(row.table, row.key, changed.dump());
  };
  for (const auto& port : {json(-1), json(65'536), json(4'295'032'831U)})
    with(account, "/port", port);
  for (const auto& subscribed :
       {json(-1), json(4), json(4'294'967'296), json(1e300)})
    with(contact, "/subscription", subscribed);
  // Beyond what the clock can tell.
  for (const auto& seconds :
       {json(INT64_MAX), json(INT64_MIN), json(UINT64_MAX)})
    for (const auto* place : {"/0/first_seen", "/2/last_seen"})
      with(trust, place, seconds);
}

TEST(stored_state_corruption,
     a_handshakes_time_that_nobody_could_set_is_refused) {
  const auto row = timeout_row(std::chrono::seconds{45});
  for (const auto* value :
       {"0", "-1", "999", "600001", "9223372036854775807",
        "18446744073709551615", "1e300", "30000.5", "\"30000\""})
    expect_refused(row.table, row.key, value);
}

TEST(stored_state_corruption, a_fingerprint_that_is_none_is_refused) {
  const auto row = trust_row({own, friend_of_own}, some_keys());
  for (const auto& wrong : {std::string{}, canary, std::string(39, 'A'),
                            std::string(41, 'A'), std::string(39, 'A') + "G"}) {
    auto changed = json::parse(row.value->view());
    changed.at(1).at("fingerprint") = wrong;
    expect_refused(row.table, row.key, changed.dump());
  }
}

TEST(stored_state_corruption, an_unknown_policy_is_refused) {
  for (const auto& row :
       {policy_row(own, otr_policy::never),
        policy_row(contact_key{own, friend_of_own}, otr_policy::required)})
    for (const std::string& word :
         {std::string{}, std::string{"Never"}, std::string{"never "},
          std::string{"\"never\""}, canary})
      expect_refused(row.table, row.key, word);
}

TEST(stored_state_corruption, a_row_under_no_address_is_refused) {
  const std::string of_own = own + "\n";
  const std::string with_friend = "\n" + friend_of_own;
  for (const auto& row : every_row(own, friend_of_own)) {
    const std::string value{row.value->view()};
    const auto line_break = row.key.find('\n');
    const bool of_contact = line_break != std::string::npos;
    for (const std::string& wrong :
         {std::string{}, std::string{"@localhost"}, canary + "@@localhost",
          std::string{"terrence@"}, std::string{"terrence@local host"},
          std::string{"\xff@localhost"}}) {
      if (!of_contact) {
        expect_refused(row.table, wrong, value);
        continue;
      }
      expect_refused(row.table, of_own + wrong, value);
      expect_refused(row.table, wrong + with_friend, value);
    }
  }
}

TEST(stored_state_corruption,
     a_key_that_is_damaged_or_another_account_s_is_refused) {
  const auto row = identity_row(*test::identity_of(own));
  const std::string whole{row.value->view()};
  for (const auto& value : {std::string{}, canary, whole.substr(1),
                            whole.substr(0, whole.size() - 1), whole + "x"})
    expect_refused(row.table, row.key, value);
  expect_refused(row.table, other, whole);
}

TEST(stored_state_corruption, a_password_of_no_account_is_refused) {
  const auto row = password_row(settings_of(other));
  expect_refused(row.table, row.key, canary);
}

// -- rows that were changed at random ----------------------------------------

/// Changes a text somewhere, in one of the ways in which texts go bad.
std::string mutated(std::string text, std::mt19937& random) {
  const auto somewhere = [&] {
    return text.empty() ? 0 : random() % text.size();
  };
  static const std::vector<std::string> tokens{
      "null", "{}",   "[]",  "true", "1e400", "-1", "99999999999999999999",
      "\"",   "\\u0", "\n",  "\xff", "{",     "[",  "9223372036854775807",
      ":",    ",",    "e99", "-"};
  const auto times = 1 + random() % 3;
  for (unsigned i = 0; i < times; ++i) {
    switch (random() % 6) {
      case 0:
        if (!text.empty())
          text[somewhere()] ^= static_cast<char>(1U << random() % 8);
        break;
      case 1:
        text.insert(somewhere(), tokens[random() % tokens.size()]);
        break;
      case 2:
        text.erase(somewhere(), 1 + random() % 8);
        break;
      case 3:
        text.resize(somewhere());
        break;
      case 4:
        text.insert(somewhere(), text.substr(somewhere(), random() % 40));
        break;
      default: {
        const auto& token = tokens[random() % tokens.size()];
        text.replace(somewhere(), token.size(), token);
      }
    }
  }
  return text;
}

TEST(stored_state_corruption, rows_changed_at_random_are_read_or_refused) {
  constexpr int rounds = 2'000;
  const unsigned seed = std::random_device{}();
  std::mt19937 random{seed};
  const auto intact = full_vault();
  const auto count = intact.rows()->size();
  int read = 0;
  int refused = 0;
  for (int round = 0; round < rounds; ++round) {
    memory_vault storage;
    auto victim = random() % count;
    for (const auto& [place, value] : *intact.rows()) {
      auto [table, key] = place;
      std::string text{value.view()};
      if (victim-- == 0)
        random() % 4 == 0 ? key = mutated(key, random)
                          : text = mutated(text, random);
      storage.rows()->insert_or_assign({table, key}, secret::copy_of(text));
    }
    const auto state = restarted(storage);
    ++(state ? read : refused);
    if (!state) {
      ASSERT_EQ(state.failure().code, errc::corrupt) << "seed " << seed;
      ASSERT_EQ(state.failure().message.find(canary), std::string::npos);
    }
  }
  std::cout << "seed " << seed << ": " << rounds << " changed rows, " << read
            << " read, " << refused << " refused, 0 crashes\n";
  EXPECT_GT(refused, rounds / 2);
  EXPECT_GT(read, 0);
}

}  // namespace
}  // namespace sotto::test
