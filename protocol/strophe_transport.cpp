#include "protocol/strophe_transport.hpp"

#include <mutex>
#include <system_error>
#include <thread>
#include <utility>

#include "protocol/link_mailbox.hpp"
#include "protocol/link_session.hpp"
#include "protocol/link_watchdog.hpp"
#include "protocol/resolver.hpp"
#include "protocol/stanza_codec.hpp"
#include "protocol/strophe_library.hpp"

namespace sotto {
namespace {

link_change failure(error reason, bool retry) {
  link_change change;
  change.phase = link_phase::failed;
  change.reason = std::move(reason);
  change.retry = retry;
  return change;
}

class strophe_transport final : public transport {
 public:
  strophe_transport(link_settings settings,
                    std::shared_ptr<transport_listener> listener,
                    std::shared_ptr<link_watchdog> watchdog,
                    std::string nameservers)
      : settings_(std::move(settings)),
        listener_(std::move(listener)),
        watchdog_(std::move(watchdog)),
        nameservers_(std::move(nameservers)),
        lifeline_(std::make_shared<link_lifeline>()) {}

  ~strophe_transport() override {
    mailbox_.request_stop();
    lifeline_->cut();
  }

  void open() override {
    const std::lock_guard lock(opening_);
    if (opened_) return;
    opened_ = true;
    try {
      thread_ = std::jthread([this] { run(); });
    } catch (const std::system_error&) {
      // The one report from inside `open`: there is no thread to make it.
      listener_->on_link(failure(
          {errc::unavailable,
           "The link of " + settings_.account.str() +
               " could not be started, as this process has too many threads; "
               "close some accounts"},
          true));
    }
  }

  bool send(const stanza& outgoing) override {
    return mailbox_.accepts() && mailbox_.put(encode(outgoing));
  }

  void close() override {
    mailbox_.request_close();
    // Whatever blocks the thread before the link stands is cut; the thread
    // itself ends a link that does.
    if (!mailbox_.online()) lifeline_->cut();
  }

 private:
  void run() {
    const auto ready = init_network();
    if (!ready) {
      return listener_->on_link(failure(ready.failure(), false));
    }
    link_session session(settings_, listener_, mailbox_, lifeline_, *watchdog_,
                         resolver(nameservers_));
    session.run();
  }

  const link_settings settings_;
  const std::shared_ptr<transport_listener> listener_;
  const std::shared_ptr<link_watchdog> watchdog_;
  const std::string nameservers_;
  const std::shared_ptr<link_lifeline> lifeline_;
  link_mailbox mailbox_;
  std::mutex opening_;
  bool opened_ = false;
  std::jthread thread_;  // last: it uses the others
};

class factory final : public transport_factory {
 public:
  explicit factory(std::string nameservers)
      : nameservers_(std::move(nameservers)),
        watchdog_(std::make_shared<link_watchdog>()) {}

  std::unique_ptr<transport> make(
      link_settings settings,
      std::shared_ptr<transport_listener> listener) override {
    return std::make_unique<strophe_transport>(
        std::move(settings), std::move(listener), watchdog_, nameservers_);
  }

 private:
  std::string nameservers_;
  std::shared_ptr<link_watchdog> watchdog_;
};

}  // namespace

std::shared_ptr<transport_factory> strophe_transport_factory(
    std::string nameservers) {
  return std::make_shared<factory>(std::move(nameservers));
}

}  // namespace sotto
