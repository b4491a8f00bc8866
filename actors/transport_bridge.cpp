#include "actors/transport_bridge.hpp"

namespace sotto {

namespace {

class transport_bridge : public transport_listener {
 public:
  transport_bridge(account_handle account, std::uint64_t attempt)
      : account_(std::move(account)), attempt_(attempt) {}

  void on_link(const link_change& change) override {
    caf::anon_send(account_, link_moved{attempt_, change});
  }

  void on_stanza(stanza incoming) override {
    caf::anon_send(account_, stanza_arrived{attempt_, std::move(incoming)});
  }

 private:
  account_handle account_;
  std::uint64_t attempt_;
};

}  // namespace

std::shared_ptr<transport_listener> make_bridge(account_handle account,
                                                std::uint64_t attempt) {
  return std::make_shared<transport_bridge>(std::move(account), attempt);
}

}  // namespace sotto
