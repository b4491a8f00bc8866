#include "bench/bare_otr.hpp"

#include <cstdlib>

#include "bench/process.hpp"
#include "crypto/libotr.hpp"

namespace sotto::bench {

namespace {

constexpr const char* query = "?OTRv23?";

struct message_deleter {
  void operator()(char* line) const noexcept { otrl_message_free(line); }
};
struct tlv_deleter {
  void operator()(OtrlTLV* chain) const noexcept { otrl_tlv_free(chain); }
};

OtrlPolicy policy_of(void*, ConnContext*) {
  return OTRL_POLICY_ALLOW_V2 | OTRL_POLICY_ALLOW_V3;
}

int is_logged_in(void*, const char*, const char*, const char*) { return 1; }

void inject(void* side, const char*, const char*, const char*,
            const char* line) noexcept {
  static_cast<bare_side*>(side)->out.emplace_back(line);
}

void ignore_event(void*, OtrlMessageEvent, ConnContext*, const char*,
                  gcry_error_t) {}

}  // namespace

const OtrlMessageAppOps* bare_side::callbacks() {
  static const OtrlMessageAppOps table = [] {
    OtrlMessageAppOps made{};
    made.policy = policy_of;
    made.is_logged_in = is_logged_in;
    made.inject_message = inject;
    made.handle_msg_event = ignore_event;
    return made;
  }();
  return &table;
}

result<std::unique_ptr<bare_side>> bare_side::open(const otr_identity& identity,
                                                   std::string contact) {
  auto state = make_otr_user_state();
  if (auto loaded = load_private_key(state.get(), identity.private_key());
      !loaded)
    return loaded.failure();
  if (auto loaded = load_instance_tag(state.get(), identity.account(),
                                      identity.instance_tag());
      !loaded)
    return loaded.failure();
  return std::unique_ptr<bare_side>(
      new bare_side(std::move(state), identity.account(), std::move(contact)));
}

void bare_side::start() { out.emplace_back(query); }

bool bare_side::send(const std::string& text) {
  char* made = nullptr;
  const auto problem = otrl_message_sending(
      state_.get(), callbacks(), this, account_.c_str(), otr_protocol,
      contact_.c_str(), OTRL_INSTAG_BEST, text.c_str(), nullptr, &made,
      OTRL_FRAGMENT_SEND_SKIP, nullptr, nullptr, nullptr);
  const std::unique_ptr<char, message_deleter> line{made};
  if (problem != 0 || !line) return false;
  out.emplace_back(line.get());
  return true;
}

std::optional<std::string> bare_side::receive(const std::string& line) {
  char* made = nullptr;
  OtrlTLV* chain = nullptr;
  const int is_internal = otrl_message_receiving(
      state_.get(), callbacks(), this, account_.c_str(), otr_protocol,
      contact_.c_str(), line.c_str(), &made, &chain, nullptr, nullptr, nullptr);
  const std::unique_ptr<char, message_deleter> text{made};
  const std::unique_ptr<OtrlTLV, tlv_deleter> tlvs{chain};
  if (is_internal != 0 || !text) return std::nullopt;
  return std::string{text.get()};
}

bool bare_side::is_private() const {
  const auto* context = otrl_context_find(
      state_.get(), contact_.c_str(), account_.c_str(), otr_protocol,
      OTRL_INSTAG_BEST, 0, nullptr, nullptr, nullptr);
  return context != nullptr && context->msgstate == OTRL_MSGSTATE_ENCRYPTED;
}

result<bare_pairs> bare_pairs::open(std::size_t pairs) {
  // Making keys is not what is measured: two are enough.
  const auto left = otr_identity::generate("left@bench.example");
  if (!left) return left.failure();
  const auto right = otr_identity::generate("right@bench.example");
  if (!right) return right.failure();
  bare_pairs all;
  all.resident_before_ = resident_bytes();
  for (std::size_t i = 0; i < pairs; ++i) {
    auto one = bare_side::open(**left, (*right)->account());
    if (!one) return one.failure();
    auto other = bare_side::open(**right, (*left)->account());
    if (!other) return other.failure();
    all.pairs_.push_back({*std::move(one), *std::move(other)});
  }
  return all;
}

void bare_pairs::deliver_one(std::size_t number, bool to_left, ledger* book) {
  auto& [left, right] = pairs_[number];
  auto& from = to_left ? *right : *left;
  auto& to = to_left ? *left : *right;
  if (from.out.empty()) return;
  const auto line = std::move(from.out.front());
  from.out.pop_front();
  ++lines_;
  const auto text = to.receive(line);
  if (text && book != nullptr)
    book->received(number, to_left, *text, to.is_private());
}

void bare_pairs::deliver(std::size_t number, ledger* book) {
  const auto& [left, right] = pairs_[number];
  while (!left->out.empty() || !right->out.empty()) {
    deliver_one(number, false, book);
    deliver_one(number, true, book);
  }
}

figures bare_pairs::handshakes() {
  figures measured;
  measured.wanted = pairs_.size();
  lines_ = 0;
  const double cpu = cpu_seconds();
  const double begin = now_seconds();
  for (std::size_t i = 0; i < pairs_.size(); ++i) {
    const double started = now_seconds();
    pairs_[i].left->start();
    deliver(i, nullptr);
    if (!pairs_[i].left->is_private() || !pairs_[i].right->is_private())
      continue;
    measured.latencies.push_back(now_seconds() - started);
    ++measured.done;
  }
  measured.seconds = now_seconds() - begin;
  measured.cpu_seconds = cpu_seconds() - cpu;
  measured.lines = lines_;
  measured.lost = measured.wanted - measured.done;
  measured.resident_bytes_per_session =
      (static_cast<double>(resident_bytes()) -
       static_cast<double>(resident_before_)) /
      static_cast<double>(2 * pairs_.size());
  return measured;
}

figures bare_pairs::exchange(const bench_settings& settings, traffic kind) {
  ledger book{settings, kind};
  figures measured;
  lines_ = 0;
  const double cpu = cpu_seconds();
  const double begin = now_seconds();
  for (std::size_t number = 0; number < settings.messages; ++number) {
    for (std::size_t i = 0; i < pairs_.size(); ++i) {
      auto& from =
          book.is_from_left(number) ? *pairs_[i].left : *pairs_[i].right;
      const auto text = book.text_of(i, number);
      book.sent(i, number);
      if (from.send(text)) deliver(i, &book);
    }
  }
  measured.seconds = now_seconds() - begin;
  measured.cpu_seconds = cpu_seconds() - cpu;
  measured.lines = lines_;
  book.close(measured);
  return measured;
}

}  // namespace sotto::bench
