#pragma once

#include <string>

#include "crypto/otr_conversation.hpp"

namespace sotto {

/// The chat's sentence for something that happened to the private
/// conversation with `contact`, whose state is `state` now (S28, S42).
std::string notice_sentence(const otr_event& happened,
                            const std::string& contact, otr_state state);

}  // namespace sotto
