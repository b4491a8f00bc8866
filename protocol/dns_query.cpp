#include "protocol/dns_query.hpp"

#include <ares.h>
#include <arpa/inet.h>
#include <arpa/nameser.h>
#include <poll.h>

#include <algorithm>
#include <array>
#include <utility>

namespace sotto {
namespace {

// A try is repeated until the caller's deadline; these bound each single one.
constexpr int try_milliseconds = 2'000;
constexpr int tries = 4;
// R5: what one answer may hold.
constexpr std::size_t most_records = 16;

std::string without_dot(std::string name) {
  if (!name.empty() && name.back() == '.') name.pop_back();
  return name;
}

void on_srv(void* target, int status, int /*timeouts*/, unsigned char* data,
            int size) noexcept {
  auto* const answer = static_cast<dns_query::srv_answer*>(target);
  if (status == ARES_EDESTRUCTION || status == ARES_ECANCELLED) return;
  answer->done = true;
  ares_srv_reply* list = nullptr;
  if (status != ARES_SUCCESS ||
      ares_parse_srv_reply(data, size, &list) != ARES_SUCCESS) {
    return;
  }
  for (const ares_srv_reply* record = list;
       record != nullptr && answer->records.size() < most_records;
       record = record->next) {
    answer->records.push_back({without_dot(record->host), record->port,
                               record->priority, record->weight,
                               answer->direct_tls});
  }
  ares_free_data(list);
}

std::string literal(const ares_addrinfo_node& node) {
  std::array<char, INET6_ADDRSTRLEN> text{};
  const void* address = nullptr;
  if (node.ai_family == AF_INET) {
    address = &reinterpret_cast<const sockaddr_in*>(node.ai_addr)->sin_addr;
  } else if (node.ai_family == AF_INET6) {
    address = &reinterpret_cast<const sockaddr_in6*>(node.ai_addr)->sin6_addr;
  }
  if (address == nullptr ||
      inet_ntop(node.ai_family, address, text.data(), text.size()) == nullptr) {
    return {};
  }
  return text.data();
}

void on_addresses(void* target, int status, int /*timeouts*/,
                  ares_addrinfo* info) noexcept {
  auto* const answer = static_cast<dns_query::address_answer*>(target);
  if (status == ARES_EDESTRUCTION || status == ARES_ECANCELLED) return;
  answer->done = true;
  answer->not_found = status == ARES_ENOTFOUND || status == ARES_ENODATA;
  if (status != ARES_SUCCESS || info == nullptr) return;
  for (const ares_addrinfo_node* node = info->nodes;
       node != nullptr && answer->addresses.size() < most_records;
       node = node->ai_next) {
    std::string address = literal(*node);
    if (!address.empty() && std::ranges::find(answer->addresses, address) ==
                                answer->addresses.end()) {
      answer->addresses.push_back(std::move(address));
    }
  }
  ares_freeaddrinfo(info);
}

int milliseconds_until(dns_query::clock::time_point when) {
  const auto left = std::chrono::ceil<std::chrono::milliseconds>(
      when - dns_query::clock::now());
  return static_cast<int>(std::clamp<std::int64_t>(left.count(), 0, 60'000));
}

}  // namespace

class dns_query::channel {
 public:
  explicit channel(const std::string& nameservers) {
    ares_options options{};
    options.timeout = try_milliseconds;
    options.tries = tries;
    usable =
        ares_init_options(&handle, &options,
                          ARES_OPT_TIMEOUTMS | ARES_OPT_TRIES) == ARES_SUCCESS;
    if (usable && !nameservers.empty()) {
      usable = ares_set_servers_ports_csv(handle, nameservers.c_str()) ==
               ARES_SUCCESS;
    }
  }
  ~channel() {
    if (handle != nullptr) ares_destroy(handle);
  }
  channel(const channel&) = delete;
  channel& operator=(const channel&) = delete;

  // The sockets that c-ares waits for, and `cancel_fd` first.
  std::vector<pollfd> watched(int cancel_fd) const {
    std::array<ares_socket_t, ARES_GETSOCK_MAXNUM> sockets{};
    const auto mask = static_cast<unsigned>(
        ares_getsock(handle, sockets.data(), static_cast<int>(sockets.size())));
    std::vector<pollfd> list{{cancel_fd, POLLIN, 0}};
    for (unsigned i = 0; i < sockets.size(); ++i) {
      const bool read = (mask & (1U << i)) != 0;
      const bool write = (mask & (1U << (i + ARES_GETSOCK_MAXNUM))) != 0;
      if (!read && !write) continue;
      const int events = (read ? POLLIN : 0) | (write ? POLLOUT : 0);
      list.push_back({sockets[i], static_cast<short>(events), 0});
    }
    return list;
  }

  int pause(clock::time_point deadline) const {
    const int left = milliseconds_until(deadline);
    timeval most{left / 1'000, left % 1'000 * 1'000L};
    timeval next{};
    const timeval* const due = ares_timeout(handle, &most, &next);
    return static_cast<int>(due->tv_sec * 1'000 + (due->tv_usec + 999) / 1'000);
  }

  // One round of waiting; false if `cancel_fd` can be read.
  bool turn(clock::time_point deadline, int cancel_fd) {
    std::vector<pollfd> list = watched(cancel_fd);
    if (poll(list.data(), list.size(), pause(deadline)) < 0) return true;
    if (list[0].revents != 0) return false;
    for (std::size_t i = 1; i < list.size(); ++i) {
      const bool read = (list[i].revents & ~POLLOUT) != 0;
      const bool write = (list[i].revents & POLLOUT) != 0;
      if (!read && !write) continue;
      ares_process_fd(handle, read ? list[i].fd : ARES_SOCKET_BAD,
                      write ? list[i].fd : ARES_SOCKET_BAD);
    }
    // Without sockets: tries that are over.
    ares_process_fd(handle, ARES_SOCKET_BAD, ARES_SOCKET_BAD);
    return true;
  }

  bool done() const {
    return std::ranges::all_of(flags, [](const bool* flag) { return *flag; });
  }

  ares_channel handle = nullptr;
  bool usable = false;
  std::vector<const bool*> flags;  // of every answer
};

dns_query::dns_query(const std::string& nameservers)
    : channel_(std::make_unique<channel>(nameservers)) {}
dns_query::~dns_query() = default;

bool dns_query::usable() const noexcept { return channel_->usable; }

void dns_query::ask_srv(const std::string& name, srv_answer& answer) {
  channel_->flags.push_back(&answer.done);
  ares_query(channel_->handle, name.c_str(), ns_c_in, ns_t_srv, on_srv,
             &answer);
}

void dns_query::ask_addresses(const std::string& name, address_answer& answer) {
  channel_->flags.push_back(&answer.done);
  ares_addrinfo_hints hints{};
  hints.ai_family = AF_UNSPEC;
  hints.ai_socktype = SOCK_STREAM;
  ares_getaddrinfo(channel_->handle, name.c_str(), nullptr, &hints,
                   on_addresses, &answer);
}

dns_query::outcome dns_query::wait(clock::time_point deadline, int cancel_fd) {
  while (!channel_->done()) {
    if (clock::now() >= deadline) return outcome::timed_out;
    if (!channel_->turn(deadline, cancel_fd)) return outcome::cancelled;
  }
  return outcome::answered;
}

}  // namespace sotto
