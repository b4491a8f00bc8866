#pragma once

#include <string>
#include <string_view>

#include "protocol/transport.hpp"
#include "tests/support/link_recorder.hpp"
#include "tests/support/scripted_server.hpp"
#include "tests/support/test_certificates.hpp"
#include "tests/support/xmpp_script.hpp"

// What the tests of bad servers share: an account, its certificate, and the
// honest part of a login, up to the point where a script turns.
namespace sotto::hostile {

inline constexpr const char* account = "terrence@chat.example";
inline constexpr const char* full = "terrence@chat.example/test";
inline constexpr const char* password = "open sesame 7";

inline const test::identity& own() {
  static const test::identity made =
      test::make_self_signed({.dns_names = {"chat.example"}});
  return made;
}

inline link_settings settings_for(const test::scripted_server& server) {
  test::start_network();
  auto settings = test::settings_for(account, password, server.port());
  settings.pin = certificate_pin{own().sha256, "self_signed"};
  return settings;
}

// Up to which point of an honest login a script goes before it turns.
inline void to_starttls(test::scripted_link& link) {
  test::take_stream(link);
  link.send(test::starttls_features);
  link.read_until("<starttls");
  link.read_until(">");
}

inline void to_sasl(test::scripted_link& link, std::string_view features) {
  test::secure(link, own());
  test::take_stream(link);
  link.send(features);
}

inline void to_bind(test::scripted_link& link) {
  test::secure(link, own());
  test::authenticate(link, password);
  test::take_stream(link);
}

}  // namespace sotto::hostile
