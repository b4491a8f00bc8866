#include "crypto/otr_guard.hpp"

#include <algorithm>
#include <utility>

namespace sotto {

otr_guard::outcome otr_guard::flood() {
  outcome found{.what = verdict::flood};
  found.first_flood = !std::exchange(flood_reported_, true);
  return found;
}

void otr_guard::reset() { *this = otr_guard(); }

std::optional<otr_guard::verdict> otr_guard::misaddressed(
    const otr_body& body, std::uint32_t own_tag) {
  if (body.version != 3 || body.kind == otr_kind::query) return std::nullopt;
  if (own_tag != 0 && body.sender == own_tag) return verdict::reflected;
  // Only what begins a conversation may be addressed to nobody yet.
  const bool open_address =
      body.kind == otr_kind::commit || body.kind == otr_kind::fragment;
  if (body.receiver == 0 && open_address) return std::nullopt;
  if (body.receiver != own_tag) return verdict::other_instance;
  return std::nullopt;
}

otr_guard::outcome otr_guard::inspect(std::string_view body,
                                      std::uint32_t own_tag) {
  if (body.size() > largest_body) return flood();
  const auto read = parse_otr_body(body);
  if (read.kind == otr_kind::fragment) return keep_piece(read, own_tag);
  return pass(std::string(body), own_tag);
}

otr_guard::outcome otr_guard::pass(std::string message, std::uint32_t own_tag) {
  const auto body = parse_otr_body(message);
  // libotr reads C strings: nothing may hide behind a zero.
  if (body.kind == otr_kind::malformed || body.kind == otr_kind::fragment ||
      message.find('\0') != std::string::npos) {
    return {.what = verdict::malformed};
  }
  if (const auto wrong = misaddressed(body, own_tag)) {
    return {.what = *wrong, .kind = body.kind};
  }
  if (body.version == 3 && body.kind != otr_kind::query &&
      !instances_.contains(body.sender)) {
    const bool begins =
        body.kind == otr_kind::commit || body.kind == otr_kind::dh_key;
    if (!begins) return {.what = verdict::stray, .kind = body.kind};
    if (instances_.size() >= most_instances) return flood();
    instances_.insert(body.sender);
  }
  flood_reported_ = false;
  return {
      .what = verdict::whole, .kind = body.kind, .message = std::move(message)};
}

void otr_guard::forget(std::uint32_t sender) {
  const auto found = assemblies_.find(sender);
  if (found == assemblies_.end()) return;
  assembling_ -= found->second.text.size();
  assemblies_.erase(found);
}

/// Makes sure that the piece fits; an instance that is known may take the
/// place of one that is not.
bool otr_guard::make_room(const otr_body& piece) {
  const auto size = piece.content.size();
  const bool known = instances_.contains(piece.sender);
  const auto fits = [&] {
    return assembling_ + size <= most_assembling &&
           (assemblies_.contains(piece.sender) ||
            assemblies_.size() < most_instances);
  };
  while (!fits()) {
    const auto stranger =
        std::ranges::find_if(assemblies_, [&](const auto& entry) {
          return entry.first != piece.sender &&
                 !instances_.contains(entry.first);
        });
    if (!known || stranger == assemblies_.end()) return false;
    forget(stranger->first);
  }
  return true;
}

otr_guard::outcome otr_guard::keep_piece(const otr_body& piece,
                                         std::uint32_t own_tag) {
  if (const auto wrong = misaddressed(piece, own_tag)) return {.what = *wrong};
  if (piece.total > most_pieces) return flood();
  if (piece.number == 1) {
    forget(piece.sender);
  } else {
    const auto found = assemblies_.find(piece.sender);
    if (found == assemblies_.end() || found->second.total != piece.total ||
        found->second.last + 1 != piece.number) {
      forget(piece.sender);
      return {.what = verdict::incomplete};
    }
  }
  if (!make_room(piece)) {
    forget(piece.sender);
    return flood();
  }
  auto& kept = assemblies_[piece.sender];
  kept.last = piece.number;
  kept.total = piece.total;
  kept.text += piece.content;
  assembling_ += piece.content.size();
  if (kept.last < kept.total) return {.what = verdict::incomplete};
  auto message = std::move(kept.text);
  assembling_ -= message.size();
  assemblies_.erase(piece.sender);
  return pass(std::move(message), own_tag);
}

}  // namespace sotto
