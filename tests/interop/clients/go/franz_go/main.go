// franz-go: partitions by assignment, no group. The command line is described in ../../README.md.
package main

import (
	"context"
	"fmt"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"

	"sillok/interop/line"
)

var codecs = map[string]kgo.CompressionCodec{
	"none": kgo.NoCompression(), "gzip": kgo.GzipCompression(), "snappy": kgo.SnappyCompression(),
	"lz4": kgo.Lz4Compression(), "zstd": kgo.ZstdCompression(),
}

func write(ctx context.Context, address, topic, codec string, records []line.Record) {
	// Idempotent and acks=all, as it comes.
	client, err := kgo.NewClient(kgo.SeedBrokers(address), kgo.ProducerBatchCompression(codecs[codec]),
		kgo.RecordPartitioner(kgo.ManualPartitioner()), kgo.AllowAutoTopicCreation(),
		kgo.ProducerLinger(20*time.Millisecond))
	line.Must(err)
	defer client.Close()
	var sent []*kgo.Record
	for _, record := range records {
		out := &kgo.Record{Topic: topic, Timestamp: time.UnixMilli(record.Timestamp), Key: record.Key, Value: record.Value}
		for _, header := range record.Headers {
			out.Headers = append(out.Headers, kgo.RecordHeader{Key: header.Name, Value: header.Value})
		}
		sent = append(sent, out)
	}
	line.Must(client.ProduceSync(ctx, sent...).FirstErr())
}

func read(ctx context.Context, address, topic string, count int) []line.Record {
	start := map[string]map[int32]kgo.Offset{topic: {0: kgo.NewOffset().AtStart()}}
	client, err := kgo.NewClient(kgo.SeedBrokers(address), kgo.ConsumePartitions(start))
	line.Must(err)
	defer client.Close()
	var found []line.Record
	for len(found) < count {
		fetches := client.PollFetches(ctx)
		line.Must(fetches.Err())
		fetches.EachRecord(func(in *kgo.Record) {
			record := line.Record{Offset: in.Offset, Timestamp: in.Timestamp.UnixMilli(), Key: in.Key, Value: in.Value}
			for _, header := range in.Headers {
				record.Headers = append(record.Headers, line.Header{Name: header.Key, Value: header.Value})
			}
			found = append(found, record)
		})
	}
	return found
}

func steps(ctx context.Context, address, topic string) map[string]line.Step {
	client, err := kgo.NewClient(kgo.SeedBrokers(address))
	line.Must(err)
	admin := kadm.NewClient(client)
	return map[string]line.Step{
		"create": func() (string, error) {
			_, err := admin.CreateTopic(ctx, 2, 1, map[string]*string{"retention.ms": kadm.StringPtr("123456789")}, topic)
			return "", err
		},
		"list": func() (string, error) {
			topics, err := admin.ListTopics(ctx)
			return line.Found(topics.Has(topic)), err
		},
		"describe": func() (string, error) {
			topics, err := admin.ListTopics(ctx, topic)
			if err == nil {
				err = topics.Error()
			}
			return fmt.Sprint(len(topics[topic].Partitions)), err
		},
		"configs": func() (string, error) {
			found, err := admin.DescribeTopicConfigs(ctx, topic)
			if err != nil {
				return "", err
			}
			for _, config := range found[0].Configs {
				if config.Key == "retention.ms" {
					return config.MaybeValue(), found[0].Err
				}
			}
			return "absent", found[0].Err
		},
		"partitions": func() (string, error) {
			answers, err := admin.UpdatePartitions(ctx, 3, topic)
			if err == nil {
				err = answers.Error()
			}
			return "", err
		},
		"alter": func() (string, error) {
			change := kadm.AlterConfig{Op: kadm.SetConfig, Name: "retention.ms", Value: kadm.StringPtr("987654321")}
			answers, err := admin.AlterTopicConfigs(ctx, []kadm.AlterConfig{change}, topic)
			if err == nil {
				err = answers[0].Err
			}
			return "", err
		},
		"truncate": func() (string, error) {
			var upTo kadm.Offsets
			upTo.AddOffset(topic, 0, 2, -1)
			answers, err := admin.DeleteRecords(ctx, upTo)
			if err == nil {
				err = answers.Error()
			}
			first, _ := answers.Lookup(topic, 0)
			return fmt.Sprint(first.LowWatermark), err
		},
		"delete": func() (string, error) {
			answers, err := admin.DeleteTopics(ctx, topic)
			if err == nil {
				err = answers.Error()
			}
			return "", err
		},
	}
}

func main() {
	line.Main(line.Client{Module: "github.com/twmb/franz-go", Write: write, Read: read, Steps: steps})
}
