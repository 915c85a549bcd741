//! How a socket without cookie or header says who it is: by its first frame.

use std::time::Duration;

use actix_ws::{AggregatedMessage, AggregatedMessageStream};
use futures_util::StreamExt as _;
use serde_json::json;

use super::protocol::{ClientFrame, ServerFrame, close};
use super::session::{Session, seat};
use crate::store::{ANSWER_WITHIN, in_time};
use crate::web::viewer::Me;

/// Time for the first frame of a socket that has not signed in.
const AUTH_WITHIN: Duration = Duration::from_secs(5);

impl Session {
    /// Waits for the first frame of a client without cookie or header. False: the socket ends.
    pub(super) async fn sign_in(&mut self, messages: &mut AggregatedMessageStream) -> bool {
        match self.first_frame(messages).await {
            Ok(()) => true,
            Err(code) => {
                self.socket.close(code);
                false
            }
        }
    }

    async fn first_frame(&mut self, messages: &mut AggregatedMessageStream) -> Result<(), u16> {
        let first = tokio::time::timeout(AUTH_WITHIN, messages.next()).await;
        let Ok(Some(Ok(AggregatedMessage::Text(text)))) = first else { return Err(close::SIGNED_OUT) };
        let Ok(ClientFrame::Auth { token }) = ClientFrame::read(&text).0 else { return Err(close::SIGNED_OUT) };
        let known = in_time(ANSWER_WITHIN, Box::pin(self.state.sessions.by_bearer(&self.state, &token))).await;
        let me = match known {
            Ok(Some(me)) => me,
            Ok(None) => return Err(close::SIGNED_OUT),
            // Nobody knows that the session is over: it comes back and asks again.
            Err(error) => {
                tracing::warn!(%error, "a socket could not sign in");
                return Err(close::LEAVING);
            }
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
