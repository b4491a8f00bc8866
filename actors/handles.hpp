#pragma once

#include "actors/caf_port.hpp"
#include "actors/messages.hpp"

// Every typed interface, on one page: the whole protocol between the actors.
//
//   out: engine -> supervisor -> session -> otr -> account -> transport
//   in:  transport -> account -> otr -> session -> snapshot -> front end

namespace sotto {

struct session_opened;
struct session_closed;
struct account_replaced;
struct watch_contact;
struct session_actors;

using snapshot_handle = caf::typed_actor<
    // Fold a change into the draft; the first one arms the timer.
    caf::reacts_to<delta>,
    // Publish the draft.
    caf::reacts_to<publish_due>, caf::reacts_to<stop_actor>>;

using store_handle = caf::typed_actor<
    // Write rows; answered when they are on the disk.
    caf::replies_to<save_rows>::with<rows_saved>,
    // Erase an account's rows; likewise.
    caf::replies_to<erase_account_rows>::with<rows_saved>,
    // The worker is done with a ticket.
    caf::reacts_to<write_finished>, caf::reacts_to<stop_actor>>;

using otr_handle = caf::typed_actor<
    // A message of the user: encrypt it, send it in the clear, or defer it.
    caf::reacts_to<encrypt>,
    // A message from the contact.
    caf::reacts_to<wire_in>,
    // The user starts, ends or refreshes the private conversation.
    caf::reacts_to<otr_order>,
    // The user has compared fingerprints, or takes that back.
    caf::reacts_to<verify_order>, caf::reacts_to<distrust_order>,
    // Settings.
    caf::reacts_to<policy_changed>, caf::reacts_to<identity_changed>,
    caf::reacts_to<handshake_timeout_changed>,
    // Which devices the contact has.
    caf::reacts_to<contact_presence>,
    // The account was restarted.
    caf::reacts_to<account_replaced>,
    // Own timers.
    caf::reacts_to<handshake_due>, caf::reacts_to<poll_due>,
    // End the private conversation without opening the latch, and quit.
    caf::reacts_to<stop_actor>>;

using session_handle = caf::typed_actor<
    // A message of the user.
    caf::reacts_to<ui_command>,
    // From otr: a message of the contact, what became of ours, news.
    caf::reacts_to<plain_in>, caf::reacts_to<encrypt_result>,
    caf::reacts_to<otr_news>,
    // From account: link state, and what became of a stanza.
    caf::reacts_to<account_state>, caf::reacts_to<wire_accepted>,
    caf::reacts_to<wire_refused>, caf::reacts_to<message_bounced>,
    // Settings, handed on to otr.
    caf::reacts_to<policy_changed>, caf::reacts_to<identity_changed>,
    caf::reacts_to<handshake_timeout_changed>, caf::reacts_to<account_replaced>,
    // For the debugger and tests: who runs this conversation.
    caf::replies_to<find_session>::with<session_actors>,
    caf::reacts_to<stop_actor>>;

using roster_handle = caf::typed_actor<
    // From account: the server's roster, a push, a presence, the link's end.
    caf::reacts_to<roster_reset>, caf::reacts_to<roster_push>,
    caf::reacts_to<presence_in>, caf::reacts_to<link_lost>,
    // The answer to a request of the roster's.
    caf::reacts_to<iq_outcome>,
    // The user adds, removes, authorizes, denies, ignores.
    caf::reacts_to<contact_order>,
    // Tell this conversation about the contact's devices from now on.
    caf::reacts_to<watch_contact>, caf::reacts_to<stop_actor>>;

using account_handle = caf::typed_actor<
    // From supervisor.
    caf::reacts_to<settings_changed>, caf::reacts_to<connect_link>,
    caf::reacts_to<disconnect_link>, caf::reacts_to<contact_order>,
    // A conversation is there, or gone.
    caf::reacts_to<session_opened>, caf::reacts_to<session_closed>,
    // From the transport, through its bridge.
    caf::reacts_to<link_moved>, caf::reacts_to<stanza_arrived>,
    // From roster.
    caf::reacts_to<presence_out>, caf::reacts_to<iq_out>,
    // From otr: lines for a contact.
    caf::reacts_to<wire_out>,
    // Own timers.
    caf::reacts_to<reconnect_due>, caf::reacts_to<iq_deadline_due>,
    caf::reacts_to<stop_actor>>;

using keyring_handle = caf::typed_actor<
    // The user makes a key; the worker has made it.
    caf::reacts_to<make_key>, caf::reacts_to<key_made>,
    // What a conversation starts from.
    caf::replies_to<conversation_request>::with<conversation_secrets>,
    // A conversation saw, verified or distrusted keys, or became private.
    caf::reacts_to<keys_updated>, caf::reacts_to<latch_updated>,
    caf::reacts_to<forget_account>, caf::reacts_to<stop_actor>>;

using supervisor_handle = caf::typed_actor<
    // Everything that a user can ask for.
    caf::reacts_to<ui_command>,
    // From account: a stranger or contact writes; settings it learned.
    caf::reacts_to<session_wanted>, caf::reacts_to<settings_learned>,
    // From keyring: an account has a new key.
    caf::reacts_to<identity_ready>,
    // For the debugger and tests: who runs a conversation.
    caf::replies_to<find_session>::with<session_actors>,
    // Stop everything, children before parents, and quit.
    caf::reacts_to<stop_actor>>;

/// session to account: route this contact's messages to these actors.
struct session_opened {
  jid contact;
  session_handle session;
  otr_handle otr;
};
/// supervisor to account: that conversation's actors are gone.
struct session_closed {
  jid contact;
};
/// supervisor to session and on to otr: send through this account from now.
struct account_replaced {
  account_handle account;
};
/// account to roster.
struct watch_contact {
  jid contact;
  otr_handle otr;
};
/// The actors of a conversation and those it depends on; null handles if
/// there is none.
struct session_actors {
  session_handle session;
  otr_handle otr;
  account_handle account;
  keyring_handle keyring;
};

}  // namespace sotto

SOTTO_LOCAL_MESSAGE(sotto::stop_actor)
SOTTO_LOCAL_MESSAGE(sotto::delta)
SOTTO_LOCAL_MESSAGE(sotto::publish_due)
SOTTO_LOCAL_MESSAGE(sotto::ui_command)
SOTTO_LOCAL_MESSAGE(sotto::settings_changed)
SOTTO_LOCAL_MESSAGE(sotto::connect_link)
SOTTO_LOCAL_MESSAGE(sotto::disconnect_link)
SOTTO_LOCAL_MESSAGE(sotto::contact_order)
SOTTO_LOCAL_MESSAGE(sotto::link_moved)
SOTTO_LOCAL_MESSAGE(sotto::stanza_arrived)
SOTTO_LOCAL_MESSAGE(sotto::reconnect_due)
SOTTO_LOCAL_MESSAGE(sotto::iq_deadline_due)
SOTTO_LOCAL_MESSAGE(sotto::roster_reset)
SOTTO_LOCAL_MESSAGE(sotto::roster_push)
SOTTO_LOCAL_MESSAGE(sotto::presence_in)
SOTTO_LOCAL_MESSAGE(sotto::link_lost)
SOTTO_LOCAL_MESSAGE(sotto::iq_outcome)
SOTTO_LOCAL_MESSAGE(sotto::presence_out)
SOTTO_LOCAL_MESSAGE(sotto::iq_out)
SOTTO_LOCAL_MESSAGE(sotto::contact_presence)
SOTTO_LOCAL_MESSAGE(sotto::wire_in)
SOTTO_LOCAL_MESSAGE(sotto::account_state)
SOTTO_LOCAL_MESSAGE(sotto::wire_accepted)
SOTTO_LOCAL_MESSAGE(sotto::wire_refused)
SOTTO_LOCAL_MESSAGE(sotto::message_bounced)
SOTTO_LOCAL_MESSAGE(sotto::encrypt)
SOTTO_LOCAL_MESSAGE(sotto::otr_order)
SOTTO_LOCAL_MESSAGE(sotto::verify_order)
SOTTO_LOCAL_MESSAGE(sotto::distrust_order)
SOTTO_LOCAL_MESSAGE(sotto::policy_changed)
SOTTO_LOCAL_MESSAGE(sotto::identity_changed)
SOTTO_LOCAL_MESSAGE(sotto::handshake_timeout_changed)
SOTTO_LOCAL_MESSAGE(sotto::handshake_due)
SOTTO_LOCAL_MESSAGE(sotto::poll_due)
SOTTO_LOCAL_MESSAGE(sotto::plain_in)
SOTTO_LOCAL_MESSAGE(sotto::encrypt_result)
SOTTO_LOCAL_MESSAGE(sotto::otr_news)
SOTTO_LOCAL_MESSAGE(sotto::wire_out)
SOTTO_LOCAL_MESSAGE(sotto::make_key)
SOTTO_LOCAL_MESSAGE(sotto::key_made)
SOTTO_LOCAL_MESSAGE(sotto::conversation_request)
SOTTO_LOCAL_MESSAGE(sotto::conversation_secrets)
SOTTO_LOCAL_MESSAGE(sotto::keys_updated)
SOTTO_LOCAL_MESSAGE(sotto::latch_updated)
SOTTO_LOCAL_MESSAGE(sotto::forget_account)
SOTTO_LOCAL_MESSAGE(sotto::identity_ready)
SOTTO_LOCAL_MESSAGE(sotto::save_rows)
SOTTO_LOCAL_MESSAGE(sotto::erase_account_rows)
SOTTO_LOCAL_MESSAGE(sotto::rows_saved)
SOTTO_LOCAL_MESSAGE(sotto::write_finished)
SOTTO_LOCAL_MESSAGE(sotto::session_wanted)
SOTTO_LOCAL_MESSAGE(sotto::settings_learned)
SOTTO_LOCAL_MESSAGE(sotto::find_session)
SOTTO_LOCAL_MESSAGE(sotto::session_opened)
SOTTO_LOCAL_MESSAGE(sotto::session_closed)
SOTTO_LOCAL_MESSAGE(sotto::account_replaced)
SOTTO_LOCAL_MESSAGE(sotto::watch_contact)
SOTTO_LOCAL_MESSAGE(sotto::session_actors)
