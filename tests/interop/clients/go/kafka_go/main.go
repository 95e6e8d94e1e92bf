// kafka-go: a reader of one partition, no group. The command line is described in ../../README.md.
package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/segmentio/kafka-go"

	"sillok/interop/line"
)

var codecs = map[string]kafka.Compression{
	"none": 0, "gzip": kafka.Gzip, "snappy": kafka.Snappy, "lz4": kafka.Lz4, "zstd": kafka.Zstd,
}

func write(ctx context.Context, address, topic, codec string, records []line.Record) {
	first := kafka.BalancerFunc(func(_ kafka.Message, partitions ...int) int { return partitions[0] })
	writer := &kafka.Writer{Addr: kafka.TCP(address), Topic: topic, Balancer: first, Compression: codecs[codec],
		RequiredAcks: kafka.RequireAll, AllowAutoTopicCreation: true, BatchTimeout: 20 * time.Millisecond,
		BatchSize: len(records)}
	var sent []kafka.Message
	for _, record := range records {
		out := kafka.Message{Time: time.UnixMilli(record.Timestamp), Key: record.Key, Value: record.Value}
		for _, header := range record.Headers {
			out.Headers = append(out.Headers, kafka.Header{Key: header.Name, Value: header.Value})
		}
		sent = append(sent, out)
	}
	err := writer.WriteMessages(ctx, sent...)
	// It does not wait for the topic that its question made.
	for tries := 0; errors.Is(err, kafka.UnknownTopicOrPartition) && tries < 50; tries++ {
		time.Sleep(20 * time.Millisecond)
		err = writer.WriteMessages(ctx, sent...)
	}
	line.Must(err)
	line.Must(writer.Close())
}

func read(ctx context.Context, address, topic string, count int) []line.Record {
	reader := kafka.NewReader(kafka.ReaderConfig{Brokers: []string{address}, Topic: topic, Partition: 0,
		MinBytes: 1, MaxBytes: 10 << 20, MaxWait: 100 * time.Millisecond})
	line.Must(reader.SetOffset(kafka.FirstOffset))
	var found []line.Record
	for len(found) < count {
		in, err := reader.ReadMessage(ctx)
		line.Must(err)
		record := line.Record{Offset: in.Offset, Key: in.Key, Value: in.Value}
		if !in.Time.IsZero() { // its form of timestamp 0
			record.Timestamp = in.Time.UnixMilli()
		}
		for _, header := range in.Headers {
			record.Headers = append(record.Headers, line.Header{Name: header.Key, Value: header.Value})
		}
		found = append(found, record)
	}
	line.Must(reader.Close())
	return found
}

func steps(ctx context.Context, address, topic string) map[string]line.Step {
	client := &kafka.Client{Addr: kafka.TCP(address)}
	metadata := func(topics []string) (*kafka.MetadataResponse, error) {
		return client.Metadata(ctx, &kafka.MetadataRequest{Topics: topics})
	}
	return map[string]line.Step{
		"create": func() (string, error) {
			answer, err := client.CreateTopics(ctx, &kafka.CreateTopicsRequest{Topics: []kafka.TopicConfig{{
				Topic: topic, NumPartitions: 2, ReplicationFactor: 1,
				ConfigEntries: []kafka.ConfigEntry{{ConfigName: "retention.ms", ConfigValue: "123456789"}}}}})
			if err != nil {
				return "", err
			}
			return "", answer.Errors[topic]
		},
		"list": func() (string, error) {
			answer, err := metadata(nil)
			if err != nil {
				return "", err
			}
			for _, found := range answer.Topics {
				if found.Name == topic {
					return line.Found(true), nil
				}
			}
			return line.Found(false), nil
		},
		"describe": func() (string, error) {
			answer, err := metadata([]string{topic})
			if err != nil {
				return "", err
			}
			return fmt.Sprint(len(answer.Topics[0].Partitions)), answer.Topics[0].Error
		},
		"configs": func() (string, error) {
			answer, err := client.DescribeConfigs(ctx, &kafka.DescribeConfigsRequest{
				Resources: []kafka.DescribeConfigRequestResource{{ResourceType: kafka.ResourceTypeTopic,
					ResourceName: topic, ConfigNames: []string{"retention.ms"}}}})
			if err != nil {
				return "", err
			}
			resource := answer.Resources[0]
			if resource.Error != nil || len(resource.ConfigEntries) != 1 {
				return fmt.Sprintf("%d entries", len(resource.ConfigEntries)), resource.Error
			}
			return resource.ConfigEntries[0].ConfigValue, nil
		},
		"partitions": func() (string, error) {
			answer, err := client.CreatePartitions(ctx, &kafka.CreatePartitionsRequest{
				Topics: []kafka.TopicPartitionsConfig{{Name: topic, Count: 3}}})
			if err != nil {
				return "", err
			}
			return "", answer.Errors[topic]
		},
		"alter": func() (string, error) {
			answer, err := client.IncrementalAlterConfigs(ctx, &kafka.IncrementalAlterConfigsRequest{
				Resources: []kafka.IncrementalAlterConfigsRequestResource{{ResourceType: kafka.ResourceTypeTopic,
					ResourceName: topic, Configs: []kafka.IncrementalAlterConfigsRequestConfig{{Name: "retention.ms",
						Value: "987654321", ConfigOperation: kafka.ConfigOperationSet}}}}})
			if err != nil {
				return "", err
			}
			return "", answer.Resources[0].Error
		},
		"delete": func() (string, error) {
			answer, err := client.DeleteTopics(ctx, &kafka.DeleteTopicsRequest{Topics: []string{topic}})
			if err != nil {
				return "", err
			}
			return "", answer.Errors[topic]
		},
	}
}

func main() {
	line.Main(line.Client{Module: "github.com/segmentio/kafka-go", Write: write, Read: read, Steps: steps})
}
