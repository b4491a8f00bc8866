#pragma once

#include <gtest/gtest.h>

#include <memory>
#include <mutex>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "protocol/loopback_transport.hpp"

namespace sotto::test {

inline jid address(const std::string& text) { return *jid::parse(text); }

/// Notes what a link reports.
class recorder : public transport_listener {
 public:
  void on_link(const link_change& change) override {
    const std::lock_guard lock{mutex_};
    changes_.push_back(change);
  }
  void on_stanza(stanza incoming) override {
    const std::lock_guard lock{mutex_};
    stanzas_.push_back(std::move(incoming));
  }

  std::vector<link_change> changes() const {
    const std::lock_guard lock{mutex_};
    return changes_;
  }
  link_change last() const {
    const auto all = changes();
    return all.empty() ? link_change{} : all.back();
  }
  /// The stanzas of one kind since the last `forget`.
  template <class Stanza>
  std::vector<Stanza> all() const {
    const std::lock_guard lock{mutex_};
    std::vector<Stanza> found;
    for (const stanza& one : stanzas_)
      if (const auto* wanted = std::get_if<Stanza>(&one))
        found.push_back(*wanted);
    return found;
  }
  void forget() {
    const std::lock_guard lock{mutex_};
    stanzas_.clear();
  }

 private:
  mutable std::mutex mutex_;
  std::vector<link_change> changes_;
  std::vector<stanza> stanzas_;
};

/// A client of the hub, as thin as can be.
class client {
 public:
  client(loopback_hub& hub, const std::string& account,
         const std::string& resource = "desk",
         const std::string& password = "pw") {
    link_settings settings;
    settings.account = address(account);
    settings.resource = resource;
    settings.password =
        std::make_shared<const secret>(secret::copy_of(password));
    link_ = hub.factory()->make(std::move(settings), seen);
    link_->open();
  }

  jid full() const { return seen->last().bound; }
  transport& link() { return *link_; }
  bool send(const stanza& what) { return link_->send(what); }

  /// Asks for the roster and becomes available.
  client& log_in(int priority = 0) {
    send(iq_stanza{{}, {}, "roster", iq_type::get, roster_query{}, {}});
    presence_stanza presence;
    presence.priority = priority;
    send(presence);
    return *this;
  }
  bool say(const std::string& to, const std::string& text,
           message_type type = message_type::chat) {
    message_stanza message;
    message.to = address(to);
    message.id = text;
    message.type = type;
    message.body = text;
    return send(message);
  }
  bool tell(const std::string& to, presence_type type,
            const std::string& text = "") {
    presence_stanza presence;
    presence.to = address(to);
    presence.type = type;
    presence.status = text;
    return send(presence);
  }
  bool set_row(const roster_item& row) {
    return send(
        iq_stanza{{}, {}, "set", iq_type::set, roster_query{"", {row}}, {}});
  }

  /// The bodies that came, in order, one word.
  std::string bodies() const {
    std::string all;
    for (const auto& message : seen->all<message_stanza>())
      if (message.body) all += *message.body + ' ';
    return all;
  }
  /// The row of a contact as the server last pushed it since `forget`.
  roster_item pushed(const std::string& contact) const {
    roster_item row;
    for (const auto& iq : seen->all<iq_stanza>()) {
      const auto* query = std::get_if<roster_query>(&iq.payload);
      if (query == nullptr || iq.type != iq_type::set) continue;
      for (const auto& item : query->items)
        if (item.address == address(contact)) row = item;
    }
    return row;
  }
  /// How often a kind of presence came from an address.
  int count(presence_type type, const std::string& from) const {
    int found = 0;
    for (const auto& presence : seen->all<presence_stanza>())
      found += presence.type == type && presence.from == address(from);
    return found;
  }

  std::shared_ptr<recorder> seen = std::make_shared<recorder>();

 private:
  std::unique_ptr<transport> link_;
};

}  // namespace sotto::test
