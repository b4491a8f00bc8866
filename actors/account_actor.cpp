#include "actors/account_actor.hpp"

#include <map>
#include <random>

#include "actors/account_routing.hpp"
#include "actors/roster_actor.hpp"
#include "actors/snapshot_actor.hpp"
#include "actors/transport_bridge.hpp"
#include "protocol/ids.hpp"
#include "protocol/reconnect.hpp"
#include "protocol/sender_rules.hpp"

namespace sotto {

namespace {

/// R5: so many people who are not on the roster may open a conversation, and
/// so many of their messages wait for it to start.
constexpr std::size_t max_stranger_sessions = 256;
constexpr std::size_t max_early_messages = 64;
/// A server that leaves an IQ unanswered for so long has lost it.
constexpr std::chrono::seconds iq_timeout{30};
constexpr std::chrono::seconds iq_check_period{1};
/// A full send queue is tried again after this.
constexpr std::chrono::milliseconds queue_retry{500};
/// How long a link may take to close in good order.
constexpr std::chrono::seconds close_timeout{3};

/// The purpose of the roster request; all others belong to the roster actor.
constexpr const char* fetch_roster = "fetch-roster";

struct conversation_actors {
  session_handle session;
  otr_handle otr;
  std::vector<wire_in> early;  ///< came before the actors were there
};

struct account_actor_state {
  static inline const char* name = "account";
  account_config config;
  account_settings settings;
  roster_handle roster;
  std::map<jid, conversation_actors> conversations;
  consent_list consents;
  std::size_t stranger_sessions = 0;

  std::unique_ptr<transport> link;
  std::uint64_t attempt = 0;  ///< numbers the links; an older one is ignored
  reconnect backoff;
  bool wanted = false;  ///< the user wants to be online
  bool reopen = false;  ///< once the link that is closing has closed
  bool online = false;  ///< and is: the roster came, presence was sent
  bool stopping = false;
  jid bound;
  pending_iqs open_iqs;
  bool iq_timer = false;

  std::string account() const { return settings.account.str(); }
  const snapshot_handle& snapshots() const { return config.snapshots; }
};

using self_ptr = actor_self<account_actor_state, account_handle>;

void show_phase(const account_actor_state& state, link_phase phase,
                std::string reason = {}) {
  trace(state.snapshots(), account_actor_state::name, state.account(), {},
        "link " + std::string{to_string(phase)});
  tell(state.snapshots(),
       link_changed{state.account(), phase, std::move(reason)});
}

void show_online(account_actor_state& state, bool online) {
  state.online = online;
  for (const auto& [contact, actors] : state.conversations)
    if (actors.session) caf::anon_send(actors.session, account_state{online});
}

// -- link --------------------------------------------------------------------

void open_link(self_ptr self) {
  auto& state = self->state;
  link_settings settings;
  settings.account = state.settings.account;
  settings.resource = state.settings.resource;
  settings.password = state.settings.password;
  settings.host = state.settings.host;
  settings.port = state.settings.port;
  settings.ca_file = state.settings.ca_file;
  settings.pin = state.settings.pin;
  settings.allow_plain = state.settings.allow_plain;
  settings.best_mechanism = state.settings.best_mechanism;
  ++state.attempt;
  state.link = state.config.transports->make(
      std::move(settings),
      make_bridge(caf::actor_cast<account_handle>(self), state.attempt));
  state.link->open();
}

void connect(self_ptr self, command_id id) {
  auto& state = self->state;
  finish(state.snapshots(), id);
  if (std::exchange(state.wanted, true) && state.link) return;
  state.reopen = state.link != nullptr;
  if (!state.reopen) open_link(self);
}

void disconnect(self_ptr self, command_id id) {
  auto& state = self->state;
  state.wanted = false;
  state.reopen = false;
  if (state.link) {
    state.link->close();
  } else {
    ++state.attempt;  // a try that waits is off
    show_phase(state, link_phase::offline);
  }
  finish(state.snapshots(), id);
}

void forget_link(account_actor_state& state) {
  state.link.reset();
  state.open_iqs.clear();
  show_online(state, false);
  caf::anon_send(state.roster, link_lost{});
}

void try_again_later(self_ptr self, const std::string& reason) {
  auto& state = self->state;
  const auto delay = state.backoff.failed(std::random_device{}());
  show_phase(state, link_phase::waiting, reason);
  self->delayed_send(self, delay, reconnect_due{state.attempt});
}

/// Notes what a successful login taught: mechanism and problems of a pin.
void learn(account_actor_state& state, const link_change& change) {
  bool learned = false;
  if (state.settings.best_mechanism != change.mechanism) {
    state.settings.best_mechanism = change.mechanism;
    learned = true;
  }
  auto& pin = state.settings.pin;
  if (pin && pin->problems.empty() && !change.pinned_problems.empty()) {
    pin->problems = change.pinned_problems;
    learned = true;
  }
  if (learned)
    caf::anon_send(state.config.supervisor, settings_learned{state.settings});
}

void send_iq(self_ptr self, iq_stanza request, const std::string& purpose) {
  auto& state = self->state;
  request.id = random_id();
  const auto deadline = self->clock().now() + iq_timeout;
  const bool sent =
      state.link &&
      state.open_iqs.add(request.id, request.to, purpose, deadline) &&
      state.link->send(request);
  if (!sent) {
    caf::anon_send(state.roster,
                   iq_outcome{purpose, "the account is not connected"});
    return;
  }
  if (state.iq_timer) return;
  state.iq_timer = true;
  self->delayed_send(self, iq_check_period, iq_deadline_due{});
}

void ask_for_roster(self_ptr self) {
  iq_stanza request;
  request.type = iq_type::get;
  request.payload = roster_query{};
  send_iq(self, std::move(request), fetch_roster);
}

void came_online(self_ptr self, const link_change& change) {
  auto& state = self->state;
  state.bound = change.bound;
  state.backoff.succeeded();
  learn(state, change);
  ask_for_roster(self);
}

void link_over(self_ptr self, const link_change& change) {
  auto& state = self->state;
  forget_link(state);
  const std::string reason = change.reason ? change.reason->message : "";
  if (change.certificate)
    tell(state.snapshots(),
         certificate_asked{state.account(), change.certificate->sha256,
                           change.certificate->problems,
                           change.certificate->explanation});
  if (state.stopping) {
    show_phase(state, link_phase::offline);
    self->quit();
  } else if (std::exchange(state.reopen, false)) {
    open_link(self);
  } else if (!state.wanted) {
    show_phase(state, link_phase::offline);
  } else if (change.retry || change.phase == link_phase::offline) {
    try_again_later(self, reason);
  } else {
    state.wanted = false;
    show_phase(state, link_phase::failed, reason);
  }
}

void link_changes(self_ptr self, const link_moved& moved) {
  auto& state = self->state;
  if (moved.attempt != state.attempt) return;
  const auto& change = moved.change;
  switch (change.phase) {
    case link_phase::offline:
    case link_phase::failed:
      return link_over(self, change);
    case link_phase::online:
      // Told to the user when the roster is there.
      return came_online(self, change);
    default:
      show_phase(state, change.phase);
  }
}

// -- stanzas out -------------------------------------------------------------

void send_lines(self_ptr self, const wire_out& out) {
  auto& state = self->state;
  bool sent = state.link != nullptr && !out.lines.empty();
  for (std::size_t i = 0; sent && i < out.lines.size(); ++i) {
    const bool carries = !out.message_id.empty() && i + 1 == out.lines.size();
    sent = state.link->send(stanza_for(out.lines[i], out.to,
                                       carries ? out.message_id : random_id()));
  }
  if (out.message_id.empty()) return;
  const auto found = state.conversations.find(out.to.bare());
  if (found == state.conversations.end()) return;
  const auto& session = found->second.session;
  if (sent) {
    caf::anon_send(session, wire_accepted{out.message_id});
    return;
  }
  caf::anon_send(session, wire_refused{out.message_id});
  if (state.online)
    self->delayed_send(session, queue_retry, account_state{true});
}

// -- stanzas in --------------------------------------------------------------

void converse(self_ptr self, const jid& contact, wire_in in) {
  auto& state = self->state;
  auto found = state.conversations.find(contact);
  if (found == state.conversations.end()) {
    if (!in.consent && ++state.stranger_sessions > max_stranger_sessions)
      return trace(state.snapshots(), account_actor_state::name,
                   state.account(), contact.str(),
                   "too many strangers: message left aside");
    found = state.conversations.try_emplace(contact).first;
    caf::anon_send(state.config.supervisor,
                   session_wanted{state.settings.account, contact});
  }
  auto& actors = found->second;
  if (actors.otr)
    caf::anon_send(actors.otr, std::move(in));
  else if (actors.early.size() < max_early_messages)
    actors.early.push_back(std::move(in));
  else
    trace(state.snapshots(), account_actor_state::name, state.account(),
          contact.str(), "too many early messages: one left aside");
}

void message_came(self_ptr self, message_stanza message) {
  auto& state = self->state;
  const auto contact = message.from.bare();
  if (contact.empty() || contact == state.settings.account) return;
  switch (route_of(message)) {
    case message_route::converse: {
      const bool consent = state.consents.contains(contact);
      return converse(self, contact, {std::move(message), consent});
    }
    case message_route::bounce: {
      const auto found = state.conversations.find(contact);
      if (found != state.conversations.end() && found->second.session)
        caf::anon_send(
            found->second.session,
            message_bounced{message.id, message.error
                                            ? message.error->condition
                                            : std::string{"no reason"}});
      return;
    }
    case message_route::late_otr:
      if (!state.consents.contains(contact) &&
          !state.conversations.contains(contact))
        return;
      return notice(state.snapshots(), {state.account(), contact.str()},
                    "late_otr",
                    "An encrypted message came too late to be read.");
    case message_route::ignore:
      return;
  }
}

/// Without `full` the server did not hand it out: what was stored stays.
void roster_came(self_ptr self, const roster_query* full) {
  auto& state = self->state;
  if (full != nullptr) {
    state.consents.reset(*full);
    caf::anon_send(state.roster, roster_reset{*full});
  }
  if (state.online) return;
  state.link->send(presence_stanza{});
  show_phase(state, link_phase::online);
  show_online(state, true);
}

void answer_came(self_ptr self, const iq_stanza& answer) {
  auto& state = self->state;
  const auto purpose = state.open_iqs.take(answer, state.bound);
  if (!purpose) return;
  const bool failed = answer.type == iq_type::error;
  const std::string failure =
      answer.error ? answer.error->condition : std::string{"no reason given"};
  if (*purpose != fetch_roster) {
    caf::anon_send(
        state.roster,
        iq_outcome{*purpose, failed ? std::optional{failure} : std::nullopt});
    return;
  }
  const auto* full = std::get_if<roster_query>(&answer.payload);
  if (failed || full == nullptr)
    tell(state.snapshots(),
         engine_failed{state.account(),
                       "The server did not hand out the contacts of " +
                           state.account() + " (" + failure +
                           "). Those known from before are shown."});
  roster_came(self, failed ? nullptr : full);
}

void iq_came(self_ptr self, const iq_stanza& iq) {
  auto& state = self->state;
  if (iq.type == iq_type::result || iq.type == iq_type::error)
    return answer_came(self, iq);
  const auto* pushed = std::get_if<roster_query>(&iq.payload);
  if (pushed != nullptr && iq.type == iq_type::set &&
      may_push_roster(iq, state.bound) && pushed->items.size() == 1) {
    state.consents.push(pushed->items.front());
    caf::anon_send(state.roster, roster_push{pushed->items.front()});
    iq_stanza answer;
    answer.to = iq.from;
    answer.id = iq.id;
    answer.type = iq_type::result;
    state.link->send(answer);
    return;
  }
  state.link->send(answer_to(iq));
}

void stanza_came(self_ptr self, const stanza_arrived& arrived) {
  auto& state = self->state;
  if (arrived.attempt != state.attempt || !state.link) return;
  if (const auto* message = std::get_if<message_stanza>(&arrived.what))
    message_came(self, *message);
  else if (const auto* presence = std::get_if<presence_stanza>(&arrived.what))
    caf::anon_send(state.roster, presence_in{*presence});
  else
    iq_came(self, std::get<iq_stanza>(arrived.what));
}

void check_deadlines(self_ptr self) {
  auto& state = self->state;
  state.iq_timer = false;
  while (const auto purpose = state.open_iqs.expired(self->clock().now())) {
    if (*purpose == fetch_roster && state.link) {
      // Without a roster there is no going on: have the link made anew.
      state.link->close();
      continue;
    }
    caf::anon_send(state.roster,
                   iq_outcome{*purpose, "the server did not answer in time"});
  }
  if (state.open_iqs.size() == 0) return;
  state.iq_timer = true;
  self->delayed_send(self, iq_check_period, iq_deadline_due{});
}

// -- the rest ----------------------------------------------------------------

void session_is_there(account_actor_state& state,
                      const session_opened& opened) {
  auto& actors = state.conversations[opened.contact];
  actors.session = opened.session;
  actors.otr = opened.otr;
  caf::anon_send(state.roster, watch_contact{opened.contact, opened.otr});
  for (auto& in : actors.early) caf::anon_send(opened.otr, std::move(in));
  actors.early.clear();
  caf::anon_send(opened.session, account_state{state.online});
}

void carry_out(account_actor_state& state, const contact_order& order) {
  if (state.online) {
    caf::anon_send(state.roster, order);
    return;
  }
  finish(state.snapshots(), order.id,
         error{errc::unavailable, "The account " + state.account() +
                                      " is not connected. Connect it first."});
}

void stop(self_ptr self) {
  auto& state = self->state;
  caf::anon_send(state.roster, stop_actor{});
  show_online(state, false);  // none waits for a word that will not come
  state.conversations.clear();
  if (!state.link || state.stopping) {
    self->quit();
    return;
  }
  state.stopping = true;
  state.link->close();
  // A second stop does not wait for the link any longer.
  self->delayed_send(self, close_timeout, stop_actor{});
}

/// A roster that failed takes its account along: the supervisor starts both
/// again.
void roster_went(self_ptr self, const caf::down_msg& down) {
  if (!self->state.stopping && down.reason) self->quit(down.reason);
}

void begin(self_ptr self, account_config config) {
  auto& state = self->state;
  state.settings = config.settings;
  for (const auto& row : config.contacts) state.consents.restore(row.item);
  state.roster = spawn_roster(
      self->system(),
      {config.settings.account, std::move(config.contacts),
       std::move(config.requests), caf::actor_cast<account_handle>(self),
       config.store, config.snapshots});
  state.config = std::move(config);
}

account_handle::behavior_type account_behavior(self_ptr self,
                                               account_config config) {
  begin(self, std::move(config));
  self->monitor(self->state.roster);
  self->set_down_handler(
      [self](const caf::down_msg& down) { roster_went(self, down); });
  return {
      [self](const settings_changed& change) {
        self->state.settings = change.settings;
      },
      [self](const connect_link& order) { connect(self, order.id); },
      [self](const disconnect_link& order) { disconnect(self, order.id); },
      [self](const contact_order& order) { carry_out(self->state, order); },
      [self](const session_opened& opened) {
        session_is_there(self->state, opened);
      },
      [self](const session_closed& closed) {
        self->state.conversations.erase(closed.contact);
      },
      [self](const link_moved& moved) { link_changes(self, moved); },
      [self](const stanza_arrived& arrived) { stanza_came(self, arrived); },
      [self](const presence_out& out) {
        if (self->state.link) self->state.link->send(out.presence);
      },
      [self](const iq_out& out) { send_iq(self, out.request, out.purpose); },
      [self](const wire_out& out) { send_lines(self, out); },
      [self](const reconnect_due& due) {
        if (due.attempt != self->state.attempt || !self->state.wanted ||
            self->state.link)
          return;
        open_link(self);
      },
      [self](const iq_deadline_due&) { check_deadlines(self); },
      [self](const stop_actor&) { stop(self); },
  };
}

}  // namespace

account_handle spawn_account(caf::actor_system& system, account_config config) {
  return system.spawn(account_behavior, std::move(config));
}

}  // namespace sotto
