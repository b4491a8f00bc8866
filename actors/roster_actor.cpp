#include "actors/roster_actor.hpp"

#include <map>

#include "actors/snapshot_actor.hpp"
#include "actors/store_actor.hpp"
#include "protocol/presence_table.hpp"
#include "protocol/roster.hpp"

namespace sotto {

namespace {

/// A roster change that waits for the server's answer.
struct pending_order {
  command_id id = 0;
  jid contact;
  bool remove = false;
};

struct roster_state {
  static inline const char* name = "roster";
  roster_config config;
  roster contacts;
  presence_table presences;
  std::map<jid, otr_handle> watchers;
  std::map<std::string, pending_order> pending;
  std::uint64_t last_purpose = 0;

  std::string account() const { return config.account.str(); }
  contact_view view_of(const contact& row) const;
  void report_contact(const jid& address, std::vector<vault_change>* rows);
  void report_request(const jid& address, bool fresh,
                      std::vector<vault_change>& rows);
  void report(const roster_change& change);
  void tell_watcher(const jid& address);
  void send_presence(presence_type type, const jid& to);
  void refuse(command_id id, errc code, std::string reason);
};

using self_ptr = actor_self<roster_state, roster_handle>;

contact_view offline_view(const std::string& account, const contact& row) {
  contact_view view;
  const auto& item = row.item;
  view.account = account;
  view.contact = item.address.str();
  view.name = item.name;
  view.groups = item.groups;
  view.subscribed = item.subscribed;
  view.standing = row.standing();
  view.ask_subscribe = item.ask_subscribe;
  view.warning = confusable_warning(item.address);
  return view;
}

contact_view roster_state::view_of(const contact& row) const {
  auto view = offline_view(account(), row);
  view.resources = presences.of(row.item.address);
  view.presence = presence_word(presences.best(row.item.address));
  return view;
}

/// Without `rows` only the view has changed, not what is kept.
void roster_state::report_contact(const jid& address,
                                  std::vector<vault_change>* rows) {
  const auto* row = contacts.find(address);
  if (row == nullptr) {
    tell(config.snapshots, contact_removed{account(), address.str()});
    if (rows != nullptr) rows->push_back(contact_erased(account(), address));
    return;
  }
  tell(config.snapshots, contact_changed{view_of(*row)});
  if (rows != nullptr) rows->push_back(contact_row(account(), *row));
}

void roster_state::report_request(const jid& address, bool fresh,
                                  std::vector<vault_change>& rows) {
  const auto* request = contacts.find_request(address);
  if (request == nullptr) {
    tell(config.snapshots, request_removed{account(), address.str()});
    rows.push_back(request_erased(account(), address));
    return;
  }
  tell(config.snapshots,
       request_changed{
           {account(), address.str(), request->text, request->ignored}, fresh});
  rows.push_back(request_row(account(), *request));
}

void roster_state::report(const roster_change& change) {
  std::vector<vault_change> rows;
  for (const auto& address : change.contacts) {
    report_contact(address, &rows);
    tell_watcher(address);
  }
  const auto is_new = [&](const jid& address) {
    return std::any_of(
        change.new_requests.begin(), change.new_requests.end(),
        [&](const auto& request) { return request.from == address; });
  };
  for (const auto& address : change.requests)
    report_request(address, is_new(address), rows);
  save(config.store, std::move(rows));
}

void roster_state::tell_watcher(const jid& address) {
  const auto found = watchers.find(address);
  if (found == watchers.end()) return;
  const auto* row = contacts.find(address);
  const bool visible =
      row != nullptr && row->standing() == contact_standing::accepted;
  caf::anon_send(found->second,
                 contact_presence{visible, presences.of(address)});
}

void roster_state::send_presence(presence_type type, const jid& to) {
  presence_stanza presence;
  presence.type = type;
  presence.to = to;
  caf::anon_send(config.owner, presence_out{std::move(presence)});
}

void roster_state::refuse(command_id id, errc code, std::string reason) {
  finish(config.snapshots, id, error{code, std::move(reason)});
}

void request_change(self_ptr self, roster_item item, pending_order order) {
  auto& state = self->state;
  const auto purpose = "roster-" + std::to_string(++state.last_purpose);
  iq_stanza request;
  request.type = iq_type::set;
  request.payload = roster_query{{}, {std::move(item)}};
  state.pending[purpose] = std::move(order);
  caf::anon_send(state.config.owner, iq_out{std::move(request), purpose});
}

void add(self_ptr self, const contact_order& order, const add_contact& wanted) {
  auto& state = self->state;
  roster_item item;
  if (const auto* row = state.contacts.find(order.contact)) item = row->item;
  item.address = order.contact;
  if (!wanted.name.empty()) item.name = wanted.name;
  if (!wanted.group.empty()) item.groups = {wanted.group};
  request_change(self, std::move(item), {order.id, order.contact, false});
}

void remove(self_ptr self, const contact_order& order) {
  auto& state = self->state;
  if (state.contacts.find(order.contact) == nullptr)
    return state.refuse(order.id, errc::not_found,
                        order.contact.str() + " is not among the contacts of " +
                            state.account() + ".");
  roster_item item;
  item.address = order.contact;
  item.subscribed = subscription::remove;
  request_change(self, std::move(item), {order.id, order.contact, true});
}

void answer(self_ptr self, const contact_order& order,
            const answer_request& given) {
  auto& state = self->state;
  if (state.contacts.find_request(order.contact) == nullptr)
    return state.refuse(order.id, errc::not_found,
                        order.contact.str() + " has not asked " +
                            state.account() +
                            " for authorization; 'show roster' lists who has.");
  switch (given.answer) {
    case request_answer::authorize:
      state.send_presence(presence_type::subscribed, order.contact);
      state.report(state.contacts.answered(order.contact));
      break;
    case request_answer::deny:
      state.send_presence(presence_type::unsubscribed, order.contact);
      state.report(state.contacts.answered(order.contact));
      break;
    case request_answer::ignore:
      state.report(state.contacts.ignored(order.contact));
      break;
  }
  finish(state.config.snapshots, order.id);
}

void carry_out(self_ptr self, const contact_order& order) {
  if (const auto* wanted = std::get_if<add_contact>(&order.order))
    add(self, order, *wanted);
  else if (const auto* given = std::get_if<answer_request>(&order.order))
    answer(self, order, *given);
  else
    remove(self, order);
}

/// The server has stored a change: ask for the contact's presence unless we
/// see it already.
void change_stored(self_ptr self, const iq_outcome& outcome) {
  auto& state = self->state;
  const auto found = state.pending.find(outcome.purpose);
  if (found == state.pending.end()) return;
  const auto order = found->second;
  state.pending.erase(found);
  if (outcome.failure)
    return state.refuse(order.id, errc::refused,
                        "The server has not confirmed the change of " +
                            order.contact.str() + ": " + *outcome.failure +
                            ". 'show roster' tells whether it was made.");
  if (order.remove) {
    state.report(state.contacts.removed(order.contact));
  } else {
    const auto* row = state.contacts.find(order.contact);
    if (row == nullptr || row->standing() != contact_standing::accepted) {
      state.send_presence(presence_type::subscribe, order.contact);
      state.report(state.contacts.asked(order.contact));
    }
  }
  finish(state.config.snapshots, order.id);
}

void presence_came(self_ptr self, const presence_stanza& presence) {
  auto& state = self->state;
  const auto bare = presence.from.bare();
  switch (presence.type) {
    case presence_type::available:
    case presence_type::unavailable:
      if (!state.presences.apply(presence)) return;
      if (state.contacts.find(bare) != nullptr)
        state.report_contact(bare, nullptr);
      state.tell_watcher(bare);
      return;
    case presence_type::error:
      tell(state.config.snapshots,
           engine_failed{state.account(),
                         "A request to " + bare.str() + " came back: " +
                             (presence.error ? presence.error->condition
                                             : std::string{"no reason"}) +
                             ". Is the address right?"});
      return;
    default:
      state.report(state.contacts.presence(presence));
  }
}

void link_ended(self_ptr self) {
  auto& state = self->state;
  std::vector<jid> seen;
  for (const auto& [address, row] : state.contacts.contacts())
    if (state.presences.best(address)) seen.push_back(address);
  state.presences.clear();
  for (const auto& address : seen) state.report_contact(address, nullptr);
  for (const auto& [address, watcher] : state.watchers)
    state.tell_watcher(address);
  // Their answers will not come.
  for (const auto& [purpose, order] : state.pending)
    state.refuse(order.id, errc::unavailable,
                 "The link was lost before the server answered about " +
                     order.contact.str() +
                     ". Look at the roster, then try "
                     "again.");
  state.pending.clear();
}

void begin(self_ptr self, roster_config config) {
  auto& state = self->state;
  state.config = std::move(config);
  state.contacts.restore(state.config.contacts,
                         std::move(state.config.requests));
}

roster_handle::behavior_type roster_behavior(self_ptr self,
                                             roster_config config) {
  // Without its account a roster is of no use: that starts a new one.
  self->monitor(config.owner);
  self->set_down_handler([self](const caf::down_msg&) { self->quit(); });
  begin(self, std::move(config));
  return {
      [self](const roster_reset& reset) {
        self->state.report(self->state.contacts.reset(reset.full));
      },
      [self](const roster_push& push) {
        self->state.report(self->state.contacts.push(push.item));
      },
      [self](const presence_in& in) { presence_came(self, in.presence); },
      [self](const link_lost&) { link_ended(self); },
      [self](const iq_outcome& outcome) { change_stored(self, outcome); },
      [self](const contact_order& order) { carry_out(self, order); },
      [self](const watch_contact& watch) {
        self->state.watchers[watch.contact] = watch.otr;
        self->state.tell_watcher(watch.contact);
      },
      [self](const stop_actor&) {
        self->state.watchers.clear();
        self->quit();
      },
  };
}

}  // namespace

void show_stored(const snapshot_handle& snapshots, const std::string& account,
                 const std::vector<contact>& contacts,
                 const std::vector<subscription_request>& requests) {
  for (const auto& row : contacts)
    tell(snapshots, contact_changed{offline_view(account, row)});
  for (const auto& request : requests)
    tell(snapshots, request_changed{{account, request.from.str(), request.text,
                                     request.ignored},
                                    false});
}

roster_handle spawn_roster(caf::actor_system& system, roster_config config) {
  return system.spawn(roster_behavior, std::move(config));
}

}  // namespace sotto
