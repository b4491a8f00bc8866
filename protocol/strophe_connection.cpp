#include "protocol/strophe_connection.hpp"

#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <strophe.h>
#include <sys/select.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <string_view>
#include <utility>

#include "protocol/namespaces.hpp"
#include "protocol/server_name.hpp"

namespace sotto {
namespace {

// libstrophe hands its socket callback and its certificate handler nothing to
// know a connection by.
thread_local strophe_connection* connection_of_thread = nullptr;

// Reads of 4 KiB in one `run`.
constexpr int most_rounds = 64;

void set_option(int socket, int level, int name, int value) noexcept {
  setsockopt(socket, level, name, &value, sizeof value);
}

struct certificate_free {
  void operator()(xmpp_tlscert_t* certificate) const {
    xmpp_tlscert_free(certificate);
  }
};

}  // namespace

// Entry points for libstrophe.
struct strophe_connection::callbacks {
  static int on_socket(xmpp_conn_t*, void* socket) noexcept {
    strophe_connection* const self = connection_of_thread;
    return self != nullptr && self->prepare_socket(*static_cast<int*>(socket))
               ? 0
               : -1;
  }

  static void on_event(xmpp_conn_t*, xmpp_conn_event_t event, int,
                       xmpp_stream_error_t*, void* user) noexcept {
    auto* const self = static_cast<strophe_connection*>(user);
    ++self->events_seen_;
    if (self->closed_) return;
    switch (event) {
      case XMPP_CONN_RAW_CONNECT:
        return self->protect([self] { self->events_.on_tcp_connected(); });
      case XMPP_CONN_CONNECT:
        return self->protect([self] { self->events_.on_stream_opened(); });
      case XMPP_CONN_DISCONNECT:
      case XMPP_CONN_FAIL:
        self->closed_ = true;
        return self->protect([self] { self->events_.on_closed(); });
    }
  }

  static int on_element(xmpp_conn_t*, xmpp_stanza_t* element,
                        void* user) noexcept {
    auto* const self = static_cast<strophe_connection*>(user);
    ++self->events_seen_;
    if (!self->closed_) {
      self->protect([&] { self->events_.on_element(element); });
    }
    return 1;
  }
};

void strophe_connection::connection_release::operator()(
    _xmpp_conn_t* connection) const noexcept {
  xmpp_conn_release(connection);
}

template <class Call>
void strophe_connection::protect(Call call) noexcept {
  // After an error nothing of this connection counts any longer.
  if (broken_ || !xml_.violation().empty()) return;
  try {
    call();
  } catch (...) {
    broken_ = true;
  }
}

strophe_connection::strophe_connection(options wanted,
                                       connection_events& events,
                                       std::shared_ptr<link_lifeline> lifeline)
    : options_(std::move(wanted)),
      events_(events),
      lifeline_(std::move(lifeline)),
      tls_(options_.ca_file),
      context_(make_strophe_context()),
      connection_(context_ == nullptr ? nullptr
                                      : xmpp_conn_new(context_.get())) {
  connection_of_thread = this;
}

strophe_connection::~strophe_connection() {
  closed_ = true;
  // Otherwise libstrophe waits for the server's part of a TLS shutdown.
  lifeline_->cut();
  connection_.reset();
  lifeline_->detach();
  connection_of_thread = nullptr;
}

bool strophe_connection::prepare_socket(int socket) noexcept {
  // select() on a descriptor beyond this writes past its set.
  if (socket >= FD_SETSIZE) {
    too_many_sockets_ = true;
    return false;
  }
  fcntl(socket, F_SETFD, FD_CLOEXEC);
  set_option(socket, IPPROTO_TCP, TCP_NODELAY, 1);
  set_option(socket, SOL_SOCKET, SO_KEEPALIVE, 1);
  const auto patience = static_cast<int>(
      std::clamp<std::int64_t>(options_.tcp_patience.count(), 1'000, 300'000));
  set_option(socket, IPPROTO_TCP, TCP_USER_TIMEOUT, patience);
  set_option(socket, IPPROTO_TCP, TCP_KEEPIDLE, std::max(1, patience / 2'000));
  set_option(socket, IPPROTO_TCP, TCP_KEEPINTVL, std::max(1, patience / 8'000));
  set_option(socket, IPPROTO_TCP, TCP_KEEPCNT, 3);
  return lifeline_->attach(socket);
}

result<void> strophe_connection::connect(const server_address& where) {
  const auto domain = address_bytes(options_.domain).empty()
                          ? ascii_domain(options_.domain)
                          : std::string(options_.domain);
  if (connection_ == nullptr || !domain) {
    return error{errc::unavailable, "The connection to " + options_.domain +
                                        " could not be set up"};
  }
  xmpp_conn_t* const connection = connection_.get();
  xmpp_conn_set_flags(connection, XMPP_CONN_FLAG_DISABLE_SM);
  xmpp_conn_set_jid(connection, domain->c_str());
  if (!options_.ca_file.empty()) {
    xmpp_conn_set_cafile(connection, options_.ca_file.c_str());
  }
  xmpp_conn_set_certfail_handler(connection, tls_guard::on_chain_error);
  xmpp_conn_set_sockopt_callback(connection, callbacks::on_socket);
  xmpp_handler_add(connection, callbacks::on_element, nullptr, nullptr, nullptr,
                   this);
  if (xmpp_connect_raw(connection, where.ip.c_str(), where.port,
                       callbacks::on_event, this) == XMPP_EOK) {
    return {};
  }
  if (too_many_sockets_) {
    return error{errc::unavailable,
                 "The connection to " + options_.domain +
                     " was not opened, as this process has too many files "
                     "open (1024); close some accounts"};
  }
  return error{errc::unavailable, "No connection to " + options_.domain +
                                      " at " + where.ip +
                                      "; check the network and try again"};
}

result<presented_certificate> strophe_connection::start_tls() {
  tls_.reset();
  const bool started = xmpp_conn_tls_start(connection_.get()) == XMPP_EOK;
  if (started && !tls_.effective()) {
    return error{errc::refused,
                 "The TLS guard does not reach libstrophe in this executable, "
                 "so that nothing was sent; rebuild the program"};
  }
  if (!started || xmpp_conn_is_secured(connection_.get()) == 0) {
    return error{errc::crypto,
                 "Encryption with " + options_.domain +
                     " could not be started; it may speak no TLS of version "
                     "1.2 or later. Nothing was sent; ask its operator"};
  }
  presented_certificate presented;
  presented.chain_errors = tls_.chain_errors();
  const std::unique_ptr<xmpp_tlscert_t, certificate_free> leaf(
      xmpp_conn_get_peer_cert(connection_.get()));
  const char* const pem =
      leaf == nullptr ? nullptr : xmpp_tlscert_get_pem(leaf.get());
  if (pem != nullptr) presented.pem = pem;
  return presented;
}

void strophe_connection::open_stream() {
  // libstrophe writes the values as they are; a prepared domain has no
  // character that would need escaping, save by a jid that escaped its check.
  std::string to = options_.domain;
  std::erase_if(to, [](char c) {
    return std::string_view("\"'<>&").find(c) != std::string_view::npos;
  });
  std::array<std::string, 10> texts{
      "to", to,      "version",  "1.0",          "xml:lang",
      "en", "xmlns", ns::client, "xmlns:stream", ns::streams};
  std::array<char*, 10> attributes{};
  std::ranges::transform(texts, attributes.begin(),
                         [](std::string& text) { return text.data(); });
  xmpp_conn_open_stream(connection_.get(), attributes.data(),
                        attributes.size());
}

// libstrophe looks for the end of the text itself, whatever size it is given:
// the text has to end in a zero byte.

void strophe_connection::send(const std::string& xml) {
  xmpp_send_raw(connection_.get(), xml.c_str(), xml.size());
}

void strophe_connection::send(const secret& xml) {
  secret ended = secret::zeroed(xml.size() + 1);
  std::ranges::copy(xml.bytes(), ended.writable().begin());
  xmpp_send_raw(connection_.get(), ended.view().data(), xml.size());
}

void strophe_connection::close_stream() { xmpp_disconnect(connection_.get()); }

bool strophe_connection::run() {
  for (int round = 0; round < most_rounds; ++round) {
    if (closed_ || !trouble().empty()) return false;
    const std::uint64_t read = bytes_read();
    const unsigned seen = events_seen_;
    xmpp_run_once(context_.get(), 0);
    // Whatever an event asks for comes first: after `<proceed/>` the next
    // bytes are TLS.
    if (events_seen_ != seen) return true;
    if (bytes_read() == read) return false;
  }
  return true;
}

bool strophe_connection::writing() const {
  return xmpp_conn_send_queue_len(connection_.get()) > 0;
}

bool strophe_connection::out_of_step() const {
  return xml_.anything_follows() || writing();
}

std::string strophe_connection::trouble() const {
  if (!xml_.violation().empty()) return xml_.violation();
  return broken_ ? "sent something that could not be handled here" : "";
}

}  // namespace sotto
