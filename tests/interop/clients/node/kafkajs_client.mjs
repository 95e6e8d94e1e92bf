// kafkajs: its consumer needs a group, so it only produces and does admin. The command line is in ../README.md.
import { zstdCompressSync, zstdDecompressSync } from 'node:zlib'
import { createRequire } from 'node:module'
import { main } from './command_line.mjs'

// require, unlike import, finds packages by NODE_PATH.
const require = createRequire(import.meta.url)
const { CompressionCodecs, CompressionTypes, ConfigResourceTypes, Kafka, logLevel } = require('kafkajs')
CompressionCodecs[CompressionTypes.Snappy] = require('kafkajs-snappy')
// Not kafka-lz4-lite: its blocks depend on one another, which Kafka refuses and Java cannot read.
const { lz4Compress, lz4Decompress } = require('@platformatic/wasm-utils')
CompressionCodecs[CompressionTypes.LZ4] = () => ({
  compress: encoder => lz4Compress(encoder.buffer),
  decompress: buffer => lz4Decompress(buffer)
})
// Node has it by itself; the packages that bring it compile or fetch something.
CompressionCodecs[CompressionTypes.ZSTD] = () => ({
  compress: encoder => zstdCompressSync(encoder.buffer),
  decompress: buffer => zstdDecompressSync(buffer)
})

const codecs = {
  none: CompressionTypes.None,
  gzip: CompressionTypes.GZIP,
  snappy: CompressionTypes.Snappy,
  lz4: CompressionTypes.LZ4,
  zstd: CompressionTypes.ZSTD
}

// Its warnings and errors go to stderr, where the test reads them.
const logCreator = () => ({ label, log }) => console.error(label, log.message, JSON.stringify(log))
const client = address => new Kafka({ clientId: 'interop', brokers: [address], logLevel: logLevel.WARN, logCreator })

async function write (address, topic, codec, records) {
  const producer = client(address).producer({ idempotent: true, maxInFlightRequests: 1, allowAutoTopicCreation: true })
  await producer.connect()
  const messages = records.map(record => {
    const headers = {}
    for (const [name, value] of record.headers) {
      (headers[name.toString()] ??= []).push(value)
    }
    return { key: record.key, value: record.value, headers, partition: 0, timestamp: record.timestamp.toString() }
  })
  await producer.send({ topic, compression: codecs[codec], messages, acks: -1 })
  await producer.disconnect()
}

async function steps (address, topic) {
  const admin = client(address).admin()
  await admin.connect()
  const resource = { type: ConfigResourceTypes.TOPIC, name: topic }
  const silent = async promise => { await promise }
  const configEntries = [{ name: 'retention.ms', value: '123456789' }]
  return {
    create: async () => {
      const wanted = { topic, numPartitions: 2, replicationFactor: 1, configEntries }
      const made = await admin.createTopics({ topics: [wanted] })
      // It throws every error but this one.
      if (!made) throw new Error('the topic exists')
    },
    list: async () => ((await admin.listTopics()).includes(topic) ? 'found' : 'absent'),
    describe: async () => (await admin.fetchTopicMetadata({ topics: [topic] })).topics[0].partitions.length,
    configs: async () => {
      const answer = await admin.describeConfigs({
        includeSynonyms: false, resources: [{ ...resource, configNames: ['retention.ms'] }]
      })
      return answer.resources[0].configEntries[0].configValue
    },
    partitions: () => silent(admin.createPartitions({ topicPartitions: [{ topic, count: 3 }] })),
    alter: () => silent(admin.alterConfigs({
      validateOnly: false,
      resources: [{ ...resource, configEntries: [{ name: 'retention.ms', value: '987654321' }] }]
    })),
    truncate: async () => {
      // It deletes only in topics that it has asked for.
      await admin.fetchTopicMetadata({ topics: [topic] })
      await admin.deleteTopicRecords({ topic, partitions: [{ partition: 0, offset: '2' }] })
      return (await admin.fetchTopicOffsets(topic)).find(({ partition }) => partition === 0).low
    },
    delete: () => silent(admin.deleteTopics({ topics: [topic] })),
    close: () => admin.disconnect()
  }
}

await main({ package: 'kafkajs', write, steps })
