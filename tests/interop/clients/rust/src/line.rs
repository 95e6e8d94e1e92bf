// The exchange form of records; ../../README.md describes it.
use std::error::Error;
use std::fmt::Write;

pub type Bytes = Option<Vec<u8>>;

pub struct Record {
    pub timestamp: i64,
    pub key: Bytes,
    pub value: Bytes,
    pub headers: Vec<(Bytes, Bytes)>,
}

pub fn read_scenario(path: &str) -> Result<Vec<Record>, Box<dyn Error>> {
    let mut records = Vec::new();
    for line in std::fs::read_to_string(path)?.lines() {
        let mut words = line.split(' ');
        let mut next = || words.next().ok_or("a line with too few words");
        let timestamp = next()?.parse()?;
        let (key, value) = (parse(next()?)?, parse(next()?)?);
        let mut headers = Vec::new();
        for word in words {
            let (name, value) = word.split_once('=').ok_or("a header without =")?;
            headers.push((parse(name)?, parse(value)?));
        }
        records.push(Record { timestamp, key, value, headers });
    }
    Ok(records)
}

pub fn print(offset: i64, record: &Record) {
    let mut out = format!("{offset} {} {} {}", record.timestamp, text(&record.key), text(&record.value));
    for (name, value) in &record.headers {
        write!(out, " {}={}", text(name), text(value)).unwrap();
    }
    println!("{out}");
}

fn parse(word: &str) -> Result<Bytes, Box<dyn Error>> {
    let Some(digits) = word.strip_prefix('x') else { return Ok(None) };
    let pairs = (0..digits.len()).step_by(2).map(|at| u8::from_str_radix(&digits[at..at + 2], 16));
    Ok(Some(pairs.collect::<Result<_, _>>()?))
}

fn text(bytes: &Bytes) -> String {
    let Some(bytes) = bytes else { return "-".to_owned() };
    let mut out = "x".to_owned();
    for byte in bytes {
        write!(out, "{byte:02x}").unwrap();
    }
    out
}
