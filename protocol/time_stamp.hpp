#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>

#include "protocol/stanza.hpp"

namespace sotto {

/// Reads a XEP-0082 time stamp (strictly: `CCYY-MM-DDThh:mm:ss[.s]TZD`) and
/// clamps it to between 2000-01-01 and a day after `now` (R5).
std::optional<wall_time> parse_time_stamp(std::string_view text, wall_time now);
/// The XEP-0082 form, in UTC with milliseconds.
std::string format_time_stamp(wall_time when);

}  // namespace sotto
