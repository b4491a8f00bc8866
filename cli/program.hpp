#pragma once

#include <string>

#include "actors/api/engine.hpp"
#include "cli/journal.hpp"
#include "cli/request.hpp"

namespace sotto::cli {

/// Carries out lines, one after the other, against an engine.
class program {
 public:
  program(engine& core, journal& told) : engine_(core), journal_(told) {}

  /// Carries out one line; false when it was `quit`.
  bool carry_out(const std::string& line);

 private:
  void run(const std::string& line, const command& order);
  void run(const std::string& line, const wait_for& wanted);
  void run(const std::string& line, const show_key& wanted);
  void run(const std::string& line, const show& wanted);
  void run(const show_status& wanted);
  void run(const show_help& wanted);
  std::shared_ptr<const snapshot> view();

  engine& engine_;
  journal& journal_;
};

}  // namespace sotto::cli
