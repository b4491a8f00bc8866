#include "protocol/link_session.hpp"

#include <poll.h>

#include <algorithm>
#include <array>
#include <utility>

#include "protocol/ids.hpp"
#include "protocol/stanza_codec.hpp"
#include "protocol/tls_guard.hpp"
#include "protocol/tls_policy.hpp"

namespace sotto {
namespace {

using std::chrono::milliseconds;

// How long the server may take to end the stream after us.
constexpr milliseconds close_patience{2'000};
// What libstrophe is given at once; the rest waits where it is bounded.
constexpr std::size_t most_bytes_handed_on = 64UL * 1024;
// libstrophe does not tell whether its last text is written; a space after it
// (RFC 6120 section 4.6.1) is that last one.
const std::string queue_mark = " ";

int to_milliseconds(std::chrono::steady_clock::duration left) {
  const auto rounded = std::chrono::ceil<milliseconds>(left).count();
  return static_cast<int>(std::clamp<std::int64_t>(rounded, 0, 60'000));
}

link_change change_to(link_phase phase) {
  link_change change;
  change.phase = phase;
  return change;
}

error stream_failure(const stream_error& failure, const std::string& domain) {
  if (failure.condition == "conflict") {
    return {errc::refused,
            "The server of " + domain +
                " ended the link, as the account was opened elsewhere with "
                "the same resource; connect again to take it back"};
  }
  return {errc::protocol,
          "The server of " + domain +
              " ended the link with an error of its own; try again later"};
}

}  // namespace

link_session::link_session(link_settings settings,
                           std::shared_ptr<transport_listener> listener,
                           link_mailbox& mailbox,
                           std::shared_ptr<link_lifeline> lifeline,
                           link_watchdog& watchdog, resolver names)
    : settings_(std::move(settings)),
      listener_(std::move(listener)),
      mailbox_(mailbox),
      lifeline_(std::move(lifeline)),
      watchdog_(watchdog),
      resolver_(std::move(names)) {}

void link_session::run() {
  report(link_phase::resolving);
  const auto addresses = look_up();
  if (addresses) {
    report(link_phase::connecting);
    connect_deadline_ = clock::now() + settings_.deadlines.connect;
    for (const server_address& where : *addresses) {
      final_.reset();
      attempt(where);
      if (mailbox_.stopping() || !worth_another_address()) break;
    }
  }
  if (!mailbox_.stopping()) listener_->on_link(*final_);
}

// Whether the failure of this address says nothing about the next.
bool link_session::worth_another_address() {
  if (reached_server_ || !final_->retry) return false;
  // Time that went into a handshake is not taken from the other addresses.
  if (tcp_stood_)
    connect_deadline_ = clock::now() + settings_.deadlines.connect;
  return clock::now() < connect_deadline_;
}

// Before the link stands.

std::optional<std::vector<server_address>> link_session::look_up() {
  if (mailbox_.wake_fd() < 0) {
    fail({errc::unavailable,
          "The link to " + settings_.account.domain() +
              " could not be set up, as this process has too many files open; "
              "close some accounts"},
         true);
    return std::nullopt;
  }
  if (!settings_.ca_file.empty()) {
    if (const auto usable = check_ca_file(settings_.ca_file); !usable) {
      fail(usable.failure(), false);
      return std::nullopt;
    }
  }
  auto found = resolver_.resolve({settings_.account.domain(), settings_.host,
                                  settings_.port, settings_.direct_tls},
                                 clock::now() + settings_.deadlines.resolve,
                                 mailbox_.wake_fd());
  mailbox_.settle();
  if (mailbox_.closing()) {
    finish(change_to(link_phase::offline));
  } else if (!found) {
    const errc code = found.failure().code;
    fail(found.failure(),
         code != errc::refused && code != errc::invalid_argument);
  }
  if (over()) return std::nullopt;
  return std::move(*found);
}

login_settings link_session::login_terms(const server_address& where) const {
  return {settings_.account, settings_.resource,    settings_.password,
          where.direct_tls,  settings_.allow_plain, settings_.best_mechanism};
}

void link_session::attempt(const server_address& where) {
  login_.emplace(login_terms(where));
  tls_due_ = false;
  tcp_stood_ = false;
  connection_ = std::make_unique<strophe_connection>(
      strophe_connection::options{
          settings_.account.domain(), settings_.ca_file,
          settings_.deadlines.keepalive + settings_.deadlines.ping},
      *this, lifeline_);
  enter_stage();
  const auto begun = connection_->connect(where);
  if (!begun) fail(begun.failure(), true);
  while (!over()) turn();
  mailbox_.set_online(false);
  watchdog_.forget(lifeline_);
  connection_.reset();
}

// The deadline of the login's stage, for this thread and for the watchdog.
void link_session::enter_stage() {
  const link_deadlines& deadlines = settings_.deadlines;
  const auto now = clock::now();
  switch (login_->stage()) {
    case login_stage::idle:
      deadline_ = connect_deadline_;
      break;
    case login_stage::securing:
      deadline_ = now + deadlines.secure;
      report(link_phase::securing);
      break;
    case login_stage::authenticating:
      deadline_ = now + deadlines.authenticate;
      report(link_phase::authenticating);
      break;
    case login_stage::binding:
      deadline_ = now + deadlines.bind;
      break;
    case login_stage::done:
    case login_stage::failed:
      watchdog_.forget(lifeline_);
      return;
  }
  watchdog_.watch(lifeline_, deadline_);
}

void link_session::perform(const login_actions& actions) {
  for (const login_action& action : actions) {
    if (!final_) perform(action);
  }
}

void link_session::perform(const login_action& action) {
  if (std::holds_alternative<login_open_stream>(action)) {
    connection_->open_stream();
  } else if (const auto* sent = std::get_if<login_send>(&action)) {
    connection_->send(sent->xml);
  } else if (std::holds_alternative<login_start_tls>(action)) {
    // Not from inside libstrophe's parser: `turn` does it.
    tls_due_ = true;
  } else if (const auto* success = std::get_if<login_succeeded>(&action)) {
    go_online(*success);
  } else if (const auto* failure = std::get_if<login_failed>(&action)) {
    fail(failure->reason, failure->retry);
  }
}

void link_session::start_tls() {
  tls_due_ = false;
  const auto presented = connection_->start_tls();
  if (clock::now() >= deadline_) return perform(login_->timed_out());
  if (!presented) return perform(login_->fail(presented.failure(), true));
  reached_server_ = true;
  judge(*presented);
}

void link_session::judge(const presented_certificate& presented) {
  auto verdict =
      judge_certificate(presented, settings_.account.domain(), settings_.pin,
                        std::chrono::system_clock::now());
  if (!verdict.accepted) {
    link_change change = change_to(link_phase::failed);
    change.reason = error{errc::refused, verdict.problem->explanation};
    change.certificate = std::move(verdict.problem);
    return finish(std::move(change));
  }
  pinned_problems_ = std::move(verdict.pinned_problems);
  perform(login_->secured());
  enter_stage();
}

void link_session::on_tcp_connected() {
  if (final_) return;
  tcp_stood_ = true;
  perform(login_->connected());
  enter_stage();
}

void link_session::on_stream_opened() {
  if (final_ || online_) return;
  reached_server_ = true;
  perform(login_->stream_opened());
}

void link_session::on_element(const _xmpp_stanza_t* element) {
  if (final_) return;
  if (online_) return take_online(element);
  const login_stage before = login_->stage();
  const auto known = decode_stream_element(element);
  perform(known ? login_->element(*known, connection_->out_of_step())
                : login_->unexpected_element());
  if (login_->stage() != before) enter_stage();
}

void link_session::on_closed() {
  if (final_) return;
  if (closing_deadline_) return finish(change_to(link_phase::offline));
  if (online_) {
    return fail(
        {errc::unavailable, "The connection to " + settings_.account.domain() +
                                " was lost; it will be tried again"},
        true);
  }
  // It may have been the watchdog.
  check_deadline();
  if (final_) return;
  if (login_->stage() != login_stage::idle) return perform(login_->closed());
  fail({errc::unavailable,
        "No server of " + settings_.account.domain() +
            " takes connections; check the network and the account's "
            "settings, or try again later"},
       true);
}

// While it stands.

void link_session::turn() {
  wait();
  if (mailbox_.stopping()) return;
  if (mailbox_.closing() && !online_) {
    return finish(change_to(link_phase::offline));
  }
  more_to_read_ = connection_->run();
  check_trouble();
  if (!final_ && tls_due_) start_tls();
  if (!final_ && online_) {
    keep_alive();
    send_waiting();
    if (mailbox_.closing()) close_in_order();
  }
  if (!final_) check_deadline();
}

void link_session::wait() {
  std::array<pollfd, 2> watched{};
  watched[0] = {mailbox_.wake_fd(), POLLIN, 0};
  // While it connects, a socket is writable when it is done.
  const bool write = login_->stage() == login_stage::idle ||
                     (connection_->writing() && online_);
  const int events = POLLIN | (write ? POLLOUT : 0);
  watched[1] = {lifeline_->fd(), static_cast<short>(events), 0};
  poll(watched.data(), watched.size(), milliseconds_to_wait());
  if (watched[0].revents != 0) mailbox_.settle();
}

int link_session::milliseconds_to_wait() const {
  if (more_to_read_) return 0;
  auto next = deadline_;
  if (online_) {
    next = ping_id_.empty() ? last_heard_ + settings_.deadlines.keepalive
                            : ping_deadline_;
  }
  if (closing_deadline_) next = std::min(next, *closing_deadline_);
  const int wait = to_milliseconds(next - clock::now());
  // libstrophe gives a connection 5 s, and tells so only when it is run.
  return online_ ? wait : std::min(wait, 500);
}

void link_session::go_online(const login_succeeded& success) {
  online_ = true;
  bound_ = success.bound;
  last_heard_ = clock::now();
  mailbox_.set_online(true);
  phase_ = link_phase::online;
  link_change change = change_to(link_phase::online);
  change.bound = bound_;
  change.mechanism = success.mechanism;
  change.pinned_problems = pinned_problems_;
  listener_->on_link(change);
}

void link_session::take_online(const _xmpp_stanza_t* element) {
  if (const auto known = decode_stream_element(element)) {
    if (const auto* failure = std::get_if<stream_error>(&*known)) {
      return fail(stream_failure(*failure, settings_.account.domain()),
                  failure->condition != "conflict");
    }
    const auto* answer = std::get_if<login_answer>(&*known);
    if (answer != nullptr && !last_ping_id_.empty() &&
        answer->id == last_ping_id_) {
      return;
    }
  }
  decode_context context;
  context.own = bound_;
  context.now = std::chrono::system_clock::now();
  auto incoming = decode(element, context);
  if (incoming) listener_->on_stanza(std::move(*incoming));
}

void link_session::send_waiting() {
  if (connection_->writing() || mailbox_.empty()) return;
  for (const std::string& xml : mailbox_.take(most_bytes_handed_on)) {
    connection_->send(xml);
  }
  connection_->send(queue_mark);
  more_to_read_ = true;  // so that it is written without waiting
}

void link_session::keep_alive() {
  const auto now = clock::now();
  if (connection_->bytes_read() != bytes_seen_) {
    bytes_seen_ = connection_->bytes_read();
    last_heard_ = now;
    ping_id_.clear();
  } else if (!ping_id_.empty() && now >= ping_deadline_) {
    fail({errc::timeout, "The server of " + settings_.account.domain() +
                             " does not answer any more; it will be tried "
                             "again"},
         true);
  } else if (ping_id_.empty() &&
             now >= last_heard_ + settings_.deadlines.keepalive) {
    ping_id_ = last_ping_id_ = random_id();
    ping_deadline_ = now + settings_.deadlines.ping;
    connection_->send(encode_ping(ping_id_));
    more_to_read_ = true;
  }
}

void link_session::close_in_order() {
  const auto now = clock::now();
  if (!closing_deadline_) closing_deadline_ = now + close_patience;
  if (!stream_end_sent_ && mailbox_.empty() && !connection_->writing()) {
    stream_end_sent_ = true;
    connection_->close_stream();
    more_to_read_ = true;
  }
  if (now >= *closing_deadline_) finish(change_to(link_phase::offline));
}

// Its end.

void link_session::check_trouble() {
  const std::string trouble = connection_->trouble();
  if (final_ || trouble.empty()) return;
  fail({errc::protocol, "The server of " + settings_.account.domain() + " " +
                            trouble + "; the link was closed"},
       true);
}

void link_session::check_deadline() {
  if (online_ || clock::now() < deadline_) return;
  if (login_->stage() != login_stage::idle) {
    return perform(login_->timed_out());
  }
  fail({errc::timeout, "The server of " + settings_.account.domain() +
                           " did not answer in time while connecting; check "
                           "the network or try again later"},
       true);
}

void link_session::fail(error reason, bool retry) {
  link_change change = change_to(link_phase::failed);
  change.reason = std::move(reason);
  change.retry = retry;
  finish(std::move(change));
}

void link_session::finish(link_change change) {
  if (final_) return;
  mailbox_.set_online(false);
  // Whatever ends a link that was to be closed has closed it.
  final_ =
      mailbox_.closing() ? change_to(link_phase::offline) : std::move(change);
}

void link_session::report(link_phase phase) {
  if (phase == phase_ || over()) return;
  phase_ = phase;
  listener_->on_link(change_to(phase));
}

}  // namespace sotto
