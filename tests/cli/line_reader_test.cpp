#include "cli/line_reader.hpp"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <csignal>
#include <string>
#include <thread>
#include <vector>

#include "crypto/unique_fd.hpp"

namespace sotto::cli {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

struct pipe_ends {
  unique_fd read;
  unique_fd write;
};

pipe_ends make_pipe() {
  std::array<int, 2> ends{-1, -1};
  EXPECT_EQ(pipe2(ends.data(), O_CLOEXEC), 0);
  return {unique_fd{ends[0]}, unique_fd{ends[1]}};
}

void write_all(int fd, std::string_view text) {
  while (!text.empty()) {
    const auto count = write(fd, text.data(), text.size());
    if (count <= 0) {
      ADD_FAILURE() << "write failed";
      return;
    }
    text.remove_prefix(static_cast<std::size_t>(count));
  }
}

std::vector<std::string> all_lines(line_reader& reader) {
  std::vector<std::string> lines;
  while (auto line = reader.next()) lines.push_back(*std::move(line));
  return lines;
}

/// All lines of a text that comes through a pipe, `chunk` bytes at a time.
std::vector<std::string> lines_of(const std::string& text,
                                  std::size_t chunk = 65'536) {
  auto ends = make_pipe();
  std::jthread writer([&] {
    for (std::size_t at = 0; at < text.size(); at += chunk)
      write_all(ends.write.get(), std::string_view{text}.substr(at, chunk));
    ends.write.reset();
  });
  line_reader reader{ends.read.get()};
  return all_lines(reader);
}

TEST(LineReader, GivesLinesWithoutTheirEnds) {
  EXPECT_THAT(lines_of("one\ntwo\n"), ElementsAre("one", "two"));
}

TEST(LineReader, GivesALastLineThatHasNoEnd) {
  EXPECT_THAT(lines_of("one\ntwo"), ElementsAre("one", "two"));
}

TEST(LineReader, GivesEmptyLines) {
  EXPECT_THAT(lines_of("\n\none\n\n"), ElementsAre("", "", "one", ""));
}

TEST(LineReader, GivesNothingFromAnEmptyPipe) {
  EXPECT_THAT(lines_of(""), IsEmpty());
}

TEST(LineReader, GoesOnGivingNothingAtTheEnd) {
  auto ends = make_pipe();
  ends.write.reset();
  line_reader reader{ends.read.get()};
  EXPECT_FALSE(reader.next());
  EXPECT_FALSE(reader.next());
}

TEST(LineReader, GivesALineAsSoonAsItIsThere) {
  auto ends = make_pipe();
  line_reader reader{ends.read.get()};
  write_all(ends.write.get(), "one\ntw");
  EXPECT_EQ(reader.next(), "one");
  write_all(ends.write.get(), "o\n");
  EXPECT_EQ(reader.next(), "two");
}

TEST(LineReader, PutsTogetherWhatComesByteByByte) {
  EXPECT_THAT(lines_of("one\ntwo words\nend", 1),
              ElementsAre("one", "two words", "end"));
}

TEST(LineReader, KeepsZeroBytesAndCarriageReturns) {
  using namespace std::string_literals;
  EXPECT_THAT(lines_of("a\0b\r\nc\n"s), ElementsAre("a\0b\r"s, "c"s));
}

/// Letters, so that a lost or moved byte is seen.
std::string long_text(std::size_t size) {
  std::string text(size, ' ');
  for (std::size_t i = 0; i < size; ++i)
    text[i] = static_cast<char>('a' + i % 26);
  return text;
}

// These compare by hand: megabytes make no message.

TEST(LineReader, GivesALineOfTheLargestSize) {
  const auto longest = long_text(line_reader::max_line);
  const auto lines = lines_of(longest + "\nnext\n");
  ASSERT_EQ(lines.size(), 2u);
  EXPECT_TRUE(lines[0] == longest) << lines[0].size() << " bytes came";
  EXPECT_EQ(lines[1], "next");
}

TEST(LineReader, GivesALineThatIsTooLongAsOneThatIsSeenToBe) {
  const auto text = long_text(line_reader::max_line * 2 + 1'000);
  // What comes before decides where the reader's chunks end.
  for (const std::size_t before : {0U, 1U, 1000U, 4095U}) {
    const auto lines =
        lines_of(std::string(before, 'b') + '\n' + text + "\nnext\n");
    ASSERT_EQ(lines.size(), 3u) << before;
    EXPECT_EQ(lines[1].size(), line_reader::max_line + 1) << before;
    EXPECT_EQ(lines[2], "next");
  }
}

TEST(LineReader, EndsOnAFileDescriptorThatCannotBeRead) {
  auto ends = make_pipe();
  ends.read.reset();
  line_reader reader{ends.write.get()};
  EXPECT_FALSE(reader.next());
}

/// In a process of its own, because the signal handlers stay. Its exit status
/// is 0 if the reader ended at the signal though the pipe did not.
[[noreturn]] void read_until(int signal, int fd) {
  catch_stop_signals();
  line_reader reader{fd};
  const bool first = reader.next() == "first";
  std::raise(signal);
  const bool ended = !reader.next();
  _exit(first && ended ? 0 : 1);
}

TEST(LineReader, EndsWhenTheProgramIsAskedToStop) {
  for (const int signal : {SIGINT, SIGTERM}) {
    auto ends = make_pipe();
    write_all(ends.write.get(), "first\n");
    const pid_t child = fork();
    ASSERT_GE(child, 0);
    if (child == 0) read_until(signal, ends.read.get());
    int status = -1;
    ASSERT_EQ(waitpid(child, &status, 0), child);
    EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 0)
        << "signal " << signal << ", status " << status;
  }
}

}  // namespace
}  // namespace sotto::cli
