#pragma once

#include <nlohmann/json_fwd.hpp>
#include <optional>

#include "actors/api/event.hpp"
#include "actors/api/snapshot.hpp"
#include "cli/request.hpp"

namespace sotto::cli {

/// An event as the command line tells it, without its time; nothing for what
/// it does not tell (traces, finished commands).
std::optional<nlohmann::json> to_json(const event& what);

/// The answer to `show`.
nlohmann::json to_json(const snapshot& view, const show& wanted);
/// The answer to `status`.
nlohmann::json status_json(const snapshot& view);
nlohmann::json error_json(const std::string& command,
                          const std::string& reason);

/// "2026-01-31T23:59:59.123Z"
std::string utc(std::chrono::system_clock::time_point time);

/// One line of text. Bytes that are no UTF-8 are replaced, never thrown at.
std::string to_line(const nlohmann::json& object);

}  // namespace sotto::cli
