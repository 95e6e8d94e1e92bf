#include "broker/metadata/image.h"

#include <utility>

namespace sillok::broker {

bool is_internal_topic(std::string_view name) {
  return name == "__consumer_offsets" || name == "__transaction_state" || name == "__share_group_state";
}

const TopicImage* MetadataImage::find(std::string_view name) const {
  const auto found = topics_.find(name);
  return found == topics_.end() ? nullptr : found->second.get();
}

const TopicImage* MetadataImage::find(const TopicId& id) const {
  const auto found = by_id_.find(id);
  return found == by_id_.end() ? nullptr : found->second;
}

std::shared_ptr<const MetadataImage> MetadataImage::with(
    std::vector<std::shared_ptr<const TopicImage>> changed) const {
  auto next = std::make_shared<MetadataImage>(*this);
  for (std::shared_ptr<const TopicImage>& topic : changed) {
    next->drop(topic->name);
    next->by_id_[topic->id] = topic.get();
    next->partition_count_ += static_cast<std::size_t>(topic->partition_count);
    next->topics_[topic->name] = std::move(topic);
  }
  return next;
}

std::shared_ptr<const MetadataImage> MetadataImage::without(const std::vector<std::string>& names) const {
  auto next = std::make_shared<MetadataImage>(*this);
  for (const std::string& name : names) next->drop(name);
  return next;
}

void MetadataImage::drop(std::string_view name) {
  const auto found = topics_.find(name);
  if (found == topics_.end()) return;
  by_id_.erase(found->second->id);
  partition_count_ -= static_cast<std::size_t>(found->second->partition_count);
  topics_.erase(found);
}

}  // namespace sillok::broker
