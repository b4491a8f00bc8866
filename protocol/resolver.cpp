#include "protocol/resolver.hpp"

#include <algorithm>
#include <array>
#include <list>
#include <random>
#include <utility>

#include "protocol/dns_query.hpp"
#include "protocol/server_name.hpp"

namespace sotto {
namespace {

using clock = std::chrono::steady_clock;

constexpr std::uint16_t default_port = 5222;
// However many records a domain has, this many connections are tried.
constexpr std::size_t most_addresses = 32;

struct place {
  std::string host;
  std::uint16_t port = default_port;
  bool direct_tls = false;
};

error not_found(const std::string& host) {
  return error{errc::not_found,
               "There is no address for the server " + host +
                   "; check the spelling of the account, or give its host"};
}

error no_answer(const std::string& host) {
  return error{errc::timeout, "No name server answered in time about " + host +
                                  "; check the network and try again"};
}

error cancelled() {
  return error{errc::unavailable,
               "The look-up of the server's address was called off"};
}

error unusable() {
  return error{errc::unavailable,
               "The DNS library could not be set up; check /etc/resolv.conf"};
}

std::string literal_of(const std::string& host) {
  if (address_bytes(host).empty()) return {};
  return host.front() == '[' ? host.substr(1, host.size() - 2) : host;
}

// RFC 6761 section 6.3: no name server knows anything about these.
bool is_localhost(const std::string& domain) {
  return domain == "localhost" || domain.ends_with(".localhost");
}

std::uint32_t random_up_to(std::uint32_t most) {
  static thread_local std::mt19937 engine{std::random_device{}()};
  return std::uniform_int_distribution<std::uint32_t>(0, most)(engine);
}

// The one of `records`, all of one priority, that RFC 2782 takes next.
std::size_t pick(const std::vector<srv_record>& records,
                 const std::function<std::uint32_t(std::uint32_t)>& random) {
  std::uint32_t total = 0;
  for (const srv_record& record : records) total += record.weight;
  const std::uint32_t mark = random(total);
  std::uint32_t sum = 0;
  for (std::size_t i = 0; i < records.size(); ++i) {
    sum += records[i].weight;
    if (sum >= mark) return i;
  }
  return 0;
}

result<std::vector<place>> srv_places(const std::string& domain,
                                      const std::string& nameservers,
                                      clock::time_point deadline,
                                      int cancel_fd) {
  dns_query::srv_answer plain;
  dns_query::srv_answer direct;
  direct.direct_tls = true;
  dns_query query(nameservers);
  if (!query.usable()) return unusable();
  query.ask_srv("_xmpp-client._tcp." + domain, plain);
  query.ask_srv("_xmpps-client._tcp." + domain, direct);
  if (query.wait(deadline, cancel_fd) == dns_query::outcome::cancelled) {
    return cancelled();
  }
  std::vector<srv_record> records = std::move(plain.records);
  std::ranges::move(direct.records, std::back_inserter(records));
  const bool any = !records.empty();
  std::erase_if(records, [](const auto& r) { return r.target.empty(); });
  if (any && records.empty()) {
    return error{errc::refused, "The domain " + domain +
                                    " says that it has no XMPP service; "
                                    "check the spelling of the account"};
  }
  std::vector<place> places;
  for (srv_record& record : in_srv_order(std::move(records), random_up_to)) {
    places.push_back(
        {std::move(record.target), record.port, record.direct_tls});
  }
  return places;
}

// All addresses of all places, in order.
result<std::vector<server_address>> addresses_of(
    const std::vector<place>& places, const std::string& nameservers,
    clock::time_point deadline, int cancel_fd) {
  std::list<dns_query::address_answer> answers;
  dns_query query(nameservers);
  if (!query.usable()) return unusable();
  for (const place& target : places) {
    auto& answer = answers.emplace_back();
    const std::string literal = literal_of(target.host);
    if (literal.empty()) {
      query.ask_addresses(target.host, answer);
    } else {
      answer.addresses.push_back(literal);
    }
  }
  const auto outcome = query.wait(deadline, cancel_fd);
  if (outcome == dns_query::outcome::cancelled) return cancelled();
  std::vector<server_address> found;
  auto answer = answers.begin();
  for (const place& target : places) {
    for (std::string& ip : (answer++)->addresses) {
      if (found.size() == most_addresses) break;
      found.push_back({std::move(ip), target.port, target.direct_tls});
    }
  }
  if (!found.empty()) return found;
  return outcome == dns_query::outcome::timed_out
             ? no_answer(places.front().host)
             : not_found(places.front().host);
}

}  // namespace

std::vector<srv_record> in_srv_order(
    std::vector<srv_record> records,
    const std::function<std::uint32_t(std::uint32_t)>& random) {
  // Weight 0 first within a priority, as RFC 2782 has it.
  std::ranges::stable_sort(records, {}, [](const srv_record& record) {
    return std::pair(record.priority, record.weight != 0);
  });
  std::vector<srv_record> ordered;
  while (!records.empty()) {
    const auto end = std::ranges::find_if(records, [&](const auto& record) {
      return record.priority != records.front().priority;
    });
    std::vector<srv_record> equals(records.begin(), end);
    records.erase(records.begin(), end);
    while (!equals.empty()) {
      const std::size_t next = pick(equals, random);
      ordered.push_back(std::move(equals[next]));
      equals.erase(equals.begin() + static_cast<std::ptrdiff_t>(next));
    }
  }
  return ordered;
}

resolver::resolver(std::string nameservers)
    : nameservers_(std::move(nameservers)) {}

result<std::vector<server_address>> resolver::resolve(
    const resolve_request& request, clock::time_point deadline,
    int cancel_fd) const {
  const std::string& named =
      request.host.empty() ? request.domain : request.host;
  const auto ascii =
      literal_of(named).empty() ? ascii_domain(named) : std::string(named);
  if (!ascii) {
    return error{errc::invalid_argument,
                 "The server name " + named +
                     " cannot stand in the domain name system; correct it"};
  }
  place only{*ascii, request.port == 0 ? default_port : request.port,
             !request.host.empty() && request.direct_tls};
  std::vector<place> places;
  if (request.host.empty() && request.port == 0 && literal_of(*ascii).empty() &&
      !is_localhost(*ascii)) {
    const auto half = clock::now() + (deadline - clock::now()) / 2;
    auto found = srv_places(*ascii, nameservers_, half, cancel_fd);
    if (!found) return found.failure();
    places = std::move(*found);
  }
  if (places.empty()) places.push_back(std::move(only));
  return addresses_of(places, nameservers_, deadline, cancel_fd);
}

}  // namespace sotto
