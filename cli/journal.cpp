#include "cli/journal.hpp"

#include <algorithm>

#include "cli/event_json.hpp"

namespace sotto::cli {

using nlohmann::json;

namespace {

/// A text is compared as it is, any other value as it is written; of a list,
/// one element is enough.
bool equals(const json& value, const std::string& wanted) {
  if (value.is_string()) return value.get_ref<const std::string&>() == wanted;
  if (value.is_array())
    return std::any_of(value.begin(), value.end(), [&](const json& element) {
      return equals(element, wanted);
    });
  return to_line(value) == wanted;
}

bool matches(const json& object, const std::string& name,
             const std::map<std::string, std::string>& values) {
  if (object.at("event") != name) return false;
  return std::all_of(values.begin(), values.end(), [&](const auto& wanted) {
    const auto found = object.find(wanted.first);
    return found != object.end() && equals(*found, wanted.second);
  });
}

}  // namespace

void journal::write(json object) {
  object["time"] = utc(std::chrono::system_clock::now());
  // What goes wrong by itself is told, but no command has failed.
  if (object.at("event") == "error" && object.at("command") != "")
    failed_ = true;
  const auto line = to_line(object) + "\n";
  std::fwrite(line.data(), 1, line.size(), out_);
  std::fflush(out_);
  told_.push_back(std::move(object));
}

void journal::tell(json object) {
  {
    const std::lock_guard lock{mutex_};
    write(std::move(object));
  }
  changed_.notify_all();
}

void journal::on_event(const event& what) {
  {
    const std::lock_guard lock{mutex_};
    unpublished_ = true;
    if (const auto* done = std::get_if<command_finished>(&what))
      finished_.emplace(done->id, *done);
    else if (auto object = to_json(what))
      write(*std::move(object));
  }
  changed_.notify_all();
}

void journal::on_published() {
  {
    const std::lock_guard lock{mutex_};
    unpublished_ = false;
  }
  changed_.notify_all();
}

bool journal::wait_for(const std::string& name,
                       const std::map<std::string, std::string>& values,
                       std::chrono::milliseconds timeout) {
  std::unique_lock lock{mutex_};
  std::size_t seen = 0;
  bool found = false;
  changed_.wait_for(lock, timeout, [&] {
    for (; !found && seen < told_.size(); ++seen)
      found = matches(told_[seen], name, values);
    return found || interrupted_;
  });
  return found;
}

std::optional<command_finished> journal::wait_finished(
    command_id id, std::chrono::milliseconds timeout) {
  std::unique_lock lock{mutex_};
  changed_.wait_for(lock, timeout,
                    [&] { return finished_.contains(id) || interrupted_; });
  const auto found = finished_.find(id);
  if (found == finished_.end()) return std::nullopt;
  auto done = std::move(found->second);
  finished_.erase(found);
  return done;
}

void journal::wait_published() {
  std::unique_lock lock{mutex_};
  changed_.wait_for(lock, std::chrono::seconds{1},
                    [&] { return !unpublished_ || interrupted_; });
}

bool journal::has_failed() const {
  const std::lock_guard lock{mutex_};
  return failed_;
}

void journal::interrupt() {
  {
    const std::lock_guard lock{mutex_};
    interrupted_ = true;
  }
  changed_.notify_all();
}

}  // namespace sotto::cli
