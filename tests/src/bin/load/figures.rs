//! What is counted, and what the system says of a process.

use std::time::Duration;

/// Latencies in buckets that are 3 % wide. Microseconds.
#[derive(Clone)]
pub struct Latencies {
    buckets: Vec<u64>,
    count: u64,
    most: u64,
}

impl Latencies {
    pub fn new() -> Self {
        Self { buckets: vec![0; 64 + 58 * 32], count: 0, most: 0 }
    }

    pub fn add(&mut self, micros: u64) {
        let at = if micros < 64 {
            micros as usize
        } else {
            let power = 63 - micros.leading_zeros() as usize;
            64 + (power - 6) * 32 + ((micros >> (power - 5)) & 31) as usize
        };
        self.buckets[at] += 1;
        self.count += 1;
        self.most = self.most.max(micros);
    }

    pub fn merge(&mut self, other: &Self) {
        self.buckets.iter_mut().zip(&other.buckets).for_each(|(own, more)| *own += more);
        self.count += other.count;
        self.most = self.most.max(other.most);
    }

    /// The latency that this share does not pass.
    pub fn at(&self, share: f64) -> Duration {
        let wanted = (self.count as f64 * share).ceil() as u64;
        let mut seen = 0;
        for (at, count) in self.buckets.iter().enumerate() {
            seen += count;
            if seen >= wanted.max(1) {
                let micros = if at < 64 {
                    at as u64
                } else {
                    let (power, part) = ((at - 64) / 32 + 6, (at - 64) % 32);
                    // The bucket's upper end.
                    (1u64 << power) + ((part as u64 + 1) << (power - 5)) - 1
                };
                return Duration::from_micros(micros.min(self.most));
            }
        }
        Duration::ZERO
    }

    pub const fn most(&self) -> Duration {
        Duration::from_micros(self.most)
    }
}

/// What one run came to.
#[derive(Clone)]
pub struct Outcome {
    pub seconds: f64,
    /// Messages whose `sent` came in the measured time.
    pub accepted: u64,
    /// Messages that reached a reader in the measured time, once for each reader.
    pub delivered: u64,
    /// `events` frames they came in.
    pub frames: u64,
    pub latency: Latencies,
    /// From sending to `sent`.
    pub acknowledged: Latencies,
    pub lost: u64,
    pub twice: u64,
    pub disordered: u64,
    /// Sends that were answered by an error.
    pub refused: u64,
    /// Readers that the server cut, and the code it said last.
    pub cut: u64,
    pub code: u16,
    /// CPU seconds of the server and of this tool in the measured time.
    pub server_cpu: Option<f64>,
    pub own_cpu: f64,
}

impl Outcome {
    pub fn new() -> Self {
        Self {
            seconds: 0.0,
            accepted: 0,
            delivered: 0,
            frames: 0,
            latency: Latencies::new(),
            acknowledged: Latencies::new(),
            lost: 0,
            twice: 0,
            disordered: 0,
            refused: 0,
            cut: 0,
            code: 0,
            server_cpu: None,
            own_cpu: 0.0,
        }
    }

    pub fn merge(&mut self, other: &Self) {
        self.accepted += other.accepted;
        self.delivered += other.delivered;
        self.frames += other.frames;
        self.latency.merge(&other.latency);
        self.acknowledged.merge(&other.acknowledged);
        self.lost += other.lost;
        self.twice += other.twice;
        self.disordered += other.disordered;
        self.refused += other.refused;
        self.cut += other.cut;
        self.code = self.code.max(other.code);
    }

    pub fn deliveries_a_second(&self) -> f64 {
        self.delivered as f64 / self.seconds
    }

    pub fn messages_a_second(&self) -> f64 {
        self.accepted as f64 / self.seconds
    }
}

/// CPU seconds of a process so far, its own and the kernel's for it.
pub fn cpu_seconds(pid: u32) -> Option<f64> {
    // Linux counts these in hundredths of a second, whatever its own clock does.
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    let fields: Vec<&str> = stat.rsplit_once(')')?.1.split_whitespace().collect();
    let ticks = |at: usize| fields.get(at)?.parse::<f64>().ok();
    Some((ticks(11)? + ticks(12)?) / 100.0)
}

/// Resident memory of a process, bytes.
pub fn resident(pid: u32) -> Option<u64> {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    Some(line.trim().trim_end_matches(" kB").trim().parse::<u64>().ok()? * 1024)
}
