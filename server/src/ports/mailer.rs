//! Sending mail. Without a mail server mails stay in the outbox table.

use std::sync::Arc;
use std::time::{Duration, Instant};

use lettre::message::header::{HeaderName, HeaderValue};
use lettre::message::{Mailbox, MultiPart};
use lettre::{AsyncSmtpTransport, AsyncTransport as _, Message, Tokio1Executor};

use crate::entities::mail;

/// How long a letter may take in all; each answer of the server may take a third of it.
const WITHIN: Duration = Duration::from_secs(60);

/// How long it is taken for granted what a mail server said of itself.
const KNOWN_FOR: Duration = Duration::from_secs(10);

/// How sending failed.
#[derive(Debug)]
pub enum MailFault {
    /// Trying again will not help: an address that is none, a refusal for good.
    Final(String),
    /// The server is away or busy.
    Later(String),
}

/// The way out for mail, if there is one.
#[derive(Clone, Debug)]
pub struct Mailer {
    smtp: Option<AsyncSmtpTransport<Tokio1Executor>>,
    from: Option<Mailbox>,
    /// When the server was last asked whether it is there, and whether it was.
    known: Arc<tokio::sync::Mutex<Option<(Instant, bool)>>>,
}

impl Mailer {
    /// `smtp_url` and `from` were checked by the configuration.
    #[must_use]
    pub fn new(smtp_url: Option<&str>, from: &str) -> Self {
        let smtp = smtp_url
            .and_then(|url| AsyncSmtpTransport::<Tokio1Executor>::from_url(url).ok())
            .map(|builder| builder.timeout(Some(WITHIN / 3)).build());
        Self { smtp, from: from.parse().ok(), known: Arc::default() }
    }

    #[must_use]
    pub const fn is_configured(&self) -> bool {
        self.smtp.is_some()
    }

    /// Whether the mail server answers, if there is one; it is asked once in ten seconds at most,
    /// and has `within` to say so.
    pub async fn is_ready(&self, within: Duration) -> Option<bool> {
        let smtp = self.smtp.as_ref()?;
        let mut known = self.known.lock().await;
        if let Some((at, good)) = *known
            && at.elapsed() < KNOWN_FOR
        {
            return Some(good);
        }
        let good =
            tokio::time::timeout(within, smtp.test_connection()).await.is_ok_and(|answer| answer.unwrap_or(false));
        *known = Some((Instant::now(), good));
        Some(good)
    }

    /// Sends one mail of the outbox. `stop` is the address that switches such mails off: mail
    /// programs show it as a button (RFC 2369) and post to it at one click (RFC 8058).
    pub async fn send(&self, row: &mail::Model, stop: Option<&str>) -> Result<(), MailFault> {
        let (Some(smtp), Some(from)) = (&self.smtp, &self.from) else {
            return Err(MailFault::Later("no mail server is configured".into()));
        };
        let to: Mailbox = row.to_address.parse().map_err(|_| MailFault::Final("the address is none".into()))?;
        let mut message = Message::builder();
        if let Some(address) = stop {
            let header = |name, value: String| HeaderValue::new(HeaderName::new_from_ascii_str(name), value);
            message = message
                .raw_header(header("List-Unsubscribe", format!("<{address}>")))
                .raw_header(header("List-Unsubscribe-Post", "List-Unsubscribe=One-Click".to_owned()));
        }
        let message = message
            .from(from.clone())
            .to(to)
            .subject(row.subject.clone())
            .message_id(Some(format!("<{}@praxis>", crate::store::Id(row.id))))
            .multipart(MultiPart::alternative_plain_html(row.text.clone(), row.html.clone()))
            .map_err(|error| MailFault::Final(error.to_string()))?;
        let Ok(sent) = tokio::time::timeout(WITHIN, smtp.send(message)).await else {
            return Err(MailFault::Later("the mail server takes too long".into()));
        };
        match sent {
            Ok(_) => Ok(()),
            Err(error) if error.is_permanent() => Err(MailFault::Final(error.to_string())),
            Err(error) => Err(MailFault::Later(error.to_string())),
        }
    }
}
