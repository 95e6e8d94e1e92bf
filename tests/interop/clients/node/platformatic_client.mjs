// @platformatic/kafka. Its consumer's stream needs a group; its call for one fetch does not. The command line is
// described in ../README.md.
import { createRequire } from 'node:module'
import { main } from './command_line.mjs'

// require, unlike import, finds packages by NODE_PATH.
const require = createRequire(import.meta.url)
const {
  Admin, ConfigResourceTypes, Consumer, IncrementalAlterConfigOperationTypes, Producer
} = require('@platformatic/kafka')

const settings = address => ({ clientId: 'interop', bootstrapBrokers: [address], autocreateTopics: true, strict: true })

async function write (address, topic, codec, records) {
  const producer = new Producer({ ...settings(address), idempotent: true, acks: -1 })
  const messages = records.map(({ timestamp, key, value, headers }) => ({
    topic, partition: 0, timestamp, key, value, headers: new Map(headers)
  }))
  await producer.send({ messages, compression: codec })
  await producer.close()
}

async function read (address, topic, count) {
  const consumer = new Consumer({ ...settings(address), groupId: 'unused', maxWaitTime: 100 })
  const metadata = await consumer.metadata({ topics: [topic] })
  const { id, partitions } = metadata.topics.get(topic)
  const found = []
  while (found.length < count) {
    const fetchOffset = found.length > 0 ? found.at(-1).offset + 1n : 0n
    const answer = await consumer.fetch({
      node: partitions[0].leader,
      maxWaitTime: 100,
      topics: [{
        topicId: id,
        partitions: [{
          partition: 0, currentLeaderEpoch: -1, fetchOffset, lastFetchedEpoch: -1, partitionMaxBytes: 1 << 20
        }]
      }]
    })
    const answered = answer.responses.flatMap(({ partitions }) => partitions)
    for (const batch of answered.flatMap(({ records }) => records ?? [])) {
      for (const record of batch.records) {
        const offset = batch.firstOffset + BigInt(record.offsetDelta)
        if (offset < fetchOffset) continue
        found.push({ ...record, offset, timestamp: batch.firstTimestamp + record.timestampDelta })
      }
    }
  }
  await consumer.close(true)
  return found
}

async function steps (address, topic) {
  const admin = new Admin(settings(address))
  const resource = { resourceType: ConfigResourceTypes.TOPIC, resourceName: topic }
  const silent = async promise => { await promise }
  return {
    create: () => silent(admin.createTopics({
      topics: [topic], partitions: 2, replicas: 1, configs: [{ name: 'retention.ms', value: '123456789' }]
    })),
    list: async () => ((await admin.listTopics()).includes(topic) ? 'found' : 'absent'),
    describe: async () => {
      const metadata = await admin.metadata({ topics: [topic], autocreateTopics: false, forceUpdate: true })
      return metadata.topics.get(topic).partitionsCount
    },
    configs: async () => {
      const wanted = { ...resource, configurationKeys: ['retention.ms'] }
      const [found] = await admin.describeConfigs({ resources: [wanted] })
      return found.configs[0].value
    },
    partitions: () => silent(admin.createPartitions({ topics: [{ name: topic, count: 3 }] })),
    alter: () => silent(admin.incrementalAlterConfigs({
      resources: [{
        ...resource,
        configs: [{
          name: 'retention.ms', value: '987654321', configOperation: IncrementalAlterConfigOperationTypes.SET
        }]
      }]
    })),
    truncate: async () => {
      const upTo = { name: topic, partitions: [{ partition: 0, offset: 2n }] }
      const [found] = await admin.deleteRecords({ topics: [upTo] })
      return String(found.partitions[0].lowWatermark)
    },
    delete: () => silent(admin.deleteTopics({ topics: [topic] })),
    close: () => admin.close()
  }
}

await main({ package: '@platformatic/kafka', write, read, steps })
