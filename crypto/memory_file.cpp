#include "crypto/memory_file.hpp"

#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <system_error>
#include <utility>

namespace sotto {

namespace {

constexpr std::size_t buffer_size = 4096;

error failed(const char* what) {
  return {errc::io, std::string("A file in memory could not be ") + what +
                        ": " + std::generic_category().message(errno) +
                        "; close other programs and try again."};
}

/// Bytes in the file behind the stream; 0 where the system does not say.
std::size_t size_of(int descriptor) {
  struct stat status {};
  if (fstat(descriptor, &status) != 0) return 0;
  return static_cast<std::size_t>(status.st_size);
}

}  // namespace

memory_file& memory_file::operator=(memory_file&& other) noexcept {
  if (this == &other) return *this;
  erase();
  file_ = std::move(other.file_);
  buffer_ = std::move(other.buffer_);
  return *this;
}

memory_file::~memory_file() { erase(); }

result<memory_file> memory_file::create() {
  const int descriptor = memfd_create("sotto", MFD_CLOEXEC);
  if (descriptor < 0) return failed("made");
  memory_file made;
  made.buffer_ = secret::zeroed(buffer_size);
  made.file_.reset(fdopen(descriptor, "w+b"));
  if (!made.file_) {
    auto failure = failed("opened");
    close(descriptor);
    return failure;
  }
  // Not unbuffered: glibc then formats in a buffer on the stack.
  auto* buffer = reinterpret_cast<char*>(made.buffer_.writable().data());
  if (std::setvbuf(made.stream(), buffer, _IOFBF, buffer_size) != 0) {
    return failed("set up");
  }
  return made;
}

result<memory_file> memory_file::holding(std::span<const std::byte> bytes) {
  auto made = create();
  if (!made) return made;
  auto* stream = made->stream();
  if (std::fwrite(bytes.data(), 1, bytes.size(), stream) != bytes.size() ||
      std::fflush(stream) != 0 || std::fseek(stream, 0, SEEK_SET) != 0) {
    return failed("written");
  }
  return made;
}

result<secret> memory_file::contents() {
  if (std::fflush(stream()) != 0) return failed("written");
  const int descriptor = fileno(stream());
  auto bytes = secret::zeroed(size_of(descriptor));
  auto rest = bytes.writable();
  off_t at = 0;
  while (!rest.empty()) {
    const auto got = pread(descriptor, rest.data(), rest.size(), at);
    if (got <= 0) return failed("read");
    rest = rest.subspan(static_cast<std::size_t>(got));
    at += got;
  }
  return bytes;
}

void memory_file::erase() noexcept {
  if (!file_) return;
  std::fflush(stream());
  const int descriptor = fileno(stream());
  constexpr std::array<char, 512> zeros{};
  const auto size = size_of(descriptor);
  for (std::size_t at = 0; at < size; at += zeros.size()) {
    const auto length = std::min(zeros.size(), size - at);
    if (pwrite(descriptor, zeros.data(), length, static_cast<off_t>(at)) < 0) {
      break;
    }
  }
  file_.reset();
}

}  // namespace sotto
