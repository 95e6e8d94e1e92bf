// The metadata store's file and the one beside it that says how long it is. A store that opens can be
// changed, and opens again with what was put. The first byte says whether checksums are made to fit.
#include "broker/metadata/local_store.h"
#include "broker/metadata/metadata_records.h"
#include "tests/fuzz/disk.h"
#include "tests/support/manual_clock.h"
#include "tests/support/mem_file_system.h"

namespace sillok::fuzz {
namespace {

using broker::LocalStore;

const std::string kLogPath = "/data/" + std::string(broker::kMetadataFileName);
const std::string kLengthPath = "/data/" + std::string(broker::kMetadataLengthFileName);

struct Store {
  Store() { CHECK(disk.make_directories("/data").ok()); }
  Result<std::unique_ptr<LocalStore>> open() {
    std::vector<std::string> notes;
    return LocalStore::open({&disk, &clock, "/data"}, notes);
  }
  tests::MemFileSystem disk;
  tests::ManualClock clock;
};

bool put(LocalStore& store, const std::string& key, const std::string& value) {
  const auto done = store.txn({{}, {{key, value}}, {}});
  return done.ok() && *done;
}

}  // namespace

void run(ByteView input) {
  Choices choices(input);
  const bool fits = choices.flip();
  Store files;
  const ByteView part = choices.next_part();
  Bytes log(part.begin(), part.end());
  if (fits) renew_batch_crcs(log);
  put_file(files.disk, kLogPath, log);
  if (const ByteView length = choices.next_part(); !length.empty()) put_file(files.disk, kLengthPath, length);
  auto opened = files.open();
  if (!opened.ok()) {
    CHECK(content_of(files.disk, kLogPath) == log);
    return;
  }
  const auto pairs = (*opened)->range("").value();
  for (const broker::KeyValue& pair : pairs) {
    (void)broker::decode_topic_record(pair.key, pair.value);
    (void)broker::decode_unfinished_record(pair.key, pair.value);
    (void)broker::decode_next_producer_id(pair.value);
  }
  CHECK(put(**opened, "added", "value"));
  const std::size_t count = (*opened)->range("").value().size();
  CHECK((*opened)->close().ok());
  opened.value().reset();
  auto again = files.open();
  CHECK(again.ok());
  CHECK((*again)->range("").value().size() == count);
}

std::vector<Bytes> seeds() {
  Store files;
  auto store = files.open().value();
  const broker::TopicRecord topic{TopicId{{1, 2, 3}}, 3, {{"retention.ms", "1000"}}};
  CHECK(put(*store, broker::topic_key("orders"), broker::encode(topic)));
  CHECK(put(*store, std::string(broker::kProducerIdsKey), broker::encode_next_producer_id(1000)));
  CHECK(store->txn({{}, {}, {broker::topic_key("orders")}}).ok());
  CHECK(store->put_for_session({"session", "here"}).ok());
  CHECK(store->close().ok());
  const Bytes log = content_of(files.disk, kLogPath);
  const Bytes length = content_of(files.disk, kLengthPath);
  return {with_choices({1}, in_parts({log, length})), with_choices({0}, in_parts({log, length})),
          with_choices({1}, in_parts({log})),
          with_choices({1}, in_parts({log, bytes_of("1 10 00000000\n")}))};
}

}  // namespace sillok::fuzz
