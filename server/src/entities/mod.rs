//! One file a table: columns and their types, no logic. Times are microseconds since 1970 in UTC.

pub mod kinds;

pub mod api_token;
pub mod bookmark;
pub mod endorsement;
pub mod event;
pub mod file;
pub mod idempotent_answer;
pub mod import_ref;
pub mod invitation;
pub mod job;
pub mod mail;
pub mod member;
pub mod member_expertise;
pub mod member_word;
pub mod moderation_act;
pub mod one_time_token;
pub mod page;
pub mod post;
pub mod post_revision;
pub mod reaction;
pub mod refresh_token;
pub mod report;
pub mod session;
pub mod setting;
pub mod space;
pub mod space_invite;
pub mod space_member;
pub mod space_request;
pub mod stream;
pub mod tag;
pub mod topic;
pub mod topic_read;
pub mod topic_tag;
