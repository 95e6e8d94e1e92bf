// The exchange form of records and the command line that every client program has (../README.md describes both),
// for those written in JavaScript.
import { readFileSync } from 'node:fs'

const parse = word => (word === '-' ? null : Buffer.from(word.slice(1), 'hex'))
const text = bytes => (bytes === null || bytes === undefined ? '-' : 'x' + bytes.toString('hex'))

function readScenario (path) {
  return readFileSync(path, 'latin1').trimEnd().split('\n').map(line => {
    const [timestamp, key, value, ...headers] = line.split(' ')
    return {
      timestamp: BigInt(timestamp),
      key: parse(key),
      value: parse(value),
      headers: headers.map(header => header.split('=').map(parse))
    }
  })
}

function print (record) {
  const headers = record.headers.map(([name, value]) => ` ${text(name)}=${text(value)}`)
  return `${record.offset} ${record.timestamp} ${text(record.key)} ${text(record.value)}${headers.join('')}\n`
}

async function outcome (step) {
  if (step === undefined) return 'unknown'
  try {
    return (await step()) ?? 'ok'
  } catch (error) {
    return `refused: ${reason(error)}`
  }
}

// The broker's answer is often the innermost of several errors.
function reason (error) {
  const inner = error.errors?.[0] ?? error.cause
  return inner ? reason(inner) : (error.apiId ?? error.type ?? error.message)
}

// client: { package, write(address, topic, codec, records), read(address, topic, count), steps(address, topic) };
// steps also has close().
export async function main (client) {
  const [verb, ...rest] = process.argv.slice(2)
  const pairs = words => words.map(word => word.split('='))
  if (verb === 'version') {
    // Not every package lets its package.json be required.
    console.log(JSON.parse(readFileSync(`${process.env.NODE_PATH}/${client.package}/package.json`, 'utf8')).version)
  } else if (verb === 'write') {
    const [address, scenario, ...topics] = rest
    for (const [topic, codec] of pairs(topics)) await client.write(address, topic, codec, readScenario(scenario))
  } else if (verb === 'read') {
    const [address, ...topics] = rest
    for (const [topic, count] of pairs(topics)) {
      const found = await client.read(address, topic, Number(count))
      process.stdout.write(`topic ${topic}\n${found.map(print).join('')}`)
    }
  } else if (verb === 'admin') {
    const [address, topic, ...steps] = rest
    const known = await client.steps(address, topic)
    for (const step of steps) console.log(step, await outcome(known[step]))
    await known.close()
  } else {
    throw new Error(`unknown verb ${verb}`)
  }
}
