#pragma once

#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "protocol/resolver.hpp"

namespace sotto {

/// One c-ares channel and the look-ups that run on it.
class dns_query {
 public:
  using clock = std::chrono::steady_clock;

  /// What came of waiting.
  enum class outcome { answered, timed_out, cancelled };
  /// An answer in the making. `done` without records: there are none.
  struct srv_answer {
    bool done = false;
    bool direct_tls = false;
    std::vector<srv_record> records;
  };
  struct address_answer {
    bool done = false;
    bool not_found = false;  ///< the name server says there is no such name
    std::vector<std::string> addresses;
  };

  explicit dns_query(const std::string& nameservers);
  ~dns_query();
  dns_query(const dns_query&) = delete;
  dns_query& operator=(const dns_query&) = delete;

  /// False where c-ares could not be set up.
  bool usable() const noexcept;
  /// Starts a look-up; `answer` outlives this object's last `wait`.
  void ask_srv(const std::string& name, srv_answer& answer);
  void ask_addresses(const std::string& name, address_answer& answer);
  /// Waits until every look-up is done.
  outcome wait(clock::time_point deadline, int cancel_fd);

 private:
  class channel;
  std::unique_ptr<channel> channel_;
};

}  // namespace sotto
