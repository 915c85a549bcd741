//! How a socket without cookie or header says who it is: by its first frame.

use std::time::Duration;

use actix_ws::AggregatedMessage;
use serde_json::json;

use super::incoming::Incoming;
use super::protocol::{ClientFrame, ServerFrame, close, pong_frame};
use super::session::{Session, code_of, seat};
use crate::store::{ANSWER_WITHIN, in_time};
use crate::web::error::AppError;
use crate::web::viewer::Me;

/// Time for the first frame of a socket that has not signed in.
const AUTH_WITHIN: Duration = Duration::from_secs(5);

impl Session {
    /// Waits for the first frame of a client without cookie or header. False: the socket ends.
    pub(super) async fn sign_in(&mut self, messages: &mut Incoming) -> bool {
        let token = tokio::time::timeout(AUTH_WITHIN, self.first_frame(messages)).await;
        let known = match token {
            Ok(Ok(token)) => self.know(&token).await,
            Ok(Err(code)) => Err(code),
            Err(_) => Err(close::SIGNED_OUT),
        };
        known.inspect_err(|code| self.socket.close(*code)).is_ok()
    }

    /// The token of the first frame, or with which code the socket ends. What WebSocket itself sends
    /// to see whether anybody is there comes before it, too.
    async fn first_frame(&self, messages: &mut Incoming) -> Result<String, u16> {
        while let Some(message) = messages.next().await {
            match message.map_err(|error| code_of(&error))? {
                AggregatedMessage::Ping(bytes) => self.socket.send(pong_frame(&bytes)),
                AggregatedMessage::Pong(_) => {}
                AggregatedMessage::Text(text) => match ClientFrame::read(&text).0 {
                    Ok(ClientFrame::Auth { token }) => return Ok(token),
                    _ => return Err(close::SIGNED_OUT),
                },
                AggregatedMessage::Binary(_) => return Err(close::SIGNED_OUT),
                AggregatedMessage::Close(_) => return Err(1000),
            }
        }
        Err(close::SIGNED_OUT)
    }

    /// Makes the socket the member's whose token this is.
    async fn know(&mut self, token: &str) -> Result<(), u16> {
        let known = in_time(ANSWER_WITHIN, Box::pin(self.state.sessions.by_bearer(&self.state, token))).await;
        let Some(me) = known.map_err(come_back)? else {
            let suspended = in_time(ANSWER_WITHIN, Box::pin(self.state.sessions.is_of_suspended(&self.state, token)));
            let suspended = suspended.await.map_err(come_back)?;
            return Err(if suspended { close::SUSPENDED } else { close::SIGNED_OUT });
        };
        self.seat = seat(&self.state, me.id).map_err(|_| close::ABUSE)?;
        self.socket.member.set(me.id);
        self.socket.session.set(me.session_id);
        self.welcome(&me);
        Ok(())
    }

    pub(super) fn welcome(&self, me: &Me) {
        let member = json!({
            "id": crate::store::Id(me.id),
            "handle": me.handle,
            "display_name": me.display_name,
            "role": me.hub_role,
        });
        self.socket.send(ServerFrame::Ready { member }.encode());
    }
}

/// Nobody knows that the session is over: the client is to ask again.
fn come_back(error: AppError) -> u16 {
    tracing::warn!(%error, "a socket could not sign in");
    close::LEAVING
}
