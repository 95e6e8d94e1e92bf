// sarama: partition consumers, no group. The command line is described in ../../README.md.
package main

import (
	"context"
	"fmt"
	"time"

	"github.com/IBM/sarama"

	"sillok/interop/line"
)

var codecs = map[string]sarama.CompressionCodec{
	"none": sarama.CompressionNone, "gzip": sarama.CompressionGZIP, "snappy": sarama.CompressionSnappy,
	"lz4": sarama.CompressionLZ4, "zstd": sarama.CompressionZSTD,
}

func config() *sarama.Config {
	config := sarama.NewConfig()
	config.Version = sarama.MaxVersion
	config.Consumer.MaxWaitTime = 50 * time.Millisecond // which closing a consumer waits for
	return config
}

func write(_ context.Context, address, topic, codec string, records []line.Record) {
	config := config()
	config.Producer.Compression = codecs[codec]
	config.Producer.Idempotent = true
	config.Net.MaxOpenRequests = 1 // demanded by Idempotent
	config.Producer.RequiredAcks = sarama.WaitForAll
	config.Producer.Return.Successes = true
	config.Producer.Partitioner = sarama.NewManualPartitioner
	producer, err := sarama.NewSyncProducer([]string{address}, config)
	line.Must(err)
	var sent []*sarama.ProducerMessage
	for _, record := range records {
		out := &sarama.ProducerMessage{Topic: topic, Timestamp: time.UnixMilli(record.Timestamp)}
		if record.Key != nil {
			out.Key = sarama.ByteEncoder(record.Key)
		}
		if record.Value != nil {
			out.Value = sarama.ByteEncoder(record.Value)
		}
		for _, header := range record.Headers {
			out.Headers = append(out.Headers, sarama.RecordHeader{Key: []byte(header.Name), Value: header.Value})
		}
		sent = append(sent, out)
	}
	line.Must(producer.SendMessages(sent))
	line.Must(producer.Close())
}

func read(ctx context.Context, address, topic string, count int) []line.Record {
	consumer, err := sarama.NewConsumer([]string{address}, config())
	line.Must(err)
	partition, err := consumer.ConsumePartition(topic, 0, sarama.OffsetOldest)
	line.Must(err)
	var found []line.Record
	for len(found) < count {
		select {
		case in := <-partition.Messages():
			record := line.Record{Offset: in.Offset, Timestamp: in.Timestamp.UnixMilli(), Key: in.Key, Value: in.Value}
			for _, header := range in.Headers {
				record.Headers = append(record.Headers, line.Header{Name: string(header.Key), Value: header.Value})
			}
			found = append(found, record)
		case <-ctx.Done():
			line.Must(fmt.Errorf("%s: %d records of %d", topic, len(found), count))
		}
	}
	line.Must(partition.Close())
	line.Must(consumer.Close())
	return found
}

func steps(_ context.Context, address, topic string) map[string]line.Step {
	client, err := sarama.NewClient([]string{address}, config())
	line.Must(err)
	admin, err := sarama.NewClusterAdminFromClient(client)
	line.Must(err)
	setting := func(value string) map[string]*string { return map[string]*string{"retention.ms": &value} }
	return map[string]line.Step{
		"create": func() (string, error) {
			detail := &sarama.TopicDetail{NumPartitions: 2, ReplicationFactor: 1, ConfigEntries: setting("123456789")}
			return "", admin.CreateTopic(topic, detail, false)
		},
		"list": func() (string, error) {
			topics, err := admin.ListTopics()
			_, found := topics[topic]
			return line.Found(found), err
		},
		"describe": func() (string, error) {
			topics, err := admin.DescribeTopics([]string{topic})
			if err == nil && topics[0].Err != sarama.ErrNoError {
				err = topics[0].Err
			}
			if err != nil {
				return "", err
			}
			return fmt.Sprint(len(topics[0].Partitions)), nil
		},
		"configs": func() (string, error) {
			wanted := sarama.ConfigResource{Type: sarama.TopicResource, Name: topic, ConfigNames: []string{"retention.ms"}}
			entries, err := admin.DescribeConfig(wanted)
			if err != nil || len(entries) != 1 {
				return fmt.Sprintf("%d entries", len(entries)), err
			}
			return entries[0].Value, nil
		},
		"partitions": func() (string, error) { return "", admin.CreatePartitions(topic, 3, nil, false) },
		"alter": func() (string, error) {
			return "", admin.AlterConfig(sarama.TopicResource, topic, setting("987654321"), false)
		},
		"truncate": func() (string, error) {
			// It does not hand over the new log start, so that has to be asked for.
			if err := admin.DeleteRecords(topic, map[int32]int64{0: 2}); err != nil {
				return "", err
			}
			start, err := client.GetOffset(topic, 0, sarama.OffsetOldest)
			return fmt.Sprint(start), err
		},
		"delete": func() (string, error) { return "", admin.DeleteTopic(topic) },
	}
}

func main() {
	line.Main(line.Client{Module: "github.com/IBM/sarama", Write: write, Read: read, Steps: steps})
}
