#include "protocol/login.hpp"

#include <algorithm>
#include <array>
#include <utility>

#include "protocol/ids.hpp"

namespace sotto {
namespace {

// STARTTLS, SASL and bind have one each.
constexpr int max_features = 3;

login_send send(std::string xml) {
  login_send action{secret::copy_of(xml)};
  wipe(xml.data(), xml.size());
  return action;
}

template <class Action>
login_actions only(Action action) {
  login_actions actions;
  actions.emplace_back(std::move(action));
  return actions;
}

// Conditions are shown only if they look like the names that RFC 6120 has:
// the server chooses them.
std::string shown(const std::string& condition) {
  const bool plain = !condition.empty() && condition.size() <= 40 &&
                     std::ranges::all_of(condition, [](char c) {
                       return (c >= 'a' && c <= 'z') || c == '-';
                     });
  return plain ? condition : "no known reason";
}

bool is_one_of(const std::string& condition,
               std::initializer_list<std::string_view> known) {
  return std::ranges::find(known, condition) != known.end();
}

}  // namespace

login::login(login_settings settings) : settings_(std::move(settings)) {}

bool login::over() const noexcept {
  return stage_ == login_stage::done || stage_ == login_stage::failed;
}

std::string login::server() const { return settings_.account.domain(); }

login_actions login::fail(error reason, bool retry) {
  if (over()) return {};
  stage_ = login_stage::failed;
  awaiting_ = awaiting::nothing;
  sasl_.reset();
  return only(login_failed{std::move(reason), retry});
}

login_actions login::out_of_turn() {
  return fail({errc::protocol,
               "The server of " + server() +
                   " sent something that has no place in a login; the link "
                   "was closed. This may be an attack, so try again from "
                   "another network"},
              true);
}

login_actions login::open_stream() {
  awaiting_ = awaiting::stream;
  return only(login_open_stream{});
}

login_actions login::start_tls() {
  awaiting_ = awaiting::tls;
  return only(login_start_tls{});
}

login_actions login::connected() {
  if (stage_ != login_stage::idle) return {};
  stage_ = login_stage::securing;
  return settings_.direct_tls ? start_tls() : open_stream();
}

login_actions login::secured() {
  if (over()) return {};
  if (awaiting_ != awaiting::tls) return out_of_turn();
  secured_ = true;
  stage_ = login_stage::authenticating;
  return open_stream();
}

login_actions login::stream_opened() {
  if (over()) return {};
  if (awaiting_ != awaiting::stream) return out_of_turn();
  awaiting_ = awaiting::features;
  return {};
}

struct login::visitor {
  login& self;
  bool more_follows;

  login_actions operator()(const tls_proceed&) const {
    return self.take_proceed(more_follows);
  }
  login_actions operator()(const tls_failure&) const {
    if (self.awaiting_ != awaiting::proceed) return self.out_of_turn();
    return self.fail(
        {errc::refused, "The server of " + self.server() +
                            " failed to start encryption; nothing was sent. "
                            "Ask its operator, or try again later"},
        true);
  }
  template <class Element>
  login_actions operator()(const Element& element) const {
    return self.take(element);
  }
};

login_actions login::element(const stream_element& incoming,
                             bool more_follows) {
  if (over()) return {};
  return std::visit(visitor{*this, more_follows}, incoming);
}

login_actions login::unexpected_element() {
  if (over()) return {};
  return out_of_turn();
}

login_actions login::take(const stream_features& features) {
  if (awaiting_ != awaiting::features) return out_of_turn();
  if (++features_seen_ > max_features) return out_of_turn();
  if (!secured_) return begin_tls(features);
  return authenticated_ ? begin_bind(features) : begin_sasl(features);
}

login_actions login::begin_tls(const stream_features& features) {
  if (!features.starttls) {
    return fail({errc::refused,
                 "The server of " + server() +
                     " offers no encryption; nothing was sent. This may be an "
                     "attack: try again from another network, or ask the "
                     "server's operator"},
                false);
  }
  awaiting_ = awaiting::proceed;
  return only(send(encode_starttls()));
}

login_actions login::take_proceed(bool more_follows) {
  if (awaiting_ != awaiting::proceed) return out_of_turn();
  if (more_follows) {
    return fail(
        {errc::protocol,
         "Something was slipped in before the encryption with " + server() +
             " began; nothing was sent. This may be an attack, so try "
             "again from another network"},
        true);
  }
  return start_tls();
}

login_actions login::begin_sasl(const stream_features& features) {
  const auto chosen = choose_mechanism(
      features.mechanisms, settings_.allow_plain, settings_.best_mechanism);
  if (!chosen) return fail(chosen.failure(), false);
  if (settings_.password == nullptr || settings_.password->empty()) {
    return fail({errc::invalid_argument, "There is no password for " +
                                             settings_.account.str() +
                                             "; give one and connect again"},
                false);
  }
  auto client = sasl_client::start(*chosen, settings_.account.local(),
                                   *settings_.password);
  if (!client) return fail(client.failure(), false);
  const auto first = client->initial();
  if (!first) return fail(first.failure(), false);
  mechanism_ = *chosen;
  sasl_ = std::move(*client);
  awaiting_ = awaiting::sasl;
  std::string text(first->view());
  auto actions = only(send(encode_sasl_auth(mechanism_, text)));
  wipe(text.data(), text.size());
  return actions;
}

login_actions login::take(const sasl_challenge& challenge) {
  if (awaiting_ != awaiting::sasl || !sasl_) return out_of_turn();
  const auto answer = sasl_->respond(challenge.text);
  if (!answer) return fail(answer.failure(), false);
  return only(send(encode_sasl_response(answer->view())));
}

login_actions login::take(const sasl_success& success) {
  if (awaiting_ != awaiting::sasl || !sasl_) return out_of_turn();
  const auto concluded = sasl_->conclude(success.text);
  if (!concluded) return fail(concluded.failure(), false);
  sasl_.reset();
  authenticated_ = true;
  stage_ = login_stage::binding;
  return open_stream();
}

login_actions login::take(const sasl_failure& failure) {
  if (awaiting_ != awaiting::sasl) return out_of_turn();
  if (failure.condition == "not-authorized") {
    return fail(
        {errc::refused,
         "The server of " + server() + " refused the name or the password of " +
             settings_.account.str() +
             " (not-authorized); correct them and connect again"},
        false);
  }
  return fail(
      {errc::refused, "The server of " + server() + " refused the login of " +
                          settings_.account.str() + " (" +
                          shown(failure.condition) + "); ask its operator"},
      failure.condition == "temporary-auth-failure");
}

login_actions login::take(const stream_error& failure) {
  const bool lasting =
      is_one_of(failure.condition,
                {"conflict", "host-gone", "host-unknown", "not-authorized",
                 "see-other-host", "unsupported-version", "improper-addressing",
                 "invalid-namespace"});
  return fail(
      {errc::protocol,
       "The server of " + server() + " ended the link during the login (" +
           shown(failure.condition) + "); " +
           (lasting ? "check the account's settings" : "try again later")},
      !lasting);
}

login_actions login::begin_bind(const stream_features& features) {
  if (!features.bind) {
    return fail({errc::protocol, "The server of " + server() +
                                     " does not let the account bind a "
                                     "resource; ask its operator"},
                false);
  }
  session_required_ = features.session && !features.session_optional;
  return request_bind(settings_.resource);
}

login_actions login::request_bind(const std::string& resource) {
  awaiting_ = awaiting::bind;
  request_id_ = random_id();
  return only(send(encode_bind(request_id_, resource)));
}

login_actions login::request_session() {
  awaiting_ = awaiting::session;
  request_id_ = random_id();
  return only(send(encode_session(request_id_)));
}

login_actions login::take(const login_answer& answer) {
  if (answer.id != request_id_ || request_id_.empty()) return out_of_turn();
  if (awaiting_ == awaiting::bind) return take_bound(answer);
  if (awaiting_ != awaiting::session) return out_of_turn();
  if (!answer.is_error) return succeed();
  return fail({errc::protocol,
               "The server of " + server() + " refused to open a session (" +
                   shown(answer.condition) + "); ask its operator"},
              true);
}

login_actions login::take_bound(const login_answer& answer) {
  if (answer.is_error) {
    // The server may know a better resource than one that is taken.
    if (!own_resource_refused_ && !settings_.resource.empty() &&
        is_one_of(answer.condition, {"conflict", "bad-request"})) {
      own_resource_refused_ = true;
      return request_bind({});
    }
    return fail({errc::protocol, "The server of " + server() +
                                     " refused to bind a resource (" +
                                     shown(answer.condition) +
                                     "); close another session of this "
                                     "account, or ask the server's operator"},
                answer.condition == "resource-constraint");
  }
  const auto bound = jid::parse(answer.bound);
  if (!bound || bound->is_bare() || bound->bare() != settings_.account) {
    return fail(
        {errc::protocol,
         "The server of " + server() + " bound an address that is not " +
             settings_.account.str() +
             "'s; the link was closed. Ask the server's operator"},
        false);
  }
  bound_ = *bound;
  return session_required_ ? request_session() : succeed();
}

login_actions login::succeed() {
  stage_ = login_stage::done;
  awaiting_ = awaiting::nothing;
  return only(login_succeeded{bound_, mechanism_});
}

login_actions login::closed() {
  if (over()) return {};
  return fail({errc::unavailable, "The server of " + server() +
                                      " closed the connection during the "
                                      "login; try again later"},
              true);
}

login_actions login::timed_out() {
  if (over()) return {};
  const std::string_view doing =
      stage_ == login_stage::binding          ? "binding a resource"
      : stage_ == login_stage::authenticating ? "the login"
      : stage_ == login_stage::securing       ? "starting encryption"
                                              : "connecting";
  return fail({errc::timeout, "The server of " + server() +
                                  " did not answer in time while " +
                                  std::string(doing) + "; try again later"},
              true);
}

}  // namespace sotto
