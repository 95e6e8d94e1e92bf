// The rules of the tree that a program can check: who may include whom, how long files are, and words that
// must not stand anywhere.
#include <algorithm>
#include <catch2/catch.hpp>
#include <filesystem>
#include <fstream>
#include <map>
#include <set>
#include <string>
#include <vector>

namespace {

namespace fs = std::filesystem;

constexpr std::size_t kLinesMax = 500;

const fs::path& root() {
  static const fs::path path = SILLOK_SOURCE_DIR;
  return path;
}

std::vector<fs::path> sources(const char* folder) {
  std::vector<fs::path> found;
  for (const auto& entry : fs::recursive_directory_iterator(root() / folder)) {
    const auto extension = entry.path().extension();
    if (extension == ".h" || extension == ".cc" || extension == ".py") found.push_back(entry.path());
  }
  std::sort(found.begin(), found.end());
  return found;
}

std::vector<std::string> lines_of(const fs::path& path) {
  std::ifstream file(path);
  std::vector<std::string> lines;
  for (std::string line; std::getline(file, line);) lines.push_back(line);
  return lines;
}

// The folder that an #include of ours names first, or "boost/asio" where it is Asio's; else empty.
std::string included_part(const std::string& line) {
  if (line.starts_with("#include <boost/asio")) return "boost/asio";
  if (!line.starts_with("#include \"")) return "";
  const std::string path = line.substr(10);
  return path.substr(0, path.find('/'));
}

}  // namespace

TEST_CASE("tidy: folders include only what lies below them") {
  const std::map<std::string, std::set<std::string>> allowed = {
      {"protocol", {"protocol"}},
      {"storage", {"protocol", "storage"}},
      {"broker", {"protocol", "storage", "broker", "boost/asio"}},
      {"client", {"protocol", "client", "boost/asio"}},
  };
  for (const auto& [folder, parts] : allowed) {
    for (const fs::path& path : sources(folder.c_str())) {
      const std::string name = fs::relative(path, root()).string();
      // The program `sillok` reads log files, which its library does not.
      const bool reads_logs = name.starts_with("client/cli/log_dump");
      for (const std::string& line : lines_of(path)) {
        const std::string part = included_part(line);
        if (part.empty() || (reads_logs && part == "storage")) continue;
        INFO(name << ": " << line);
        CHECK(parts.contains(part));
      }
    }
  }
}

TEST_CASE("tidy: handlers do not know sockets") {
  for (const fs::path& path : sources("broker/handlers")) {
    for (const std::string& line : lines_of(path)) {
      INFO(path.string() << ": " << line);
      CHECK(included_part(line) != "boost/asio");
      CHECK_FALSE(line.starts_with("#include \"broker/net/"));
    }
  }
}

TEST_CASE("tidy: only the file system and the sockets make system calls on files") {
  const std::set<std::string> calls = {"::pwrite", "::pread",     "::fdatasync",
                                       "::fsync",  "::ftruncate", "::unlink"};
  for (const char* folder : {"protocol", "storage", "broker", "client"}) {
    for (const fs::path& path : sources(folder)) {
      const std::string name = path.filename().string();
      if (name.starts_with("posix_file") || name.starts_with("unix_socket")) continue;
      for (const std::string& line : lines_of(path)) {
        for (const std::string& call : calls) {
          INFO(path.string() << ": " << line);
          CHECK(line.find(call + "(") == std::string::npos);
        }
      }
    }
  }
}

TEST_CASE("tidy: a file is one idea, and at most 500 lines") {
  for (const char* folder : {"protocol", "storage", "broker", "client", "bench", "tests"}) {
    for (const fs::path& path : sources(folder)) {
      INFO(path.string());
      CHECK(lines_of(path).size() <= kLinesMax);
    }
  }
}

TEST_CASE("tidy: no file is called after a heap of things") {
  const std::set<std::string> vague = {"utils", "util", "helpers", "helper", "common", "misc"};
  for (const char* folder : {"protocol", "storage", "broker", "client", "bench", "tests"}) {
    for (const fs::path& path : sources(folder)) {
      INFO(path.string());
      CHECK_FALSE(vague.contains(path.stem().string()));
    }
  }
}

TEST_CASE("tidy: headers are guarded, and nothing promises later work") {
  // Put together here, so that this file does not hold them.
  const std::vector<std::string> promises = {std::string("TO") + "DO", std::string("FIX") + "ME"};
  for (const char* folder : {"protocol", "storage", "broker", "client", "bench", "tests"}) {
    for (const fs::path& path : sources(folder)) {
      const std::vector<std::string> lines = lines_of(path);
      INFO(path.string());
      if (path.extension() == ".h")
        CHECK(std::find(lines.begin(), lines.end(), "#pragma once") != lines.end());
      for (const std::string& line : lines) {
        for (const std::string& promise : promises) CHECK(line.find(promise) == std::string::npos);
      }
    }
  }
}
