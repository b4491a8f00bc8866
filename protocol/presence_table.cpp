#include "protocol/presence_table.hpp"

#include <algorithm>
#include <tuple>
#include <utility>

#include "protocol/utf8.hpp"

namespace sotto {
namespace {

/// How ready for a chat: the smaller the better.
int reluctance(presence_show show) {
  switch (show) {
    case presence_show::chat:
      return 0;
    case presence_show::none:
      return 1;
    case presence_show::away:
      return 2;
    case presence_show::xa:
      return 3;
    case presence_show::dnd:
      return 4;
  }
  return 4;
}

bool better(const resource_presence& a, const resource_presence& b) {
  return std::tuple{-a.priority, reluctance(a.show),
                    std::string_view{a.resource}} <
         std::tuple{-b.priority, reluctance(b.show),
                    std::string_view{b.resource}};
}

}  // namespace

bool presence_table::apply(const presence_stanza& incoming) {
  if (incoming.from.empty()) return false;
  if (incoming.type == presence_type::unavailable) return remove(incoming.from);
  if (incoming.type != presence_type::available) return false;
  return add(incoming.from,
             {incoming.from.resource(), incoming.show,
              std::string{utf8_prefix(incoming.status, max_status)},
              incoming.priority});
}

bool presence_table::add(const jid& from, resource_presence now) {
  const auto contact = resources_.find(from.bare());
  if (contact == resources_.end()) {
    if (resources_.size() >= max_contacts || entries_ >= max_entries)
      return false;
    resources_[from.bare()].emplace(from.resource(), std::move(now));
    ++entries_;
    return true;
  }
  auto& of_contact = contact->second;
  const auto known = of_contact.find(from.resource());
  if (known != of_contact.end()) {
    if (known->second == now) return false;
    known->second = std::move(now);
    return true;
  }
  if (of_contact.size() >= max_resources || entries_ >= max_entries)
    return false;
  of_contact.emplace(from.resource(), std::move(now));
  ++entries_;
  return true;
}

bool presence_table::remove(const jid& from) {
  const auto contact = resources_.find(from.bare());
  if (contact == resources_.end()) return false;
  const std::size_t gone = from.is_bare()
                               ? contact->second.size()
                               : contact->second.erase(from.resource());
  entries_ -= gone;
  if (from.is_bare() || contact->second.empty()) resources_.erase(contact);
  return gone > 0;
}

void presence_table::clear() {
  resources_.clear();
  entries_ = 0;
}

std::vector<resource_presence> presence_table::of(const jid& bare) const {
  std::vector<resource_presence> all;
  const auto contact = resources_.find(bare.bare());
  if (contact == resources_.end()) return all;
  all.reserve(contact->second.size());
  for (const auto& [resource, presence] : contact->second)
    all.push_back(presence);
  std::sort(all.begin(), all.end(), better);
  return all;
}

std::optional<resource_presence> presence_table::best(const jid& bare) const {
  auto all = of(bare);
  if (all.empty()) return {};
  return std::move(all.front());
}

bool presence_table::available(const jid& full) const {
  const auto contact = resources_.find(full.bare());
  return contact != resources_.end() &&
         contact->second.contains(full.resource());
}

std::string_view presence_word(const std::optional<resource_presence>& best) {
  if (!best) return "unavailable";
  switch (best->show) {
    case presence_show::none:
      return "available";
    case presence_show::chat:
      return "chat";
    case presence_show::away:
      return "away";
    case presence_show::xa:
      return "xa";
    case presence_show::dnd:
      return "dnd";
  }
  return "available";
}

}  // namespace sotto
