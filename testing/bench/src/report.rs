//! Writes the figures: the tables between the markers of docs/performance.md, and summary.json.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use serde_json::{Map, Value, json};

use crate::engines::{self, WAXWING};
use crate::goals;
use crate::icount::{Counts, Work};
use crate::machine;
use crate::memory::STAGES;
use crate::primitives;
use crate::scenario::Scenario;
use crate::sizes;
use crate::sockets::{self, Figures};
use crate::stats::{Summary, median, summarise};
use crate::streams;
use crate::wall::{Effort, Row, Times, Transfer};

/// The document and the summary while their sections are being replaced.
pub(crate) struct Report {
    page: PathBuf,
    text: String,
    json: PathBuf,
    summary: Map<String, Value>,
    effort: Effort,
    load_before: String,
}

impl Report {
    /// Reads the page, and the summary of an earlier run if there is one, so that a run of one part
    /// keeps the others.
    pub(crate) fn open(dir: &Path, effort: Effort) -> Self {
        let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/performance.md");
        let json = dir.join("summary.json");
        let summary = fs::read(&json)
            .ok()
            .and_then(|text| serde_json::from_slice(&text).ok());
        Self {
            text: fs::read_to_string(&page).expect("docs/performance.md is there"),
            page,
            summary: summary.unwrap_or_default(),
            json,
            effort,
            load_before: machine::load(),
        }
    }

    /// Times of handshakes, the two sides apart.
    pub(crate) fn handshakes(&mut self, rows: &[Row<Scenario>]) {
        let table = |what, side: usize| {
            let columns = Columns {
                what,
                title: &|key: &Scenario| key.title(),
                cell: &|_, ns| format!("{:.1}", ns / 1e3),
                side: SIDES[side],
                goal: &|key| goals::handshake(key).map(|goal| goal[side]),
                is_speed: false,
            };
            columns.table(rows)
        };
        let (client, server) = (table("client, µs", 0), table("server, µs", 1));
        let json = rows
            .iter()
            .map(|row| (row.key.id(), times_json(&row.times, false)))
            .collect();
        self.put(
            "handshakes",
            &self.with_source(&[client, server]),
            Value::Object(json),
        );
    }

    /// Speed of application data, sending and receiving apart.
    pub(crate) fn transfers(&mut self, rows: &[Row<Transfer>]) {
        let table = |what, side: usize| {
            let columns: Columns<'_, Transfer> = Columns {
                what,
                title: &|(suite, writes): &Transfer| format!("{}, {} B", suite.name(), writes.size),
                cell: &|(_, writes): &Transfer, ns| format!("{:.2}", writes.bytes() as f64 / ns),
                side: SIDES[side],
                goal: &goals::transfer,
                is_speed: true,
            };
            columns.table(rows)
        };
        let (send, receive) = (table("send, GB/s", 0), table("receive, GB/s", 1));
        let json = rows.iter().map(|row| {
            let (suite, writes) = row.key;
            let mut value = times_json(&row.times, true);
            value["batch_bytes"] = json!(writes.bytes());
            (format!("{}+{}", suite.name(), writes.size), value)
        });
        let json = json.collect();
        self.put(
            "bulk",
            &self.with_source(&[send, receive]),
            Value::Object(json),
        );
    }

    /// Small writes through blocking streams.
    pub(crate) fn streams(&mut self, rounds: &[Vec<f64>; 2]) {
        let [ours, theirs] = rounds;
        let ratios: Vec<_> = theirs
            .iter()
            .zip(ours)
            .map(|(theirs, ours)| theirs / ours)
            .collect();
        let cell = |ns: &[f64]| {
            let Summary { median, spread } = summarise(ns);
            format!("{median:.1} ±{:.0} %", spread * 100.0)
        };
        let [us, them] = streams::NAMES;
        let table = format!(
            "| | {us} | {them} | {us} : {them} |\n|---|---|---|---|\n\
             | {} writes of {} B and a flush: ns by write | {} | {} | {:.2} |",
            streams::WRITES,
            streams::SIZE,
            cell(ours),
            cell(theirs),
            median(&ratios),
        );
        let json = json!({us: ours, them: theirs});
        self.put("streams", &self.with_source(&[table]), json);
    }

    /// The primitives of two libraries.
    pub(crate) fn primitives(&mut self, rows: &[primitives::Row]) {
        let [first, second] = primitives::NAMES;
        let mut lines = vec![
            format!("| ns | {first} | {second} | {second} : {first} |"),
            "|---|---|---|---|".to_owned(),
        ];
        let mut json = Map::new();
        for primitives::Row { title, rounds } in rows {
            let cells = rounds.each_ref().map(|ns| {
                let Summary { median, spread } = summarise(ns);
                format!("{} ±{:.0} %", grouped(Some(median)), spread * 100.0)
            });
            let ratio = ratio(&rounds[1], &rounds[0], false);
            lines.push(format!("| {title} | {} | {ratio:.2} |", cells.join(" | ")));
            let [ours, theirs] = rounds;
            json.insert((*title).to_owned(), json!({first: ours, second: theirs}));
        }
        self.put("primitives", &lines.join("\n"), Value::Object(json));
    }

    /// Heap bytes and allocations, as [`crate::memory::measure`] gives them.
    pub(crate) fn memory(&mut self, lives: &Value) {
        let names = &engines::NAMES[1..];
        let mut lines = vec![
            format!("| client / server | {} | goal |", names.join(" | ")),
            format!("|---|{}", "---|".repeat(names.len() + 1)),
        ];
        for (key, title) in STAGES {
            let cells = names.iter().map(|name| match &lives[*name][key] {
                Value::Array(sides) => {
                    let sides: Vec<_> = sides.iter().map(|side| grouped(side.as_f64())).collect();
                    sides.join(" / ")
                }
                value => grouped(value.as_f64()),
            });
            lines.push(format!(
                "| {title} | {} | {} |",
                cells.collect::<Vec<_>>().join(" | "),
                goals::memory(key),
            ));
        }
        self.put("memory", &lines.join("\n"), lives.clone());
    }

    /// Instruction counts under callgrind.
    pub(crate) fn instructions(&mut self, rows: &[(Work, Vec<Option<Counts>>)]) {
        let mut lines = vec![
            format!(
                "| instructions, client / server | {} |",
                engines::NAMES.join(" | ")
            ),
            format!("|---|{}", "---|".repeat(engines::NAMES.len())),
        ];
        let mut json = Map::new();
        for (work, counts) in rows {
            let title = match work {
                Work::Handshake(scenario) => scenario.title(),
                Work::Transfer(writes) => format!("record of {} B, send / receive", writes.size),
            };
            let cells = engines::NAMES.iter().zip(counts).map(|(name, counts)| {
                counts.map_or("-".to_owned(), |counts| instructions_cell(name, &counts))
            });
            lines.push(format!(
                "| {title} | {} |",
                cells.collect::<Vec<_>>().join(" | ")
            ));
            let values = engines::NAMES.iter().zip(counts).map(|(name, counts)| {
                let sides = counts.map(|sides| {
                    sides.map(|c| json!({"total": c.total, "rest": c.rest, "rust": c.rust}))
                });
                ((*name).to_owned(), json!(sides))
            });
            json.insert(work.id(), Value::Object(values.collect()));
        }
        self.put("instructions", &lines.join("\n"), Value::Object(json));
    }

    /// The web servers.
    pub(crate) fn sockets(&mut self, table: &sockets::Table) {
        let text = sockets_text(table);
        let json = table.iter().map(|(load, figures)| {
            let servers = sockets::SERVERS.iter().zip(figures);
            let servers = servers.map(|(name, figures)| {
                let figures = figures.as_ref().map(sockets::Figures::json);
                ((*name).to_owned(), json!(figures))
            });
            (load.title.to_owned(), Value::Object(servers.collect()))
        });
        let json = Value::Object(json.collect());
        let text = format!(
            "{text}\n\nLoad average {} before and {} after.",
            self.load_before,
            machine::load()
        );
        self.put("sockets", &text, json);
    }

    /// Bytes of code, as [`crate::sizes::measure`] gives them.
    pub(crate) fn sizes(&mut self, builds: &Value) {
        let names = sizes::BUILDS.map(|(name, _)| name);
        let mut lines = vec![
            format!("| bytes of code | {} |", names.join(" | ")),
            format!("|---|{}", "---|".repeat(names.len())),
        ];
        for row in sizes::rows() {
            let cells = names.map(|name| grouped(builds[name][row].as_f64()));
            lines.push(format!("| {row} | {} |", cells.join(" | ")));
        }
        self.put("sizes", &lines.join("\n"), builds.clone());
    }

    /// Writes both files.
    pub(crate) fn save(mut self) -> io::Result<()> {
        let machine = machine::describe();
        let lines = machine
            .iter()
            .map(|(title, value)| format!("| {title} | {value} |"));
        let lines = lines.collect::<Vec<_>>().join("\n");
        self.put(
            "machine",
            &format!("| | |\n|---|---|\n{lines}"),
            json!(machine),
        );
        fs::write(&self.page, &self.text)?;
        fs::write(
            &self.json,
            serde_json::to_string_pretty(&self.summary)? + "\n",
        )?;
        eprintln!(
            "written: {} and {}",
            self.page.display(),
            self.json.display()
        );
        Ok(())
    }

    /// The tables and a line that says how they came about.
    fn with_source(&self, tables: &[String]) -> String {
        let Effort {
            rounds,
            handshakes,
            batches,
        } = self.effort;
        format!(
            "{}\n\n{rounds} rounds, {handshakes} handshakes or {batches} batches of each library in \
             a round; load average {} before and {} after.",
            tables.join("\n\n"),
            self.load_before,
            machine::load(),
        )
    }

    /// Replaces the text between the markers of `section`, and the summary's part.
    fn put(&mut self, section: &str, text: &str, json: Value) {
        println!("{text}\n");
        self.text = replace_section(&self.text, section, text);
        self.summary.insert(section.to_owned(), json);
    }
}

/// `page` with `text` between the markers of `section`.
fn replace_section(page: &str, section: &str, text: &str) -> String {
    let start = format!("<!-- bench: {section} -->\n");
    let end = format!("<!-- end: {section} -->");
    let head = page.split_once(&start).map(|(head, _)| head);
    let tail = page.split_once(&end).map(|(_, tail)| tail);
    let (Some(head), Some(tail)) = (head, tail) else {
        panic!("docs/performance.md lacks the markers of {section}");
    };
    format!("{head}{start}\n{text}\n\n{end}{tail}")
}

/// The client's or sender's times, and the server's or receiver's.
const SIDES: [fn(&Times) -> &Vec<f64>; 2] = [|times| &times.client, |times| &times.server];

/// One side's table: a column for each subject, how Waxwing compares with the limit, and its goal
/// there, and how with each peer.
struct Columns<'a, K> {
    what: &'a str,
    title: &'a dyn Fn(&K) -> String,
    cell: &'a dyn Fn(&K, f64) -> String,
    side: fn(&Times) -> &Vec<f64>,
    goal: &'a dyn Fn(&K) -> Option<f64>,
    is_speed: bool,
}

impl<K> Columns<'_, K> {
    fn table(&self, rows: &[Row<K>]) -> String {
        let mut heads = vec![self.what.to_owned()];
        heads.extend(engines::NAMES.map(str::to_owned));
        for (index, name) in engines::others().enumerate() {
            heads.push(format!("{WAXWING} : {name}"));
            // The limit is the first of them.
            if index == 0 {
                heads.push("goal".to_owned());
            }
        }
        let lines = [line(&heads), format!("|{}", "---|".repeat(heads.len()))];
        let rows = rows.iter().map(|row| line(&self.cells(row)));
        lines.into_iter().chain(rows).collect::<Vec<_>>().join("\n")
    }

    fn cells(&self, row: &Row<K>) -> Vec<String> {
        let rounds = |name: &str| {
            let index = engines::NAMES.iter().position(|other| *other == name)?;
            row.times[index].as_ref().map(self.side)
        };
        let mut cells = vec![(self.title)(&row.key)];
        cells.extend(engines::NAMES.map(|name| match rounds(name) {
            Some(rounds) => {
                let summary = summarise(rounds);
                let value = (self.cell)(&row.key, summary.median);
                format!("{value} ±{:.0} %", summary.spread * 100.0)
            }
            None => "-".to_owned(),
        }));
        for (index, name) in engines::others().enumerate() {
            cells.push(match (rounds(WAXWING), rounds(name)) {
                (Some(ours), Some(theirs)) => format!("{:.2}", ratio(ours, theirs, self.is_speed)),
                _ => "-".to_owned(),
            });
            if index == 0 {
                let goal = (self.goal)(&row.key);
                cells.push(goal.map_or(String::new(), |goal| format!("{goal:.2}")));
            }
        }
        cells
    }
}

fn line(cells: &[String]) -> String {
    format!("| {} |", cells.join(" | "))
}

/// The table of the web servers: speed, processor time, and system calls of each load.
fn sockets_text(table: &sockets::Table) -> String {
    let names = sockets::SERVERS;
    let mut lines = vec![
        format!(
            "| | {} | {WAXWING} : {} | {WAXWING} : {} |",
            names.join(" | "),
            names[1],
            names[2]
        ),
        format!("|---|{}", "---|".repeat(names.len() + 2)),
    ];
    for (load, figures) in table {
        let mut line = |what: &str, cell: &dyn Fn(&Figures) -> String, ratio: bool| {
            let cells = figures
                .iter()
                .map(|f| f.as_ref().map_or("-".to_owned(), cell));
            let ours = figures[0].as_ref().filter(|_| ratio);
            let ratios = figures[1..].iter().map(|theirs| match (ours, theirs) {
                (Some(ours), Some(theirs)) => format!("{:.2}", ours.busy_ratio(theirs)),
                _ => String::new(),
            });
            let cells: Vec<_> = cells.chain(ratios).collect();
            lines.push(format!(
                "| {}: {what} | {} |",
                load.title,
                cells.join(" | ")
            ));
        };
        let bytes = load.size as f64;
        if load.size > 100_000 {
            let speed = |figures: &Figures| format!("{:.2}", bytes / figures.wall().median);
            line("GB/s", &speed, false);
        } else {
            let rate = |figures: &Figures| grouped(Some(1e9 / figures.wall().median));
            line("requests/s", &rate, false);
        }
        let busy = |figures: &Figures| {
            let Summary { median, spread } = figures.busy();
            format!("{:.1} ±{:.0} %", median / 1e3, spread * 100.0)
        };
        line("µs of the server's processor by request", &busy, true);
        let calls = |figures: &Figures| {
            let calls = figures.calls();
            calls.map_or("-".to_owned(), |calls| format!("{calls:.1}"))
        };
        line("system calls by request", &calls, false);
    }
    lines.join("\n")
}

/// The median over the rounds of our time by theirs, or for speeds of their time by ours.
fn ratio(ours: &[f64], theirs: &[f64], is_speed: bool) -> f64 {
    let of_round = |(ours, theirs): (&f64, &f64)| {
        if is_speed {
            theirs / ours
        } else {
            ours / theirs
        }
    };
    median(&ours.iter().zip(theirs).map(of_round).collect::<Vec<_>>())
}

/// Each subject's medians and rounds, and how Waxwing compares with the others.
fn times_json(times: &[Option<Times>], is_speed: bool) -> Value {
    let subject = |(name, times): (&&str, &Option<Times>)| {
        let value = times.as_ref().map(|times| {
            let side = |rounds: &Vec<f64>| {
                let summary = summarise(rounds);
                json!({"ns": summary.median, "spread": summary.spread, "rounds": rounds})
            };
            json!({"client": side(&times.client), "server": side(&times.server)})
        });
        ((*name).to_owned(), json!(value))
    };
    let mut json: Map<_, _> = engines::NAMES.iter().zip(times).map(subject).collect();
    let times_of = |name: &str| {
        let index = engines::NAMES.iter().position(|other| *other == name)?;
        times[index].as_ref()
    };
    let ratios = engines::others().filter_map(|name| {
        let (ours, theirs) = (times_of(WAXWING)?, times_of(name)?);
        let client = ratio(&ours.client, &theirs.client, is_speed);
        let server = ratio(&ours.server, &theirs.server, is_speed);
        let sides = json!({"client": client, "server": server});
        Some((name.to_owned(), sides))
    });
    let ratios = Value::Object(ratios.collect());
    json.insert("ratio_to".to_owned(), ratios);
    Value::Object(json)
}

/// All instructions, and in brackets those outside the primitives where these can be told apart: the
/// system's OpenSSL has no names for its own.
fn instructions_cell(name: &str, counts: &Counts) -> String {
    let totals = counts.map(|count| grouped(Some(count.total))).join(" / ");
    if name == "OpenSSL" {
        return totals;
    }
    let rest = counts.map(|count| grouped(Some(count.rest))).join(" / ");
    format!("{totals} ({rest})")
}

/// A number with its thousands apart; a small one that is not whole keeps two places.
fn grouped(value: Option<f64>) -> String {
    let Some(value) = value else {
        return "-".to_owned();
    };
    if value < 10.0 && value.fract() != 0.0 {
        return format!("{value:.2}");
    }
    let digits = format!("{value:.0}");
    let mut text = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_section_is_replaced() {
        let page = "a\n<!-- bench: x -->\nold\n<!-- end: x -->\nb";
        let once = replace_section(page, "x", "new");
        assert_eq!(once, "a\n<!-- bench: x -->\n\nnew\n\n<!-- end: x -->\nb");
        assert_eq!(replace_section(&once, "x", "new"), once);
    }

    #[test]
    fn thousands_are_apart() {
        assert_eq!(grouped(Some(1_234_567.0)), "1,234,567");
        assert_eq!(grouped(Some(123.0)), "123");
        assert_eq!(grouped(Some(0.25)), "0.25");
    }

    #[test]
    fn a_ratio_is_taken_within_each_round() {
        assert_eq!(ratio(&[1.0, 10.0, 2.0], &[2.0, 20.0, 2.0], false), 0.5);
        assert_eq!(ratio(&[1.0, 10.0, 2.0], &[2.0, 20.0, 2.0], true), 2.0);
    }
}
