// rskafka: a client of one partition; it knows no groups, and no header twice in a record or with null.
// The command line is described in ../../README.md.
mod line;

use std::collections::BTreeMap;
use std::error::Error;

use chrono::{TimeZone, Utc};
use line::Record;
use rskafka::client::partition::{Compression, OffsetAt, PartitionClient, UnknownTopicHandling};
use rskafka::client::{Client, ClientBuilder};

const TIMEOUT_MS: i32 = 10_000;
const FETCH_BYTES_MAX: i32 = 10 << 20;
const WAIT_MS: i32 = 100;

type Outcome<T> = Result<T, Box<dyn Error>>;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Outcome<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match words[..] {
        ["version"] => println!("{}", env!("RSKAFKA_VERSION")),
        ["write", address, scenario, ref topics @ ..] => {
            let client = connect(address).await?;
            let records = line::read_scenario(scenario)?;
            for (topic, codec) in topics.iter().filter_map(|word| word.split_once('=')) {
                write(&client, topic, codec, &records).await?;
            }
        }
        ["read", address, ref topics @ ..] => {
            let client = connect(address).await?;
            for (topic, count) in topics.iter().filter_map(|word| word.split_once('=')) {
                println!("topic {topic}");
                read(&client, topic, count.parse()?).await?;
            }
        }
        ["admin", address, topic, ref steps @ ..] => {
            let client = connect(address).await?;
            for step in steps {
                match call(&client, topic, step).await {
                    Ok(word) => println!("{step} {word}"),
                    Err(error) => println!("{step} refused: {error}"),
                }
            }
        }
        _ => return Err("unknown verb".into()),
    }
    Ok(())
}

async fn connect(address: &str) -> Outcome<Client> {
    Ok(ClientBuilder::new(vec![address.to_owned()]).build().await?)
}

async fn partition(client: &Client, topic: &str) -> Outcome<PartitionClient> {
    // Retry: its question for the topic may be what makes it.
    Ok(client.partition_client(topic, 0, UnknownTopicHandling::Retry).await?)
}

async fn write(client: &Client, topic: &str, codec: &str, records: &[Record]) -> Outcome<()> {
    let compression = match codec {
        "none" => Compression::NoCompression,
        "gzip" => Compression::Gzip,
        "snappy" => Compression::Snappy,
        "lz4" => Compression::Lz4,
        "zstd" => Compression::Zstd,
        _ => return Err(format!("no codec {codec}").into()),
    };
    let partition = partition(client, topic).await?;
    let mut sent = Vec::new();
    for record in records {
        let headers = record.headers.iter().map(|(name, value)| {
            (String::from_utf8(name.clone().unwrap()).unwrap(), value.clone().unwrap())
        });
        sent.push(rskafka::record::Record {
            key: record.key.clone(),
            value: record.value.clone(),
            headers: headers.collect::<BTreeMap<_, _>>(),
            timestamp: Utc.timestamp_millis_opt(record.timestamp).unwrap(),
        });
    }
    partition.produce(sent, compression).await?;
    Ok(())
}

async fn read(client: &Client, topic: &str, count: usize) -> Outcome<()> {
    let partition = partition(client, topic).await?;
    let mut next = partition.get_offset(OffsetAt::Earliest).await?;
    let mut found = 0;
    while found < count {
        let (records, _) = partition.fetch_records(next, 1..FETCH_BYTES_MAX, WAIT_MS).await?;
        for in_log in records {
            next = in_log.offset + 1;
            found += 1;
            let record = Record {
                timestamp: in_log.record.timestamp.timestamp_millis(),
                key: in_log.record.key,
                value: in_log.record.value,
                headers: in_log.record.headers.into_iter()
                    .map(|(name, value)| (Some(name.into_bytes()), Some(value)))
                    .collect(),
            };
            line::print(in_log.offset, &record);
        }
    }
    Ok(())
}

async fn call(client: &Client, topic: &str, step: &str) -> Outcome<String> {
    let listed = || async {
        let topics = client.list_topics().await?;
        Ok::<_, Box<dyn Error>>(topics.into_iter().find(|found| found.name == topic))
    };
    match step {
        "create" => client.controller_client()?.create_topic(topic, 2, 1, TIMEOUT_MS).await?,
        "list" => return Ok(if listed().await?.is_some() { "found" } else { "absent" }.to_owned()),
        "describe" => return Ok(listed().await?.map_or(0, |found| found.partitions.len()).to_string()),
        "truncate" => {
            let partition = partition(client, topic).await?;
            partition.delete_records(2, TIMEOUT_MS).await?;
            return Ok(partition.get_offset(OffsetAt::Earliest).await?.to_string());
        }
        "delete" => client.controller_client()?.delete_topic(topic, TIMEOUT_MS).await?,
        _ => return Ok("unknown".to_owned()),
    }
    Ok("ok".to_owned())
}
