#include "tests/support/scripted_server.hpp"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/bio.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <poll.h>
#include <sys/socket.h>

#include <array>
#include <stdexcept>
#include <utility>

namespace sotto::test {
namespace {

constexpr int slice_milliseconds = 10;  // between looks at the stop token

struct bio_free {
  void operator()(BIO* bio) const { BIO_free(bio); }
};

std::unique_ptr<BIO, bio_free> reading(const std::string& pem) {
  return std::unique_ptr<BIO, bio_free>(
      BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size())));
}

// Takes any certificate, however weak: the client is what is tested.
bool present(SSL_CTX* context, const identity& own) {
  SSL_CTX_set_security_level(context, 0);
  SSL_CTX_set_min_proto_version(context, TLS1_VERSION);
  X509* const leaf = PEM_read_bio_X509(reading(own.certificate).get(), nullptr,
                                       nullptr, nullptr);
  EVP_PKEY* const key = PEM_read_bio_PrivateKey(reading(own.key).get(), nullptr,
                                                nullptr, nullptr);
  const bool used = SSL_CTX_use_certificate(context, leaf) == 1 &&
                    SSL_CTX_use_PrivateKey(context, key) == 1;
  X509_free(leaf);
  EVP_PKEY_free(key);
  const auto chain = reading(own.chain);
  while (X509* const next =
             PEM_read_bio_X509(chain.get(), nullptr, nullptr, nullptr)) {
    SSL_CTX_add0_chain_cert(context, next);
  }
  return used;
}

}  // namespace

void scripted_link::free_context::operator()(
    ssl_ctx_st* context) const noexcept {
  SSL_CTX_free(context);
}

void scripted_link::free_ssl::operator()(ssl_st* ssl) const noexcept {
  SSL_free(ssl);
}

scripted_link::scripted_link(unique_fd socket, const std::stop_token& stop,
                             std::function<void(std::string_view)> heard)
    : socket_(std::move(socket)), stop_(stop), heard_(std::move(heard)) {
  fcntl(socket_.get(), F_SETFL, O_NONBLOCK);
  const int on = 1;
  setsockopt(socket_.get(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
}

scripted_link::~scripted_link() = default;

// False after a slice of time without the event.
bool scripted_link::wait_for(short events) const {
  if (stop_.stop_requested() || !socket_) throw link_over{};
  pollfd watched{socket_.get(), events, 0};
  return poll(&watched, 1, slice_milliseconds) > 0;
}

void scripted_link::send(std::string_view text) {
  while (!text.empty()) {
    const auto written =
        ssl_ == nullptr
            ? ::send(socket_.get(), text.data(), text.size(), MSG_NOSIGNAL)
            : SSL_write(ssl_.get(), text.data(), static_cast<int>(text.size()));
    if (written > 0) {
      text.remove_prefix(static_cast<std::size_t>(written));
      continue;
    }
    const int failure =
        ssl_ == nullptr
            ? (errno == EAGAIN ? SSL_ERROR_WANT_WRITE : SSL_ERROR_SYSCALL)
            : SSL_get_error(ssl_.get(), static_cast<int>(written));
    if (failure != SSL_ERROR_WANT_WRITE && failure != SSL_ERROR_WANT_READ) {
      throw link_over{};
    }
    wait_for(failure == SSL_ERROR_WANT_READ ? POLLIN : POLLOUT);
  }
}

void scripted_link::read_some() {
  std::array<char, 16'384> bytes{};
  while (true) {
    const auto size = ssl_ == nullptr
                          ? recv(socket_.get(), bytes.data(), bytes.size(), 0)
                          : SSL_read(ssl_.get(), bytes.data(),
                                     static_cast<int>(bytes.size()));
    if (size > 0) {
      const std::string_view text(bytes.data(), static_cast<std::size_t>(size));
      buffer_ += text;
      heard_(text);
      return;
    }
    const bool again =
        ssl_ == nullptr ? size < 0 && errno == EAGAIN
                        : SSL_get_error(ssl_.get(), static_cast<int>(size)) ==
                              SSL_ERROR_WANT_READ;
    if (!again) throw link_over{};
    wait_for(POLLIN);
  }
}

std::string scripted_link::read_until(std::string_view token) {
  std::size_t found = buffer_.find(token);
  while (found == std::string::npos) {
    read_some();
    found = buffer_.find(token);
  }
  std::string text = buffer_.substr(0, found + token.size());
  buffer_.erase(0, text.size());
  return text;
}

void scripted_link::read_to_end() {
  while (true) {
    read_some();
    buffer_.clear();
  }
}

void scripted_link::ignore() {
  while (true) {
    pollfd watched{socket_.get(), POLLRDHUP, 0};
    if (stop_.stop_requested() || !socket_) throw link_over{};
    if (poll(&watched, 1, slice_milliseconds) > 0) throw link_over{};
  }
}

void scripted_link::start_tls(const identity& own, int newest) {
  context_.reset(SSL_CTX_new(TLS_server_method()));
  if (context_ == nullptr || !present(context_.get(), own)) {
    throw std::runtime_error("the scripted server has no certificate");
  }
  if (newest != 0) SSL_CTX_set_max_proto_version(context_.get(), newest);
  ssl_.reset(SSL_new(context_.get()));
  SSL_set_fd(ssl_.get(), socket_.get());
  while (true) {
    const int done = SSL_accept(ssl_.get());
    if (done == 1) return;
    const int failure = SSL_get_error(ssl_.get(), done);
    if (failure != SSL_ERROR_WANT_READ && failure != SSL_ERROR_WANT_WRITE) {
      throw link_over{};
    }
    wait_for(failure == SSL_ERROR_WANT_READ ? POLLIN : POLLOUT);
  }
}

void scripted_link::close() {
  ssl_.reset();
  socket_.reset();
}

scripted_server::scripted_server(script play)
    : play_(std::move(play)),
      listener_(
          socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0)) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  if (bind(listener_.get(), reinterpret_cast<sockaddr*>(&address), size) != 0 ||
      listen(listener_.get(), 64) != 0 ||
      getsockname(listener_.get(), reinterpret_cast<sockaddr*>(&address),
                  &size) != 0) {
    throw std::runtime_error("the scripted server has no port");
  }
  port_ = ntohs(address.sin_port);
  acceptor_ = std::jthread(
      [this](const std::stop_token& stop) { accept_clients(stop); });
}

scripted_server::~scripted_server() {
  acceptor_.request_stop();
  acceptor_.join();
  links_.clear();  // stops and joins each
}

void scripted_server::accept_clients(const std::stop_token& stop) {
  while (!stop.stop_requested()) {
    pollfd watched{listener_.get(), POLLIN, 0};
    if (poll(&watched, 1, slice_milliseconds) <= 0) continue;
    unique_fd client(accept4(listener_.get(), nullptr, nullptr, SOCK_CLOEXEC));
    if (!client) continue;
    ++clients_;
    links_.emplace_back([this, socket = std::move(client)](
                            const std::stop_token& link_stop) mutable {
      scripted_link link(std::move(socket), link_stop,
                         [this](std::string_view text) {
                           const std::lock_guard lock(mutex_);
                           heard_ += text;
                         });
      try {
        play_(link);
      } catch (const link_over&) {
        // The script's usual end.
      }
    });
  }
}

std::string scripted_server::heard() const {
  const std::lock_guard lock(mutex_);
  return heard_;
}

}  // namespace sotto::test
