#include <utility>

#include "crypto/otr_conversation_impl.hpp"
#include "crypto/otr_wire.hpp"
#include "crypto/plain_text.hpp"

namespace sotto {

namespace {

constexpr std::size_t longest_error_shown = 500;
constexpr std::string_view not_private_error =
    "?OTR Error: You sent an encrypted message, but no private conversation "
    "is open here. It was not read; start one again.";

otr_event make_key_first() {
  return {otr_notice::setup_error,
          "The contact wants a private conversation, but this account has no "
          "OTR key yet. Make a key first; then start it."};
}

otr_event version_refused() {
  return {otr_notice::refused_version,
          "The contact's program offers only a version of OTR that is not "
          "safe. Versions 2 and 3 are spoken here."};
}

otr_event reported_by_contact(std::string_view remote) {
  auto text =
      plain_text(remote.substr(0, longest_error_shown), text_origin::clear);
  if (const auto start = text.find_first_not_of(' ');
      start != std::string::npos) {
    text.erase(0, start);
  }
  return {otr_notice::contact_error, std::move(text)};
}

std::optional<otr_event> event_of(otr_signal_kind signal) {
  switch (signal) {
    case otr_signal_kind::setup_error:
      return otr_event{otr_notice::setup_error,
                       "A step of the handshake could not be used. If the "
                       "private conversation does not begin, start it again."};
    case otr_signal_kind::reflected:
      return otr_event{otr_notice::reflected, {}};
    case otr_signal_kind::not_private:
      return otr_event{otr_notice::not_private, {}};
    case otr_signal_kind::unreadable:
      return otr_event{otr_notice::unreadable, {}};
    case otr_signal_kind::malformed:
    case otr_signal_kind::unrecognized:
      return otr_event{otr_notice::malformed, {}};
    case otr_signal_kind::other_instance:
      return otr_event{otr_notice::other_instance, {}};
    // Not told as such: a session begins or goes on.
    case otr_signal_kind::gone_secure:
    case otr_signal_kind::still_secure:
      return std::nullopt;
  }
  return std::nullopt;
}

/// The event for a body that the guard kept from libotr, if it needs one.
std::optional<otr_event> event_of(const otr_guard::outcome& found) {
  using verdict = otr_guard::verdict;
  switch (found.what) {
    case verdict::malformed:
      return otr_event{otr_notice::malformed, {}};
    case verdict::reflected:
      return otr_event{otr_notice::reflected, {}};
    case verdict::other_instance:
      return otr_event{otr_notice::other_instance, {}};
    case verdict::stray:
      if (found.kind == otr_kind::data) {
        return otr_event{otr_notice::not_private, {}};
      }
      return event_of(otr_signal_kind::setup_error);
    case verdict::flood:
      if (!found.first_flood) return std::nullopt;
      return otr_event{otr_notice::flood,
                       "More encrypted messages than can be right came from "
                       "the contact's address; some were dropped."};
    case verdict::whole:
    case verdict::incomplete:
      return std::nullopt;
  }
  return std::nullopt;
}

}  // namespace

otr_step otr_conversation::impl::receive(std::string_view body, bool consent,
                                         time_point now) {
  auto call = begin(now);
  if (!body.starts_with(otr_prefix)) {
    receive_clear(call, body);
  } else if (consent) {
    receive_otr(call, body);
  }
  return done(std::move(call));
}

void otr_conversation::impl::receive_clear(turn& call, std::string_view body) {
  auto text = plain_text(without_whitespace_tag(body), text_origin::clear);
  if (text.empty()) return;
  call.step.received =
      otr_received{std::move(text), message_security::plaintext};
  if (stands() || phase_ == phase::finished || latched ||
      options.policy == otr_policy::required) {
    call.step.events.push_back(
        {otr_notice::received_unencrypted,
         "The following message was not encrypted; anybody on the way could "
         "have read or written it."});
  }
}

void otr_conversation::impl::receive_otr(turn& call, std::string_view body) {
  if (refuse_untouched(call, parse_otr_body(body))) return;
  const auto found = guard_.inspect(body, identity->instance_tag());
  if (const auto event = event_of(found)) call.step.events.push_back(*event);
  // Once, or two clients could go on telling each other for ever.
  if (found.what == otr_guard::verdict::stray && found.kind == otr_kind::data &&
      !std::exchange(stray_told_, true)) {
    call.step.wire.emplace_back(not_private_error);
  }
  if (found.what == otr_guard::verdict::whole) {
    receive_message(call, found.message);
  }
}

/// Policy `never`, or no key: nothing is answered and libotr sees nothing.
bool otr_conversation::impl::refuse_untouched(turn& call,
                                              const otr_body& body) {
  const bool never = options.policy == otr_policy::never;
  if (!never && identity) return false;
  auto& events = call.step.events;
  if (body.is_handshake() && never) {
    events.push_back({otr_notice::refused_by_policy,
                      "The contact wants a private conversation, but the "
                      "policy for this contact is \"never\"."});
  } else if (body.is_handshake()) {
    events.push_back(make_key_first());
  } else if (body.kind == otr_kind::data) {
    events.push_back({otr_notice::not_private, {}});
  } else if (body.kind == otr_kind::error) {
    events.push_back(reported_by_contact(body.content));
  } else if (body.kind == otr_kind::version_1) {
    events.push_back(version_refused());
  } else if (body.kind == otr_kind::malformed) {
    events.push_back({otr_notice::malformed, {}});
  }
  return true;
}

void otr_conversation::impl::receive_message(turn& call,
                                             const std::string& message) {
  const auto body = parse_otr_body(message);
  switch (body.kind) {
    case otr_kind::error:
      // Not for libotr, which would mark its last text for sending again.
      call.step.events.push_back(reported_by_contact(body.content));
      return;
    case otr_kind::version_1:
      call.step.events.push_back(version_refused());
      return;
    case otr_kind::query:
      receive_query(call, body);
      return;
    case otr_kind::commit:
      query_open_ = false;
      receive_commit(call, message, body);
      return;
    case otr_kind::dh_key:
    case otr_kind::reveal_signature:
    case otr_kind::signature:
      query_open_ = false;
      feed(call, message);
      return;
    case otr_kind::data:
      feed(call, message);
      return;
    case otr_kind::fragment:
    case otr_kind::malformed:
      return;
  }
}

void otr_conversation::impl::receive_query(turn& call, const otr_body& query) {
  if (query.version == 0) {
    call.step.events.push_back(version_refused());
    return;
  }
  // Both sides have asked. Two commits that cross end libotr's version 2 in
  // a deadlock, so the contact shall send the only one: it is asked again,
  // once, should our query have been lost.
  if (query.version == 2 && query_open_) {
    if (!std::exchange(query_repeated_, true)) {
      call.step.wire.emplace_back(otr_query);
    }
    return;
  }
  // One commit a handshake: of several, each side could take another one for
  // the winner when they cross with those of the contact.
  if (commit_open() && parse_otr_body(own_commit_).version == query.version) {
    call.step.wire.push_back(own_commit_);
    return;
  }
  // Rewritten, so that libotr reads nothing else that the body holds.
  feed(call, query.version == 3 ? "?OTRv3?" : "?OTRv2?");
}

bool otr_conversation::impl::commit_open() const {
  return !own_commit_.empty() && session_ && session_->commit_open();
}

/// Two commits that cross: the one with the higher hash stands (OTR version
/// 3, "Receiving a D-H Commit Message"). libotr 4.1.1 looks at this only
/// within one context, but sends its own from another: both sides would wait
/// for ever.
void otr_conversation::impl::receive_commit(turn& call,
                                            const std::string& message,
                                            const otr_body& body) {
  const auto theirs = commit_hash(message);
  const auto ours = commit_hash(own_commit_);
  if (commit_open() && ours && theirs &&
      parse_otr_body(own_commit_).version == body.version) {
    if (*ours == *theirs) {
      call.step.events.push_back({otr_notice::reflected, {}});
      return;
    }
    if (*ours > *theirs) {
      call.step.wire.push_back(own_commit_);
      return;
    }
    session_->forget_commit();
    own_commit_.clear();
  }
  feed(call, message);
}

void otr_conversation::impl::feed(turn& call, const std::string& message) {
  if (auto opened = open_session(); !opened) {
    call.step.events.push_back(
        {otr_notice::setup_error, opened.failure().message});
    return;
  }
  absorb(call, session_->receive(message));
}

void otr_conversation::impl::absorb(turn& call, otr_outcome&& outcome) {
  if (outcome.poll_every) {
    polling_ = *outcome.poll_every > std::chrono::seconds(0);
    call.step.poll_every = outcome.poll_every;
  }
  for (const auto& signal : outcome.signals) absorb_signal(call, signal);
  absorb_text(call, outcome);
  absorb_wire(call, outcome);
  note_end(call, outcome);
}

void otr_conversation::impl::absorb_wire(turn& call, otr_outcome& outcome) {
  bool handshake = false;
  for (auto& line : outcome.wire) {
    const auto body = parse_otr_body(line);
    handshake = handshake || body.is_handshake();
    if (body.kind == otr_kind::commit) own_commit_ = line;
    if (body.kind == otr_kind::reveal_signature) {
      own_commit_.clear();
      if (stands()) {
        rekeying_ = true;
        start_timer(call);
      }
    }
    // A heartbeat, say: nothing goes by itself to a key that is not accepted.
    if (body.kind == otr_kind::data &&
        !sending_allowed_to(outcome.instance.value_or(0))) {
      continue;
    }
    call.step.wire.push_back(std::move(line));
  }
  if (handshake && !stands() && phase_ != phase::starting) {
    begin_starting(call);
  }
}

void otr_conversation::impl::absorb_signal(turn& call,
                                           const otr_signal& signal) {
  if (signal.what == otr_signal_kind::gone_secure ||
      signal.what == otr_signal_kind::still_secure) {
    session_stands(call, signal.instance,
                   signal.what == otr_signal_kind::still_secure);
  } else if (auto event = event_of(signal.what)) {
    call.step.events.push_back(std::move(*event));
  }
}

void otr_conversation::impl::session_stands(turn& call, std::uint32_t instance,
                                            bool refreshed) {
  const auto found = session_->find(instance);
  if (!found || !found->encrypted) return;
  const auto& print = *found->print;
  auto standing = keys.seen(print, call.now);
  call.step.keys_changed = true;
  const bool same_key = stands() && current->print == print;
  if (same_key) standing = current->standing;
  prints_[instance] = print;
  current = peer{.instance = instance,
                 .print = print,
                 .version = found->version,
                 .standing = standing};
  phase_ = phase::standing;
  rekeying_ = false;
  stray_told_ = false;
  suspended_ = false;
  latched = true;

  auto& events = call.step.events;
  events.push_back(
      {refreshed ? otr_notice::refreshed : otr_notice::started, {}});
  if (!same_key && standing == key_standing::first) {
    events.push_back({otr_notice::key_first_seen, print.grouped()});
  } else if (!same_key && !allows_sending(standing)) {
    events.push_back({otr_notice::key_changed, print.grouped()});
  }
  call.step.ready = allows_sending(keys.standing_of(print));
}

bool otr_conversation::impl::sending_allowed_to(std::uint32_t instance) const {
  const auto print = prints_.find(instance);
  return print != prints_.end() &&
         allows_sending(keys.standing_of(print->second));
}

void otr_conversation::impl::absorb_text(turn& call,
                                         const otr_outcome& outcome) {
  if (!outcome.decrypted || !outcome.instance) return;
  const auto instance = *outcome.instance;
  const auto print = prints_.find(instance);
  const bool verified =
      print != prints_.end() &&
      keys.standing_of(print->second) == key_standing::verified;
  auto text = plain_text(*outcome.decrypted, text_origin::otr);
  if (!text.empty()) {
    call.step.received =
        otr_received{std::move(text), verified ? message_security::verified
                                               : message_security::unverified};
  }
  // The contact writes from another device: follow it, unless the key that
  // is used now waits for the user's answer.
  const bool elsewhere = !stands() || current->instance != instance;
  const bool free = !stands() || sending_allowed_to(current->instance);
  if (!elsewhere || !free || !sending_allowed_to(instance)) return;
  const auto found = session_->find(instance);
  if (!found || !found->encrypted) return;
  current = peer{.instance = instance,
                 .print = *found->print,
                 .version = found->version,
                 .standing = keys.standing_of(*found->print)};
  phase_ = phase::standing;
  call.step.ready = true;
}

void otr_conversation::impl::note_end(turn& call, const otr_outcome& outcome) {
  if (!outcome.instance || !stands() ||
      current->instance != *outcome.instance) {
    return;
  }
  const auto found = session_->find(current->instance);
  if (!found || !found->finished) return;
  phase_ = phase::finished;
  call.step.events.push_back(
      {otr_notice::ended_by_contact,
       "The contact has ended the private conversation. Nothing is sent "
       "until you start it again or end it too."});
}

}  // namespace sotto
