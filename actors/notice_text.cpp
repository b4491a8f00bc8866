#include "actors/notice_text.hpp"

namespace sotto {

namespace {

std::string started(const std::string& contact, otr_state state) {
  if (state == otr_state::verified)
    return "A private conversation with " + contact + " has begun.";
  return "An unverified private conversation with " + contact +
         " has begun. Authenticate " + contact + " to be sure who it is.";
}

/// Adds what the other side or the library says, where it says anything.
std::string with_detail(std::string sentence, const otr_event& happened) {
  if (!happened.detail.empty()) sentence += " (" + happened.detail + ")";
  return sentence;
}

}  // namespace

std::string notice_sentence(const otr_event& happened,
                            const std::string& contact, otr_state state) {
  switch (happened.what) {
    case otr_notice::started:
      return started(contact, state);
    case otr_notice::refreshed:
      return "The private conversation with " + contact + " was refreshed.";
    case otr_notice::ended_by_us:
      return "The private conversation with " + contact + " is ended.";
    case otr_notice::ended_by_contact:
      return contact +
             " has ended the private conversation. End it too, or start it "
             "again; until then nothing is sent.";
    case otr_notice::timed_out:
      return with_detail("No private conversation with " + contact +
                             " could be started in time.",
                         happened);
    case otr_notice::key_first_seen:
      return contact + " uses a key that was not seen before. Authenticate " +
             contact + " to be sure who it is.";
    case otr_notice::key_changed:
      return "WARNING: " + contact +
             " uses another key than before. Sending is blocked until you "
             "have compared the new fingerprint with " +
             contact + " by another channel and verified it.";
    case otr_notice::received_unencrypted:
      return "The last message from " + contact + " was not encrypted.";
    case otr_notice::unreadable:
      return "An encrypted message from " + contact + " could not be read.";
    case otr_notice::malformed:
      return "A damaged encrypted message came from " + contact + ".";
    case otr_notice::not_private:
      return contact +
             " sent an encrypted message, but no private conversation stands. "
             "Start one and ask for the message again.";
    case otr_notice::contact_error:
      return with_detail("The client of " + contact + " reports an error.",
                         happened);
    case otr_notice::reflected:
      return "Our own encrypted message came back.";
    case otr_notice::other_instance:
      return "A message for another device of yours was left aside.";
    case otr_notice::refused_version:
      return contact +
             " asks for OTR version 1, which is not safe. It was refused.";
    case otr_notice::refused_by_policy:
      return contact +
             " asks for a private conversation, but the policy says never.";
    case otr_notice::flood:
      return with_detail(
          "Too much of " + contact + " at once: some of it was left aside.",
          happened);
    case otr_notice::setup_error:
      return with_detail(
          "The private conversation with " + contact + " could not be set up.",
          happened);
  }
  return with_detail("Something happened with " + contact + ".", happened);
}

}  // namespace sotto
