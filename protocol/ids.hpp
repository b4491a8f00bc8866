#pragma once

#include <string>

namespace sotto {

/// A fresh 128-bit random id, 32 hex digits: stanza ids, origin ids. Nobody
/// can guess it, so an answer that carries it was meant for us.
std::string random_id();

}  // namespace sotto
