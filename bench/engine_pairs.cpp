#include "bench/engine_pairs.hpp"

#include <charconv>
#include <cstdio>
#include <vector>

namespace sotto::bench {

namespace {

/// So long without any news, nothing more will come.
constexpr std::chrono::seconds patience{30};

constexpr std::string_view left_prefix = "left";
constexpr std::string_view right_prefix = "right";

std::string account_of(bool at_left, std::size_t pair) {
  return std::string{at_left ? left_prefix : right_prefix} +
         std::to_string(pair) + "@bench.example";
}

/// The pair that an account belongs to.
std::size_t pair_of(bool at_left, std::string_view account) {
  account.remove_prefix(
      std::min(account.size(), (at_left ? left_prefix : right_prefix).size()));
  std::size_t pair = 0;
  std::from_chars(account.data(), account.data() + account.size(), pair);
  return pair;
}

/// One `operator()` an event that scenarios look at.
class translator {
 public:
  explicit translator(bool at_left) : at_left_(at_left) {}

  std::optional<happening> operator()(const command_finished& what) const {
    if (what.failure)
      return make(happening::kind::refused, {}, what.failure->message);
    return make(happening::kind::finished, {});
  }
  std::optional<happening> operator()(const link_changed& what) const {
    if (what.phase == link_phase::online)
      return make(happening::kind::online, what.account);
    if (what.phase == link_phase::failed || what.phase == link_phase::waiting)
      return make(happening::kind::failed, what.account, what.error);
    return std::nullopt;
  }
  std::optional<happening> operator()(const request_changed& what) const {
    if (!what.fresh) return std::nullopt;
    return make(happening::kind::asked, what.request.account);
  }
  std::optional<happening> operator()(const contact_changed& what) const {
    const auto& row = what.contact;
    const bool seen = row.subscribed == subscription::both ||
                      (at_left_ ? row.subscribed == subscription::to &&
                                      row.presence != "unavailable"
                                : row.subscribed == subscription::from);
    if (!seen) return std::nullopt;
    return make(happening::kind::subscribed, row.account);
  }
  std::optional<happening> operator()(const conversation_changed& what) const {
    const auto state = what.conversation.state;
    const bool secured =
        state == otr_state::unverified || state == otr_state::verified;
    if (!what.otr_changed || !secured) return std::nullopt;
    return make(happening::kind::secured, what.conversation.account);
  }
  std::optional<happening> operator()(const message_changed& what) const {
    const auto& message = what.message;
    if (message.outgoing) {
      if (message.state != message_state::failed) return std::nullopt;
      return make(happening::kind::failed, what.account, message.note);
    }
    auto news = make(happening::kind::received, what.account, message.text);
    news.in_private = message.security != message_security::plaintext;
    return news;
  }
  std::optional<happening> operator()(const conversation_lost& what) const {
    return make(happening::kind::failed, what.account,
                "a conversation was started again");
  }
  std::optional<happening> operator()(const engine_failed& what) const {
    return make(happening::kind::failed, what.account, what.reason);
  }
  template <class Other>
  std::optional<happening> operator()(const Other&) const {
    return std::nullopt;
  }

 private:
  happening make(happening::kind what, std::string_view account,
                 std::string text = {}) const {
    return {what, at_left_, false, pair_of(at_left_, account), std::move(text)};
  }

  bool at_left_;
};

bool is_bad(const happening& news) {
  return news.what == happening::kind::refused ||
         news.what == happening::kind::failed;
}

/// During a measurement: what failed is seen in the figures, why only here.
void complain(const happening& news) {
  if (is_bad(news))
    std::fprintf(stderr, "sotto-bench: pair %zu: %s\n", news.pair,
                 news.text.c_str());
}

}  // namespace

// -- inbox -------------------------------------------------------------------

void inbox::put(happening news) {
  {
    const std::lock_guard lock{mutex_};
    waiting_.push_back(std::move(news));
  }
  changed_.notify_one();
}

std::optional<happening> inbox::take(std::chrono::seconds longest) {
  std::unique_lock lock{mutex_};
  if (!changed_.wait_for(lock, longest, [&] { return !waiting_.empty(); }))
    return std::nullopt;
  auto news = std::move(waiting_.front());
  waiting_.pop_front();
  return news;
}

// -- set-up ------------------------------------------------------------------

engine_pairs::engine_pairs(const bench_settings& settings,
                           temporary_folder left, temporary_folder right)
    : settings_(settings),
      left_folder_(std::move(left)),
      right_folder_(std::move(right)) {
  hub_.set_tap([this](const message_stanza&) { ++lines_; });
}

engine_pairs::~engine_pairs() { stop(); }

void engine_pairs::stop() {
  for (auto* each : {&left_, &right_})
    if (*each) (*each)->stop();
}

result<std::unique_ptr<engine_pairs>> engine_pairs::open(
    const bench_settings& settings) {
  auto left = temporary_folder::make();
  if (!left) return left.failure();
  auto right = temporary_folder::make();
  if (!right) return right.failure();
  std::unique_ptr<engine_pairs> made(
      new engine_pairs(settings, *std::move(left), *std::move(right)));
  if (auto opened = made->open_engines(); !opened) return opened.failure();
  const double begin = now_seconds();
  const auto before = static_cast<double>(resident_bytes());
  if (auto ready = made->set_up(); !ready) return ready.failure();
  made->setup_seconds_ = now_seconds() - begin;
  made->resident_bytes_per_account_ =
      (static_cast<double>(resident_bytes()) - before) /
      static_cast<double>(2 * settings.pairs);
  return made;
}

std::function<void(const event&)> engine_pairs::listener(bool at_left) {
  return [this, at_left](const event& what) {
    if (auto news = std::visit(translator{at_left}, what))
      inbox_.put(*std::move(news));
  };
}

result<void> engine_pairs::open_engines() {
  for (const bool at_left : {true, false}) {
    engine_options options;
    options.folder = (at_left ? left_folder_ : right_folder_).path() / "data";
    options.transports = hub_.factory();
    options.on_event = listener(at_left);
    options.threads = settings_.threads;
    auto opened = engine::open(std::move(options));
    if (!opened) return opened.failure();
    (at_left ? left_ : right_) = *std::move(opened);
  }
  return {};
}

void engine_pairs::submit(bool at_left, command order) {
  ++submitted_;
  (at_left ? *left_ : *right_).submit(std::move(order));
}

result<void> engine_pairs::step() {
  const auto news = inbox_.take(patience);
  if (!news)
    return error{errc::timeout,
                 "The accounts could not be set up: nothing has happened for "
                 "30 seconds. Try fewer --pairs."};
  if (is_bad(*news))
    return error{errc::unavailable,
                 "The accounts could not be set up: " + news->text};
  if (news->what == happening::kind::finished) ++finished_;
  if (news->what == happening::kind::asked)
    submit(news->at_left, answer_request{account_of(news->at_left, news->pair),
                                         account_of(!news->at_left, news->pair),
                                         request_answer::authorize});
  seen_.emplace(news->what, 2 * news->pair + (news->at_left ? 1 : 0));
  return {};
}

result<void> engine_pairs::await_finished() {
  while (finished_ < submitted_)
    if (auto done = step(); !done) return done;
  return {};
}

result<void> engine_pairs::await(happening::kind what, std::size_t wanted) {
  const auto has_come = [&] {
    const auto first = seen_.lower_bound({what, 0});
    const auto last = seen_.upper_bound({what, SIZE_MAX});
    return static_cast<std::size_t>(std::distance(first, last)) >= wanted;
  };
  // Counting all is dear: only as often as there may be enough.
  while (seen_.size() < wanted || !has_come())
    if (auto done = step(); !done) return done;
  return {};
}

result<void> engine_pairs::add_accounts() {
  const auto password = std::make_shared<const secret>(secret::random(16));
  for (std::size_t i = 0; i < settings_.pairs; ++i) {
    for (const bool at_left : {true, false}) {
      add_account order;
      order.account = account_of(at_left, i);
      order.password = password;
      submit(at_left, order);
    }
  }
  if (auto done = await_finished(); !done) return done;
  for (std::size_t i = 0; i < settings_.pairs; ++i)
    for (const bool at_left : {true, false})
      submit(at_left, generate_key{account_of(at_left, i)});
  return await_finished();
}

result<void> engine_pairs::make_contacts() {
  for (std::size_t i = 0; i < settings_.pairs; ++i)
    submit(true,
           add_contact{account_of(true, i), account_of(false, i), "Bench", {}});
  return await(happening::kind::subscribed, 2 * settings_.pairs);
}

result<void> engine_pairs::set_up() {
  if (auto done = add_accounts(); !done) return done;
  for (std::size_t i = 0; i < settings_.pairs; ++i)
    for (const bool at_left : {true, false})
      submit(at_left, connect_account{account_of(at_left, i)});
  if (auto done = await(happening::kind::online, 2 * settings_.pairs); !done)
    return done;
  if (auto done = make_contacts(); !done) return done;
  return await_finished();
}

// -- measurements ------------------------------------------------------------

figures engine_pairs::handshakes() {
  figures measured;
  measured.wanted = settings_.pairs;
  std::vector<double> started(settings_.pairs, 0);
  std::vector<std::array<bool, 2>> secured(settings_.pairs, {false, false});
  std::size_t begun = 0;
  const auto start_next = [&] {
    if (begun == settings_.pairs) return;
    started[begun] = now_seconds();
    submit(true, control_otr{account_of(true, begun), account_of(false, begun),
                             otr_action::start});
    ++begun;
  };

  const auto resident = static_cast<double>(resident_bytes());
  lines_ = 0;
  const double cpu = cpu_seconds();
  const double begin = now_seconds();
  while (begun < std::min(settings_.pairs, settings_.in_flight)) start_next();
  while (measured.done < measured.wanted) {
    const auto news = inbox_.take(patience);
    if (!news) break;
    complain(*news);
    if (news->what != happening::kind::secured) continue;
    auto& sides = secured[news->pair];
    const bool was_done = sides[0] && sides[1];
    sides[news->at_left ? 0 : 1] = true;
    if (was_done || !sides[0] || !sides[1]) continue;
    measured.latencies.push_back(now_seconds() - started[news->pair]);
    ++measured.done;
    start_next();
  }
  measured.seconds = now_seconds() - begin;
  measured.cpu_seconds = cpu_seconds() - cpu;
  measured.lines = lines_;
  measured.lost = measured.wanted - measured.done;
  measured.resident_bytes_per_session =
      (static_cast<double>(resident_bytes()) - resident) /
      static_cast<double>(2 * settings_.pairs);
  return measured;
}

void engine_pairs::send(ledger& book, std::size_t pair, std::size_t number) {
  const bool from_left = book.is_from_left(number);
  auto text = book.text_of(pair, number);
  book.sent(pair, number);
  submit(from_left, send_text{account_of(from_left, pair),
                              account_of(!from_left, pair), std::move(text)});
}

figures engine_pairs::exchange(traffic kind) {
  ledger book{settings_, kind};
  figures measured;
  const auto all = settings_.pairs * settings_.messages;
  std::size_t begun = 0;  // one way: messages, by turns: pairs
  const auto begin_next = [&] {
    if (kind == traffic::turns && begun < settings_.pairs)
      send(book, begun++, 0);
    if (kind == traffic::one_way && begun < all) {
      send(book, begun % settings_.pairs, begun / settings_.pairs);
      ++begun;
    }
  };
  const auto go_on = [&](std::size_t pair) {
    const auto number = book.received_of(pair);
    if (kind == traffic::turns && number < settings_.messages)
      send(book, pair, number);
    else
      begin_next();
  };
  const auto note = [&](const happening& news) {
    complain(news);
    return news.what == happening::kind::received &&
           book.received(news.pair, news.at_left, news.text, news.in_private);
  };

  lines_ = 0;
  const double cpu = cpu_seconds();
  const double begin = now_seconds();
  for (std::size_t i = 0; i < settings_.in_flight; ++i) begin_next();
  while (book.received_all() < all) {
    const auto news = inbox_.take(patience);
    if (!news) break;
    if (note(*news)) go_on(news->pair);
  }
  measured.seconds = now_seconds() - begin;
  measured.cpu_seconds = cpu_seconds() - cpu;
  measured.lines = lines_;
  // What comes twice may come late: at the latest while all is brought to an
  // end.
  stop();
  while (const auto news = inbox_.take(std::chrono::seconds{0})) note(*news);
  book.close(measured);
  return measured;
}

}  // namespace sotto::bench
