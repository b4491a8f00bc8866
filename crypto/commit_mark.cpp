#include "crypto/commit_mark.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstddef>
#include <span>
#include <string>
#include <utility>

#include "crypto/atomic_file.hpp"
#include "crypto/little_endian.hpp"

namespace sotto {
namespace {

constexpr std::size_t number_bytes = 8;
constexpr std::size_t mark_bytes = number_bytes + 32;
using encoded_mark = std::array<std::byte, mark_bytes>;

encoded_mark encode(const row_sealer& sealer, std::uint64_t commits) {
  encoded_mark mark{};
  put_little_endian(std::span(mark), commits);
  const auto proof = sealer.proof_of(commits);
  std::copy(proof.begin(), proof.end(), mark.begin() + number_bytes);
  return mark;
}

error refused_by(const std::filesystem::path& file, const std::string& why) {
  return {errc::corrupt,
          "\"" + file.string() + "\" " + why +
              "; nothing was changed; keep a copy of the folder and put it "
              "back as a whole from a backup, or remove this one file to go "
              "on with the rows as they are"};
}

}  // namespace

result<commit_mark> commit_mark::check(const std::filesystem::path& file,
                                       const row_sealer& sealer,
                                       std::uint64_t commits) {
  auto found = read_small_file(file, mark_bytes);
  if (!found) {
    return found.failure();
  }
  if (!*found) {
    auto made = replace_file(file, encode(sealer, commits));
    if (!made) {
      return made.failure();
    }
  } else {
    const auto bytes = (*found)->bytes();
    if (bytes.size() != mark_bytes) {
      return refused_by(file, "is damaged (it is too short)");
    }
    const auto marked = get_little_endian<std::uint64_t>(bytes);
    const auto expected = encode(sealer, marked);
    if (!std::equal(bytes.begin(), bytes.end(), expected.begin())) {
      return refused_by(file, "is damaged, or of another vault");
    }
    if (marked > commits) {
      return refused_by(file, "knows of commit " + std::to_string(marked) +
                                  ", but the rows end at " +
                                  std::to_string(commits) +
                                  ": what was written last is missing");
    }
  }
  commit_mark mark;
  mark.file_ = unique_fd(::open(file.c_str(), O_WRONLY | O_CLOEXEC));
  if (!mark.file_) {
    return io_failure("write", file, errno);
  }
  mark.raise(sealer, commits);
  return mark;
}

void commit_mark::raise(const row_sealer& sealer,
                        std::uint64_t commits) noexcept {
  const encoded_mark mark = encode(sealer, commits);
  // In place, and less than a sector: whole, or as it was.
  static_cast<void>(::pwrite(file_.get(), mark.data(), mark.size(), 0) ==
                    mark_bytes);
}

}  // namespace sotto
