#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <list>
#include <memory>
#include <mutex>
#include <stop_token>
#include <string>
#include <string_view>
#include <thread>

#include "crypto/unique_fd.hpp"
#include "tests/support/test_certificates.hpp"

/// OpenSSL's `SSL` and `SSL_CTX`.
struct ssl_st;
struct ssl_ctx_st;

namespace sotto::test {

/// The client has gone, or the server is being stopped: ends a script.
struct link_over {};

/// One client of a scripted server, as the script sees it. Every call blocks
/// until it is done and throws `link_over` when that cannot be.
class scripted_link {
 public:
  scripted_link(unique_fd socket, const std::stop_token& stop,
                std::function<void(std::string_view)> heard);
  ~scripted_link();
  scripted_link(const scripted_link&) = delete;
  scripted_link& operator=(const scripted_link&) = delete;

  void send(std::string_view text);
  /// Everything up to and with `token`; what follows is kept for later.
  std::string read_until(std::string_view token);
  /// Waits, and listens, until the client closes.
  void read_to_end();
  /// Waits without reading, until the client closes or the server is stopped.
  void ignore();
  /// The server's side of a handshake. `newest` is OpenSSL's version number
  /// of the newest TLS that is spoken; 0: whatever there is.
  void start_tls(const identity& own, int newest = 0);
  void close();

 private:
  struct free_context {
    void operator()(ssl_ctx_st* context) const noexcept;
  };
  struct free_ssl {
    void operator()(ssl_st* ssl) const noexcept;
  };

  bool wait_for(short events) const;
  void read_some();

  unique_fd socket_;
  std::stop_token stop_;
  std::function<void(std::string_view)> heard_;
  std::string buffer_;
  std::unique_ptr<ssl_ctx_st, free_context> context_;
  std::unique_ptr<ssl_st, free_ssl> ssl_;
};

/// A TCP server on 127.0.0.1 with a port of its own, which plays a script to
/// every client.
class scripted_server {
 public:
  using script = std::function<void(scripted_link&)>;

  explicit scripted_server(script play);
  ~scripted_server();
  scripted_server(const scripted_server&) = delete;
  scripted_server& operator=(const scripted_server&) = delete;

  std::uint16_t port() const noexcept { return port_; }
  /// All that clients have said so far, decrypted.
  std::string heard() const;
  int clients() const noexcept { return clients_; }

 private:
  void accept_clients(const std::stop_token& stop);

  script play_;
  unique_fd listener_;
  std::uint16_t port_ = 0;
  std::atomic<int> clients_ = 0;
  mutable std::mutex mutex_;
  std::string heard_;
  std::list<std::jthread> links_;  // of the accepting thread
  std::jthread acceptor_;
};

}  // namespace sotto::test
