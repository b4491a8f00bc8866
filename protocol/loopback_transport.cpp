#include "protocol/loopback_transport.hpp"

#include <map>
#include <mutex>
#include <utility>
#include <vector>

#include "protocol/loopback_link.hpp"
#include "protocol/loopback_server.hpp"
#include "protocol/outgoing_text.hpp"
#include "protocol/sender_rules.hpp"

namespace sotto {
namespace {

link_change phase_change(link_phase phase) {
  link_change change;
  change.phase = phase;
  return change;
}

link_change failure(error reason, bool retry) {
  link_change change = phase_change(link_phase::failed);
  change.reason = std::move(reason);
  change.retry = retry;
  return change;
}

// What the real transport's codec does to text.

void filter(message_stanza& message) {
  if (message.body) message.body = filter_outgoing(*message.body);
}
void filter(presence_stanza& presence) {
  presence.status = filter_outgoing(presence.status);
}
void filter(iq_stanza& iq) {
  auto* query = std::get_if<roster_query>(&iq.payload);
  if (query == nullptr) return;
  for (roster_item& item : query->items) {
    item.name = filter_outgoing(item.name);
    for (std::string& group : item.groups) group = filter_outgoing(group);
  }
}

/// What `decode` would say to a wrapped message; no archive query is open.
bool may_pass(const stanza& forged, const jid& receiver) {
  const auto* message = std::get_if<message_stanza>(&forged);
  if (message == nullptr) return true;
  if (message->is_archived) return false;
  return !message->is_carbon || may_send_carbon(message->outer_from, receiver);
}

}  // namespace

class loopback_hub::impl {
 public:
  class hub_transport;
  class hub_factory;
  using link_ptr = std::shared_ptr<loopback_link>;

  void open(const link_settings& settings, const link_ptr& link);
  bool send(const link_ptr& link, stanza outgoing);
  void close(const link_ptr& link);

  void set_fault(std::function<fate(const stanza&)> fault);
  void set_tap(std::function<void(const message_stanza&)> tap);
  void cut(const jid& account);
  void set_down(bool down);
  void inject(const jid& account, const stanza& forged);

 private:
  /// Locks the hub; after the work the server's output has its queues, and is
  /// handed over once the lock is gone.
  template <class Work>
  void change(Work work);
  void queue_output(std::vector<link_ptr>& touched);
  void log_in(const link_settings& settings, const link_ptr& link);
  void end(const link_ptr& link, link_change last);
  fate judge(const stanza& outgoing);

  std::mutex mutex_;
  loopback_server server_;
  std::map<loopback_server::link_id, link_ptr> links_;  ///< those online
  bool down_ = false;
  std::shared_ptr<const std::function<fate(const stanza&)>> fault_;
  std::shared_ptr<const std::function<void(const message_stanza&)>> tap_;
};

template <class Work>
void loopback_hub::impl::change(Work work) {
  std::vector<link_ptr> touched;
  {
    const std::lock_guard lock{mutex_};
    work(touched);
    queue_output(touched);
  }
  for (const link_ptr& link : touched) link->drain();
}

void loopback_hub::impl::queue_output(std::vector<link_ptr>& touched) {
  for (auto& delivery : server_.take_output()) {
    const auto found = links_.find(delivery.link);
    if (found == links_.end()) continue;
    found->second->queue(std::move(delivery.what));
    touched.push_back(found->second);
  }
}

void loopback_hub::impl::open(const link_settings& settings,
                              const link_ptr& link) {
  change([&](std::vector<link_ptr>& touched) {
    if (link->hub_side.at != loopback_link::stage::fresh) return;
    touched.push_back(link);
    link->queue(phase_change(link_phase::resolving));
    link->queue(phase_change(link_phase::connecting));
    if (!down_) return log_in(settings, link);
    end(link,
        failure({errc::unavailable, "The server of " + settings.account.str() +
                                        " cannot be reached. Try again later."},
                true));
  });
}

void loopback_hub::impl::log_in(const link_settings& settings,
                                const link_ptr& link) {
  link->queue(phase_change(link_phase::securing));
  link->queue(phase_change(link_phase::authenticating));
  auto made =
      server_.connect(settings.account, settings.resource, settings.password);
  if (!made) return end(link, failure(made.failure(), false));
  link->hub_side = {loopback_link::stage::online, made->link};
  links_[made->link] = link;
  link_change online = phase_change(link_phase::online);
  online.bound = made->bound;
  online.mechanism = "SCRAM-SHA-256";
  link->queue(std::move(online));
}

/// Reports the final phase; a link that was online leaves the server.
void loopback_hub::impl::end(const link_ptr& link, link_change last) {
  if (link->hub_side.at == loopback_link::stage::online) {
    links_.erase(link->hub_side.number);
    server_.disconnect(link->hub_side.number);
  }
  link->hub_side = {loopback_link::stage::ended, 0};
  link->queue(std::move(last));
}

loopback_hub::fate loopback_hub::impl::judge(const stanza& outgoing) {
  std::unique_lock lock{mutex_};
  const auto fault = fault_;
  const auto tap = tap_;
  lock.unlock();
  const fate verdict = fault ? (*fault)(outgoing) : fate::deliver;
  const auto* message = std::get_if<message_stanza>(&outgoing);
  if (tap && message != nullptr && message->body && verdict != fate::drop)
    (*tap)(*message);
  return verdict;
}

bool loopback_hub::impl::send(const link_ptr& link, stanza outgoing) {
  const auto is_online = [&link] {
    return link->hub_side.at == loopback_link::stage::online;
  };
  {
    const std::lock_guard lock{mutex_};
    if (!is_online()) return false;
  }
  std::visit([](auto& what) { filter(what); }, outgoing);
  const fate verdict = judge(outgoing);
  if (verdict == fate::drop) return true;
  bool sent = false;
  change([&](std::vector<link_ptr>&) {
    sent = is_online();
    if (!sent) return;
    const auto number = link->hub_side.number;
    if (verdict == fate::duplicate) server_.handle(number, outgoing);
    server_.handle(number, std::move(outgoing));
  });
  return sent;
}

void loopback_hub::impl::close(const link_ptr& link) {
  change([&](std::vector<link_ptr>& touched) {
    if (link->hub_side.at == loopback_link::stage::ended) return;
    end(link, phase_change(link_phase::offline));
    touched.push_back(link);
  });
}

void loopback_hub::impl::set_fault(std::function<fate(const stanza&)> fault) {
  const std::lock_guard lock{mutex_};
  fault_ = fault ? std::make_shared<const std::function<fate(const stanza&)>>(
                       std::move(fault))
                 : nullptr;
}

void loopback_hub::impl::set_tap(
    std::function<void(const message_stanza&)> tap) {
  const std::lock_guard lock{mutex_};
  tap_ =
      tap ? std::make_shared<const std::function<void(const message_stanza&)>>(
                std::move(tap))
          : nullptr;
}

void loopback_hub::impl::cut(const jid& account) {
  change([&](std::vector<link_ptr>& touched) {
    for (const auto& connection : server_.connections(account)) {
      const link_ptr link = links_.at(connection.link);
      end(link,
          failure({errc::io, "The connection of " + connection.bound.str() +
                                 " was lost. It will be tried again."},
                  true));
      touched.push_back(link);
    }
  });
}

void loopback_hub::impl::set_down(bool down) {
  const std::lock_guard lock{mutex_};
  down_ = down;
}

void loopback_hub::impl::inject(const jid& account, const stanza& forged) {
  change([&](std::vector<link_ptr>& touched) {
    for (const auto& connection : server_.connections(account)) {
      if (!may_pass(forged, connection.bound)) continue;
      const auto& link = links_.at(connection.link);
      link->queue(forged);
      touched.push_back(link);
    }
  });
}

class loopback_hub::impl::hub_transport final : public transport {
 public:
  hub_transport(std::shared_ptr<impl> hub, link_settings settings,
                std::shared_ptr<transport_listener> listener)
      : hub_(std::move(hub)),
        settings_(std::move(settings)),
        link_(std::make_shared<loopback_link>(std::move(listener))) {}

  ~hub_transport() override {
    // Detached first: nobody is told about this end.
    link_->detach();
    hub_->close(link_);
  }
  hub_transport(const hub_transport&) = delete;
  hub_transport& operator=(const hub_transport&) = delete;

  void open() override { hub_->open(settings_, link_); }
  bool send(const stanza& outgoing) override {
    return hub_->send(link_, outgoing);
  }
  void close() override { hub_->close(link_); }

 private:
  std::shared_ptr<impl> hub_;
  link_settings settings_;
  link_ptr link_;
};

class loopback_hub::impl::hub_factory final : public transport_factory {
 public:
  explicit hub_factory(std::shared_ptr<impl> hub) : hub_(std::move(hub)) {}

  std::unique_ptr<transport> make(
      link_settings settings,
      std::shared_ptr<transport_listener> listener) override {
    return std::make_unique<hub_transport>(hub_, std::move(settings),
                                           std::move(listener));
  }

 private:
  std::shared_ptr<impl> hub_;
};

loopback_hub::loopback_hub() : impl_(std::make_shared<impl>()) {}
loopback_hub::~loopback_hub() = default;

std::shared_ptr<transport_factory> loopback_hub::factory() {
  return std::make_shared<impl::hub_factory>(impl_);
}

void loopback_hub::set_fault(std::function<fate(const stanza&)> fault) {
  impl_->set_fault(std::move(fault));
}

void loopback_hub::set_tap(std::function<void(const message_stanza&)> tap) {
  impl_->set_tap(std::move(tap));
}

void loopback_hub::cut(const jid& account) { impl_->cut(account); }

void loopback_hub::set_down(bool down) { impl_->set_down(down); }

void loopback_hub::inject(const jid& account, const stanza& forged) {
  impl_->inject(account, forged);
}

}  // namespace sotto
