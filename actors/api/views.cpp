#include "actors/api/views.hpp"

namespace sotto {

std::string_view to_string(message_state state) {
  switch (state) {
    case message_state::queued:
      return "queued";
    case message_state::sent:
      return "sent";
    case message_state::acked:
      return "acked";
    case message_state::delivered:
      return "delivered";
    case message_state::failed:
      return "failed";
  }
  return "failed";
}

std::string_view to_string(link_phase phase) {
  switch (phase) {
    case link_phase::offline:
      return "offline";
    case link_phase::resolving:
      return "resolving";
    case link_phase::connecting:
      return "connecting";
    case link_phase::securing:
      return "securing";
    case link_phase::authenticating:
      return "authenticating";
    case link_phase::online:
      return "online";
    case link_phase::waiting:
      return "waiting";
    case link_phase::failed:
      return "failed";
  }
  return "failed";
}

std::string_view to_string(subscription subscribed) {
  switch (subscribed) {
    case subscription::none:
      return "none";
    case subscription::to:
      return "to";
    case subscription::from:
      return "from";
    case subscription::both:
      return "both";
    case subscription::remove:
      return "remove";
  }
  return "none";
}

}  // namespace sotto
