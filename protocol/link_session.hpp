#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "protocol/link_mailbox.hpp"
#include "protocol/link_watchdog.hpp"
#include "protocol/login.hpp"
#include "protocol/resolver.hpp"
#include "protocol/strophe_connection.hpp"
#include "protocol/transport.hpp"

namespace sotto {

/// The work of one link's thread, from the first look-up to the final report:
/// resolves, tries address after address, logs in, then hands stanzas to and
/// fro until the link ends. Every state has its deadline (R10).
class link_session final : public connection_events {
 public:
  link_session(link_settings settings,
               std::shared_ptr<transport_listener> listener,
               link_mailbox& mailbox, std::shared_ptr<link_lifeline> lifeline,
               link_watchdog& watchdog, resolver names);

  /// Returns after the final report, or without one once the mailbox has been
  /// told to stop.
  void run();

 private:
  using clock = std::chrono::steady_clock;

  void on_tcp_connected() override;
  void on_stream_opened() override;
  void on_element(const _xmpp_stanza_t* element) override;
  void on_closed() override;

  // Before the link stands.
  std::optional<std::vector<server_address>> look_up();
  bool worth_another_address();
  void attempt(const server_address& where);
  void perform(const login_actions& actions);
  void perform(const login_action& action);
  void start_tls();
  void judge(const presented_certificate& presented);
  void enter_stage();
  login_settings login_terms(const server_address& where) const;

  // While it stands.
  void turn();
  void go_online(const login_succeeded& success);
  void take_online(const _xmpp_stanza_t* element);
  void send_waiting();
  void keep_alive();
  void close_in_order();

  // Its end.
  void check_trouble();
  void check_deadline();
  void fail(error reason, bool retry);
  void finish(link_change change);
  bool over() const { return final_.has_value() || mailbox_.stopping(); }

  void report(link_phase phase);
  int milliseconds_to_wait() const;
  void wait();

  link_settings settings_;
  std::shared_ptr<transport_listener> listener_;
  link_mailbox& mailbox_;
  std::shared_ptr<link_lifeline> lifeline_;
  link_watchdog& watchdog_;
  resolver resolver_;

  std::optional<link_change> final_;
  link_phase phase_ = link_phase::offline;

  // Of the current attempt.
  std::optional<login> login_;
  std::unique_ptr<strophe_connection> connection_;
  clock::time_point deadline_;
  clock::time_point connect_deadline_;  // of all attempts to reach a server
  bool tls_due_ = false;
  bool tcp_stood_ = false;
  bool reached_server_ = false;
  bool more_to_read_ = false;
  std::string pinned_problems_;

  // Of the link that stands.
  bool online_ = false;
  jid bound_;
  std::uint64_t bytes_seen_ = 0;
  clock::time_point last_heard_;
  std::string ping_id_;  // of the ping that is out; empty: none
  std::string last_ping_id_;
  clock::time_point ping_deadline_;
  std::optional<clock::time_point> closing_deadline_;
  bool stream_end_sent_ = false;
};

}  // namespace sotto
