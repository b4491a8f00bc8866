#include "tests/support/dns_server.hpp"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <cerrno>
#include <stdexcept>
#include <utility>

namespace sotto::test {
namespace {

constexpr int slice_milliseconds = 10;
constexpr int type_a = 1;
constexpr int type_srv = 33;
constexpr std::size_t header_size = 12;

void put16(std::string& out, int value) {
  out += static_cast<char>((value >> 8) & 0xFF);
  out += static_cast<char>(value & 0xFF);
}

std::string wire_name(const std::string& name) {
  std::string out;
  std::size_t begin = 0;
  while (begin < name.size()) {
    const std::size_t dot = std::min(name.find('.', begin), name.size());
    out += static_cast<char>(dot - begin);
    out += name.substr(begin, dot - begin);
    begin = dot + 1;
  }
  out += '\0';
  return out;
}

// The question, and where it ends.
std::optional<std::pair<dns_question, std::size_t>> parse(
    const std::string& query) {
  dns_question asked;
  std::size_t at = header_size;
  while (at < query.size() && query[at] != '\0') {
    const auto size = static_cast<unsigned char>(query[at]);
    if (at + 1 + size > query.size()) return std::nullopt;
    if (!asked.name.empty()) asked.name += '.';
    for (const char c : query.substr(at + 1, size)) {
      asked.name += static_cast<char>(std::tolower(c));
    }
    at += 1U + size;
  }
  if (at + 5 > query.size()) return std::nullopt;
  asked.type = static_cast<unsigned char>(query[at + 1]) * 256 +
               static_cast<unsigned char>(query[at + 2]);
  return std::pair(std::move(asked), at + 5);
}

std::string record(int type, const std::string& data) {
  std::string out("\xC0\x0C", 2);  // the name that was asked
  put16(out, type);
  put16(out, 1);  // IN
  put16(out, 0);
  put16(out, 1);  // a second to live
  put16(out, static_cast<int>(data.size()));
  return out + data;
}

std::string reply(const std::string& query, std::size_t question_end,
                  const dns_question& asked, const dns_answer& told) {
  std::string records;
  int count = 0;
  for (const auto& service : told.services) {
    if (asked.type != type_srv) continue;
    std::string data;
    put16(data, service.priority);
    put16(data, service.weight);
    put16(data, service.port);
    records += record(type_srv, data + wire_name(service.target));
    ++count;
  }
  for (const auto& address : told.addresses) {
    if (asked.type != type_a) continue;
    in_addr bytes{};
    inet_pton(AF_INET, address.c_str(), &bytes);
    records += record(
        type_a, std::string(reinterpret_cast<char*>(&bytes), sizeof bytes));
    ++count;
  }
  std::string out = query.substr(0, 2);
  put16(out, told.no_such_name ? 0x8583 : 0x8580);
  put16(out, 1);
  put16(out, count);
  put16(out, 0);
  put16(out, 0);
  return out + query.substr(header_size, question_end - header_size) + records;
}

std::uint16_t bind_to_loopback(int fd) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  if (bind(fd, reinterpret_cast<sockaddr*>(&address), size) != 0 ||
      getsockname(fd, reinterpret_cast<sockaddr*>(&address), &size) != 0) {
    throw std::runtime_error("no port on 127.0.0.1");
  }
  return ntohs(address.sin_port);
}

}  // namespace

dns_server::dns_server(oracle answers)
    : answers_(std::move(answers)),
      socket_(socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0)),
      address_("127.0.0.1:" + std::to_string(bind_to_loopback(socket_.get()))),
      thread_([this](const std::stop_token& stop) { serve(stop); }) {}

void dns_server::serve(const std::stop_token& stop) const {
  while (!stop.stop_requested()) {
    pollfd watched{socket_.get(), POLLIN, 0};
    if (poll(&watched, 1, slice_milliseconds) <= 0) continue;
    std::array<char, 1'500> bytes{};
    sockaddr_in from{};
    socklen_t size = sizeof from;
    const auto got = recvfrom(socket_.get(), bytes.data(), bytes.size(), 0,
                              reinterpret_cast<sockaddr*>(&from), &size);
    if (got <= static_cast<ssize_t>(header_size)) continue;
    const std::string query(bytes.data(), static_cast<std::size_t>(got));
    const auto asked = parse(query);
    if (!asked) continue;
    const auto told = answers_(asked->first);
    if (!told) continue;
    const std::string out = reply(query, asked->second, asked->first, *told);
    sendto(socket_.get(), out.data(), out.size(), 0,
           reinterpret_cast<sockaddr*>(&from), size);
  }
}

full_listener::full_listener()
    : listener_(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
  port_ = bind_to_loopback(listener_.get());
  listen(listener_.get(), 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  address.sin_port = htons(port_);
  for (int i = 0; i < 4; ++i) {
    fillers_.emplace_back(
        socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
    // Those that fit do so at once; the others hang, as the test's own will.
    const int state =
        connect(fillers_.back().get(), reinterpret_cast<sockaddr*>(&address),
                sizeof address);
    if (state != 0 && errno != EINPROGRESS) {
      throw std::runtime_error("the full listener could not be filled");
    }
  }
}

}  // namespace sotto::test
