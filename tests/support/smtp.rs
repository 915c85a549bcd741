//! A mail server of our own, as far as SMTP (RFC 5321) needs to be spoken to take a letter.

use std::io::{BufRead, BufReader, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};

/// A letter that was taken.
#[derive(Clone, Debug)]
pub struct Letter {
    pub to: String,
    /// Headers and body, with folded lines and soft breaks joined.
    pub text: String,
}

impl Letter {
    /// The text of a header; empty if it has none.
    pub fn header(&self, name: &str) -> &str {
        let head = self.text.split("\n\n").next().unwrap();
        let mark = format!("{name}: ");
        head.lines().find_map(|line| line.strip_prefix(mark.as_str())).unwrap_or_default()
    }
}

#[derive(Default)]
struct Inner {
    letters: Mutex<Vec<Letter>>,
    refusal: Mutex<Option<&'static str>>,
    refused: Mutex<u32>,
    ended: AtomicBool,
}

/// The listening server; it ends with the value.
pub struct Smtp {
    inner: Arc<Inner>,
    address: SocketAddr,
}

impl Smtp {
    pub fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let inner = Arc::new(Inner::default());
        let shared = Arc::clone(&inner);
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                if shared.ended.load(Ordering::Relaxed) {
                    return;
                }
                let (stream, shared) = (stream.unwrap(), Arc::clone(&shared));
                // A client that goes in the middle is no fault of the server's.
                std::thread::spawn(move || drop(talk(stream, &shared)));
            }
        });
        Self { inner, address }
    }

    pub fn url(&self) -> String {
        format!("smtp://{}", self.address)
    }

    /// What recipients are answered from now on; `None` takes them.
    pub fn refuse(&self, answer: Option<&'static str>) {
        *self.inner.refusal.lock().unwrap() = answer;
    }

    /// How many recipients were refused.
    pub fn refused(&self) -> u32 {
        *self.inner.refused.lock().unwrap()
    }

    /// The letters taken so far.
    pub fn letters(&self) -> Vec<Letter> {
        self.inner.letters.lock().unwrap().clone()
    }
}

impl Drop for Smtp {
    fn drop(&mut self) {
        self.inner.ended.store(true, Ordering::Relaxed);
        // Wakes the listener, which then ends.
        let _woken = TcpStream::connect(self.address);
    }
}

fn talk(stream: TcpStream, inner: &Inner) -> std::io::Result<()> {
    let mut out = stream.try_clone()?;
    let mut lines = BufReader::new(stream).lines();
    let mut to = String::new();
    out.write_all(b"220 mail.test ESMTP\r\n")?;
    while let Some(line) = lines.next() {
        let line = line?;
        let verb = line.get(..4).unwrap_or_default().to_ascii_uppercase();
        let answer = match verb.as_str() {
            "EHLO" => "250-mail.test\r\n250 8BITMIME".to_owned(),
            "RCPT" => match *inner.refusal.lock().unwrap() {
                Some(refusal) => {
                    *inner.refused.lock().unwrap() += 1;
                    refusal.to_owned()
                }
                None => {
                    to = line.split(['<', '>']).nth(1).unwrap_or_default().to_owned();
                    "250 ok".to_owned()
                }
            },
            "DATA" => {
                out.write_all(b"354 go on\r\n")?;
                let mut text = String::new();
                for line in lines.by_ref() {
                    let line = line?;
                    if line == "." {
                        break;
                    }
                    text.push_str(line.strip_prefix('.').unwrap_or(&line));
                    text.push('\n');
                }
                let text = text.replace("=\n", "").replace("\n ", " ").replace("=3D", "=");
                inner.letters.lock().unwrap().push(Letter { to: std::mem::take(&mut to), text });
                "250 taken".to_owned()
            }
            "MAIL" | "RSET" | "NOOP" => "250 ok".to_owned(),
            "QUIT" => {
                out.write_all(b"221 bye\r\n")?;
                return Ok(());
            }
            _ => "500 what?".to_owned(),
        };
        out.write_all(format!("{answer}\r\n").as_bytes())?;
    }
    Ok(())
}
