//! How well and how fast search finds.
//!
//! `relevance quality FOLDER…`: nDCG@10 (binary relevance, log2 discount) over test collections with
//! `corpus.jsonl`, `queries.jsonl` and `qrels.tsv`, with all settings and with each one changed;
//! `RANKING=FILE` tries other numbers than those of `search-config/ranking.json`. With
//! `PRAXIS_TEST_MEILI_URL` (and `PRAXIS_TEST_MEILI_KEY`) one line more, of Meilisearch as shipped.
//! `relevance speed COUNT FOLDER…`: an index of that many documents made of the collections' text: indexing, size,
//! and p50 and p99 of search, filtered search and suggestion, one and eight clients; with Meilisearch of both engines.
//! Documents go the way of the port, as those of the hub do after they have been read from rows.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, clippy::print_stdout)]

use std::collections::{BTreeMap, HashMap, HashSet};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use praxis_server::ports::search::embedded::Generation;
use praxis_server::ports::search::meili::{Home, Server};
use praxis_server::ports::search::{Ask, Change, Filters, Hit, Index, Progress, Sort, Tuning};
use praxis_server::search::log::Cursor;
use praxis_server::search::query::parse;
use praxis_server::search::{Audience, Document, Kind, Passage, Reach};
use serde_json::Value;
use tokio::runtime::Handle;
use tokio::sync::Semaphore;

struct Collection {
    name: String,
    documents: Vec<(String, String, String)>,
    queries: Vec<(String, String)>,
    relevant: HashMap<String, HashSet<String>>,
}

fn lines(path: &Path) -> Vec<String> {
    let text = std::fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    text.lines().filter(|line| !line.trim().is_empty()).map(str::to_owned).collect()
}

fn load(folder: &str) -> Collection {
    let folder = Path::new(folder);
    let json = |line: String| serde_json::from_str::<Value>(&line).unwrap();
    let text = |of: &Value, key: &str| of[key].as_str().unwrap_or_default().to_owned();
    let documents = lines(&folder.join("corpus.jsonl")).into_iter().map(json);
    let queries = lines(&folder.join("queries.jsonl")).into_iter().map(json);
    let mut relevant: HashMap<String, HashSet<String>> = HashMap::new();
    for line in lines(&folder.join("qrels.tsv")) {
        let parts: Vec<&str> = line.split_whitespace().collect();
        // A header, and judgements of "not relevant".
        if parts.last().and_then(|grade| grade.parse::<i64>().ok()).is_none_or(|grade| grade <= 0) {
            continue;
        }
        relevant.entry(parts[0].to_owned()).or_default().insert(parts[parts.len() - 2].to_owned());
    }
    Collection {
        name: folder.file_name().unwrap().to_string_lossy().into_owned(),
        documents: documents.map(|of| (text(&of, "_id"), text(&of, "title"), text(&of, "text"))).collect(),
        queries: queries.map(|of| (text(&of, "_id"), text(&of, "text"))).collect(),
        relevant,
    }
}

struct Folder(std::path::PathBuf);

impl Folder {
    fn new() -> Self {
        Self(std::env::temp_dir().join(format!("praxis-relevance-{}", std::process::id())))
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _left = std::fs::remove_dir_all(&self.0);
    }
}

fn document(id: i64, title: &str, text: &str) -> Document {
    let mut document = Document::new(Kind::Topic, id, title.to_owned(), format!("/t/{id}"), 0);
    document.passages = vec![Passage::new(text)];
    document.audience = vec![Audience::Everybody];
    document
}

fn ask(text: &str, reach: &Arc<Reach>) -> Option<Ask> {
    Some(Ask {
        query: Arc::new(parse(text).ok()?),
        filters: Filters::default(),
        sort: Sort::Relevance,
        limit: 10,
        after: None,
        reach: Arc::clone(reach),
        now: 0,
        names_only: false,
        facets: true,
    })
}

fn changes(of: &Collection) -> Vec<Change> {
    let put = |(at, (_, title, text)): (usize, &(String, String, String))| {
        Change::Put(Box::new(document(at as i64, title, text)))
    };
    of.documents.iter().enumerate().map(put).collect()
}

/// nDCG@10 over a collection.
fn quality(of: &Collection, tuning: &Tuning) -> f64 {
    let folder = Folder::new();
    let index = Generation::open(&folder.0, tuning.clone()).unwrap();
    index.write(&changes(of), &Progress::begin("", Cursor::default(), 0)).unwrap();
    gained(of, |ask| index.search(&ask).unwrap().hits)
}

/// Where indexes of a run are kept on Meilisearch, if there is one.
fn meilisearch() -> Option<Home> {
    let url = std::env::var("PRAXIS_TEST_MEILI_URL").ok()?;
    let server = Server::new(&url, std::env::var("PRAXIS_TEST_MEILI_KEY").ok().as_deref()).unwrap();
    Some(Home::new(server, &format!("relevance-{}", std::process::id())))
}

fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap()
}

/// The same through Meilisearch, if there is one.
fn quality_of_meilisearch(collections: &[Collection]) -> Option<Vec<f64>> {
    let (home, runtime) = (meilisearch()?, runtime());
    let measured = collections.iter().map(|of| {
        let index = runtime.block_on(home.fresh()).unwrap();
        runtime.block_on(index.write(changes(of), &Progress::begin("", Cursor::default(), 0))).unwrap();
        let figure = gained(of, |ask| runtime.block_on(index.search(&ask)).unwrap().hits);
        runtime.block_on(index.delete()).unwrap();
        figure
    });
    Some(measured.collect())
}

fn gained(of: &Collection, search: impl Fn(Ask) -> Vec<Hit>) -> f64 {
    let reach = Arc::new(Reach::of([Audience::Everybody], []));
    let (mut sum, mut count) = (0.0, 0);
    for (id, text) in &of.queries {
        let Some(relevant) = of.relevant.get(id) else { continue };
        count += 1;
        let mut short = text.clone();
        // Questions longer than a hub takes are cut at a word, as a person would.
        while parse(&short).is_err() && short.contains(' ') {
            short.truncate(short.rfind(' ').unwrap());
        }
        let Some(ask) = ask(&short, &reach) else { continue };
        let gain = |at: usize| 1.0 / ((at + 2) as f64).log2();
        let found: f64 = search(ask)
            .iter()
            .enumerate()
            .filter(|(_, hit)| relevant.contains(&of.documents[usize::try_from(hit.id).unwrap()].0))
            .map(|(at, _)| gain(at))
            .sum();
        let best: f64 = (0..relevant.len().min(10)).map(gain).sum();
        sum += found / best;
    }
    sum / f64::from(count)
}

/// The settings as shipped, or with the ranking of another file (`RANKING`).
fn base() -> Tuning {
    let mut tuning = Tuning::default();
    if let Some(file) = std::env::var_os("RANKING") {
        tuning.ranking = serde_json::from_str(&std::fs::read_to_string(file).unwrap()).unwrap();
    }
    tuning
}

fn variants() -> Vec<(&'static str, Tuning)> {
    let with = |change: fn(&mut Tuning)| {
        let mut tuning = base();
        change(&mut tuning);
        tuning
    };
    vec![
        ("as shipped", base()),
        ("without stemming", with(|of| of.stemming = false)),
        ("without stop words", with(|of| of.stop_words = false)),
        ("without synonyms", with(|of| of.synonyms = false)),
        ("without typo tolerance", with(|of| of.typos = false)),
        ("without beginnings of words", with(|of| of.prefixes = false)),
        ("without compounds", with(|of| of.compounds = false)),
        ("any one word is enough", with(|of| (of.ranking.matching.few, of.ranking.matching.share) = (0, 0.0))),
        ("a fifth of the rarity needed", with(|of| of.ranking.matching.share = 0.2)),
        ("a third of the rarity needed", with(|of| of.ranking.matching.share = 0.33)),
        ("synonyms count 0.4", with(|of| of.ranking.weights.synonym = 0.4)),
        ("title counts 1", with(|of| of.ranking.fields.title.weight = 1.0)),
        ("title counts 4", with(|of| of.ranking.fields.title.weight = 4.0)),
        ("k1 1.2", with(|of| of.ranking.k1 = 1.2)),
        ("k1 2.0", with(|of| of.ranking.k1 = 2.0)),
        ("length of text 0.5", with(|of| of.ranking.fields.body.length = 0.5)),
        ("length of text 0.9", with(|of| of.ranking.fields.body.length = 0.9)),
        (
            "nothing but words",
            with(|of| {
                (of.stemming, of.stop_words, of.synonyms) = (false, false, false);
                (of.typos, of.prefixes, of.compounds) = (false, false, false);
            }),
        ),
    ]
}

/// A small generator of numbers, the same every run.
struct Numbers(u64);

impl Numbers {
    fn below(&mut self, bound: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(self.0 >> 33).unwrap() % bound.max(1)
    }
}

const SPACES: i64 = 50;

/// Documents made of sentences of the collections.
struct Maker {
    sentences: Vec<Vec<String>>,
    titles: Vec<String>,
    numbers: Numbers,
}

impl Maker {
    fn new(collections: &[Collection]) -> Self {
        let all = collections.iter().flat_map(|of| &of.documents);
        let sentence = |text: &str| text.split_whitespace().map(str::to_owned).collect::<Vec<_>>();
        let sentences = all.clone().flat_map(|(_, _, text)| text.split(" . ").map(sentence).collect::<Vec<_>>());
        let titles = all.map(|(_, title, text)| {
            let of = if title.is_empty() { text } else { title };
            of.split_whitespace().take(9).collect::<Vec<_>>().join(" ")
        });
        Self {
            sentences: sentences.filter(|words| words.len() > 3).collect(),
            titles: titles.collect(),
            numbers: Numbers(42),
        }
    }

    fn document(&mut self, id: i64) -> Document {
        let mut text = String::new();
        while text.len() < 700 {
            let sentence = self.numbers.below(self.sentences.len());
            text.push_str(&self.sentences[sentence].join(" "));
            text.push_str(". ");
        }
        let title = self.numbers.below(self.titles.len());
        let mut of = document(id, &self.titles[title].clone(), &text);
        let space = id % SPACES;
        of.kind = [Kind::Topic, Kind::Post, Kind::Message][self.numbers.below(3)];
        of.space = Some(space);
        of.author = Some(id % 997);
        of.created_at = id * 1_000_000;
        of.tags = vec![format!("tag{}", id % 40)];
        of.audience = vec![Audience::Readers(space)];
        of
    }

    fn question(&mut self) -> String {
        let sentence = self.numbers.below(self.sentences.len());
        let words = self.sentences[sentence].clone();
        let count = 1 + self.numbers.below(3);
        let from = self.numbers.below(words.len());
        words.iter().skip(from).take(count).cloned().collect::<Vec<_>>().join(" ")
    }
}

fn percentiles(mut times: Vec<Duration>) -> String {
    times.sort_unstable();
    let at = |part: f64| times[((times.len() - 1) as f64 * part) as usize].as_secs_f64() * 1000.0;
    format!("p50 {:.1} ms, p99 {:.1} ms", at(0.5), at(0.99))
}

/// Asks for a while from several clients at once. As in the hub, a question to the embedded index waits its turn
/// for a core: sharing them would make all of them as slow as the slowest.
async fn measure(index: &Index, asks: &[Ask], clients: usize, seconds: u64) -> String {
    let until = Instant::now() + Duration::from_secs(seconds);
    let turns = Arc::new(Semaphore::new(std::thread::available_parallelism().map_or(2, usize::from)));
    let ask = async |client: usize| {
        let mut times = Vec::new();
        for at in (client * 97).. {
            if Instant::now() >= until {
                break;
            }
            let (started, ask) = (Instant::now(), asks[at % asks.len()].clone());
            let turn = match index {
                Index::Embedded(_) => Some(Arc::clone(&turns).acquire_owned().await.unwrap()),
                Index::Meili(_) => None,
            };
            index.search(ask, turn).await.unwrap();
            times.push(started.elapsed());
        }
        times
    };
    let times = futures_util::future::join_all((0..clients).map(ask)).await;
    let times: Vec<Duration> = times.into_iter().flatten().collect();
    let rate = times.len() as f64 / seconds as f64;
    format!("{} ({rate:.0} a second)", percentiles(times))
}

async fn speed(index: &Index, count: i64, collections: &[Collection]) {
    let mut maker = Maker::new(collections);
    let progress = Progress::begin("", Cursor::default(), 0);
    let (mut text, mut indexing) = (0, Duration::ZERO);
    let mut next = 0;
    while next < count {
        let batch: Vec<Change> = (next..count.min(next + 4000))
            .map(|id| Change::Put(Box::new(maker.document(id))))
            .inspect(|change| {
                if let Change::Put(of) = change {
                    text += of.title.len() + of.passages[0].text.len();
                }
            })
            .collect();
        next += batch.len() as i64;
        let started = Instant::now();
        index.write(batch, &progress).await.unwrap();
        indexing += started.elapsed();
    }
    println!("{count} documents, {} MB of text", text >> 20);
    println!("  indexing: {:.0} a second", count as f64 / indexing.as_secs_f64());
    println!("  size: {} MB", index.size().await.unwrap().1 >> 20);
    let reach = Arc::new(Reach::of((0..SPACES).map(Audience::Readers), 0..SPACES));
    let asks: Vec<Ask> = (0..2000).filter_map(|_| ask(&maker.question(), &reach)).collect();
    let filtered: Vec<Ask> = asks
        .iter()
        .enumerate()
        .map(|(at, of)| {
            let filters = Filters { kinds: vec![Kind::Topic], space: Some(at as i64 % SPACES), ..Filters::default() };
            Ask { filters, ..of.clone() }
        })
        .collect();
    let suggesting: Vec<Ask> = asks
        .iter()
        .map(|of| {
            let short: String = of.query.text.chars().take(5).collect();
            Ask {
                query: Arc::new(parse(&short).unwrap_or_default()),
                names_only: true,
                facets: false,
                limit: 8,
                ..of.clone()
            }
        })
        .collect();
    // The first question computes what the asker may see.
    index.search(asks[0].clone(), None).await.unwrap();
    for clients in [1, 8] {
        for (name, asks) in [("search", &asks), ("filtered search", &filtered), ("suggestion", &suggesting)] {
            println!("  {name}, {clients} client(s): {}", measure(index, asks, clients, 5).await);
        }
    }
    let stop = Arc::new(AtomicBool::new(false));
    let writing = {
        let (index, stop, runtime) = (index.clone(), Arc::clone(&stop), Handle::current());
        std::thread::spawn(move || {
            let (started, mut written) = (Instant::now(), 0i64);
            while !stop.load(Ordering::Relaxed) {
                let batch = (0..500).map(|at| Change::Put(Box::new(maker.document(count + written + at)))).collect();
                runtime.block_on(index.write(batch, &progress)).unwrap();
                written += 500;
            }
            written as f64 / started.elapsed().as_secs_f64()
        })
    };
    let while_writing = measure(index, &asks, 1, 5).await;
    stop.store(true, Ordering::Relaxed);
    let rate = writing.join().unwrap();
    println!("  search while indexing at full rate: {while_writing}, {rate:.0} indexed a second");
}

/// The embedded index, and Meilisearch if there is one (`PRAXIS_TEST_MEILI_URL`).
async fn speeds(count: i64, collections: &[Collection]) {
    let folder = Folder::new();
    let embedded = Generation::open(&folder.0, Tuning::default()).unwrap();
    println!("Tantivy, embedded");
    speed(&Index::Embedded(Arc::new(embedded)), count, collections).await;
    if let Some(home) = meilisearch() {
        println!("Meilisearch");
        let index = home.fresh().await.unwrap();
        speed(&Index::Meili(Arc::new(index.clone())), count, collections).await;
        index.delete().await.unwrap();
    }
}

fn main() {
    let args: Vec<String> = std::env::args().skip(1).collect();
    match args.first().map(String::as_str) {
        Some("quality") if args.len() > 1 => {
            let collections: Vec<Collection> = args[1..].iter().map(|folder| load(folder)).collect();
            let mut table: BTreeMap<usize, (&str, Vec<f64>)> = BTreeMap::new();
            for (at, (name, tuning)) in variants().into_iter().enumerate() {
                let figures = collections.iter().map(|of| quality(of, &tuning)).collect();
                table.insert(at, (name, figures));
            }
            if let Some(figures) = quality_of_meilisearch(&collections) {
                table.insert(table.len(), ("Meilisearch, as shipped", figures));
            }
            let names: Vec<&str> = collections.iter().map(|of| of.name.as_str()).collect();
            println!("| nDCG@10 | {} |", names.join(" | "));
            for (name, figures) in table.values() {
                let figures: Vec<String> = figures.iter().map(|figure| format!("{figure:.3}")).collect();
                println!("| {name} | {} |", figures.join(" | "));
            }
        }
        Some("speed") if args.len() > 2 => {
            let collections: Vec<Collection> = args[2..].iter().map(|folder| load(folder)).collect();
            runtime().block_on(speeds(args[1].parse().expect("a count of documents"), &collections));
        }
        _ => {
            eprintln!("relevance quality FOLDER… | relevance speed COUNT FOLDER…");
            std::process::exit(2);
        }
    }
}
