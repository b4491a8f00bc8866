#include "actors/notice_text.hpp"

#include <gtest/gtest.h>

#include <array>
#include <map>
#include <string>

namespace sotto {
namespace {

const std::string contact = "sally@localhost";

constexpr std::array every_state{otr_state::plaintext, otr_state::starting,
                                 otr_state::timed_out, otr_state::unverified,
                                 otr_state::verified,  otr_state::finished};

constexpr std::array every_notice{
    otr_notice::started,         otr_notice::refreshed,
    otr_notice::ended_by_us,     otr_notice::ended_by_contact,
    otr_notice::timed_out,       otr_notice::key_first_seen,
    otr_notice::key_changed,     otr_notice::received_unencrypted,
    otr_notice::unreadable,      otr_notice::malformed,
    otr_notice::not_private,     otr_notice::contact_error,
    otr_notice::reflected,       otr_notice::other_instance,
    otr_notice::refused_version, otr_notice::refused_by_policy,
    otr_notice::flood,           otr_notice::setup_error};

/// Its detail is of use to the reader; those of the others are not shown.
bool shows_detail(otr_notice what) {
  return what == otr_notice::timed_out || what == otr_notice::contact_error ||
         what == otr_notice::flood || what == otr_notice::setup_error;
}

/// About this side alone.
bool names_nobody(otr_notice what) {
  return what == otr_notice::reflected || what == otr_notice::other_instance;
}

std::string sentence(otr_notice what, otr_state state = otr_state::unverified,
                     const std::string& detail = {}) {
  return notice_sentence({what, detail}, contact, state);
}

// A notice that is new has to be listed above.
TEST(notice_text, the_list_of_notices_is_complete) {
  for (std::size_t i = 0; i < every_notice.size(); ++i) {
    EXPECT_EQ(static_cast<std::size_t>(every_notice[i]), i);
    EXPECT_NE(to_string(every_notice[i]), "unknown");
  }
  const auto beyond = static_cast<otr_notice>(every_notice.size());
  EXPECT_EQ(to_string(beyond), "unknown");
}

TEST(notice_text, every_notice_is_a_sentence_in_every_state) {
  for (const auto what : every_notice)
    for (const auto state : every_state) {
      const auto text = sentence(what, state);
      ASSERT_GT(text.size(), 20U) << to_string(what);
      EXPECT_EQ(text.back(), '.') << text;
      const auto first = text.front();
      EXPECT_TRUE((first >= 'A' && first <= 'Z') || text.starts_with(contact))
          << text;
      EXPECT_EQ(text.find("  "), std::string::npos) << text;
    }
}

TEST(notice_text, every_notice_has_a_sentence_of_its_own) {
  std::map<std::string, otr_notice> seen;
  for (const auto what : every_notice) {
    const auto [other, fresh] = seen.emplace(sentence(what), what);
    EXPECT_TRUE(fresh) << to_string(what) << " says the same as "
                       << to_string(other->second);
    EXPECT_FALSE(sentence(what).starts_with("Something happened"))
        << to_string(what);
  }
}

TEST(notice_text, the_contact_is_named_where_it_is_about_the_contact) {
  for (const auto what : every_notice)
    EXPECT_EQ(sentence(what).find(contact) != std::string::npos,
              !names_nobody(what))
        << to_string(what);
}

TEST(notice_text, a_detail_is_shown_where_it_helps) {
  for (const auto what : every_notice) {
    const auto text = sentence(what, otr_state::plaintext, "the detail");
    EXPECT_EQ(text.find("the detail") != std::string::npos, shows_detail(what))
        << text;
    if (!shows_detail(what)) {
      EXPECT_EQ(text, sentence(what, otr_state::plaintext));
    }
  }
}

TEST(notice_text, without_a_detail_there_are_no_empty_brackets) {
  for (const auto what : every_notice)
    EXPECT_EQ(sentence(what).find('('), std::string::npos) << to_string(what);
}

TEST(notice_text, a_start_tells_whether_the_contact_is_verified) {
  const auto verified = sentence(otr_notice::started, otr_state::verified);
  const auto unverified = sentence(otr_notice::started, otr_state::unverified);
  EXPECT_EQ(verified.find("nverified"), std::string::npos) << verified;
  EXPECT_NE(unverified.find("unverified"), std::string::npos) << unverified;
  EXPECT_NE(unverified.find("Authenticate " + contact), std::string::npos)
      << unverified;
  // Nothing but `verified` may sound as if it were.
  for (const auto state : every_state)
    if (state != otr_state::verified) {
      EXPECT_EQ(sentence(otr_notice::started, state), unverified)
          << to_string(state);
    }
}

TEST(notice_text, a_changed_key_is_a_warning) {
  const auto text = sentence(otr_notice::key_changed);
  EXPECT_TRUE(text.starts_with("WARNING")) << text;
  EXPECT_NE(text.find("blocked"), std::string::npos) << text;
}

TEST(notice_text, a_contact_s_text_is_no_format) {
  const auto text = notice_sentence({otr_notice::contact_error, "%s %n {} \\n"},
                                    "100%s@localhost", otr_state::plaintext);
  EXPECT_NE(text.find("%s %n {} \\n"), std::string::npos) << text;
  EXPECT_NE(text.find("100%s@localhost"), std::string::npos) << text;
}

}  // namespace
}  // namespace sotto
