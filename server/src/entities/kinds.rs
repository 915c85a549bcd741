//! The closed sets of words that rows hold: stored as text, the same words as on the wire.

use sea_orm::entity::prelude::*;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// A set of words with its text form, its parser and its list. The words are taken as tokens: a literal in a
/// group of its own is none for the derive of `ToSchema`.
macro_rules! words {
    ($(#[$doc:meta])* $name:ident { $($(#[$vdoc:meta])* $variant:ident = $word:tt),+ $(,)? }) => {
        $(#[$doc])*
        #[derive(
            Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord,
            Serialize, Deserialize, ToSchema, EnumIter, DeriveActiveEnum,
        )]
        #[sea_orm(rs_type = "String", db_type = "Text")]
        pub enum $name {
            $($(#[$vdoc])* #[serde(rename = $word)] #[sea_orm(string_value = $word)] $variant,)+
        }

        impl $name {
            pub const ALL: &'static [Self] = &[$(Self::$variant),+];

            /// The word as stored and as on the wire.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $word),+ }
            }

            /// The value for a word; `None` for any other text.
            #[must_use]
            pub fn parse(word: &str) -> Option<Self> {
                match word { $($word => Some(Self::$variant),)+ _ => None }
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(self.as_str())
            }
        }
    };
}

words!(
    /// What somebody may do in the whole hub.
    HubRole { Member = "member", Expert = "expert", Facilitator = "facilitator", Administrator = "administrator" }
);
words!(
    /// Whether an account can be used. `Unclaimed`: made by an import, cannot sign in, not in the directory.
    MemberState { Active = "active", Unclaimed = "unclaimed", Suspended = "suspended" }
);
words!(
    /// The calling a member speaks from.
    Discipline {
        Clinician = "clinician", Nurse = "nurse", DataScientist = "data_scientist", Engineer = "engineer",
        Researcher = "researcher", Manager = "manager", InformationGovernance = "information_governance",
        PatientPartner = "patient_partner", Industry = "industry", Other = "other",
    }
);
words!(
    /// Who may see a space, from everybody to those invited.
    Visibility { Open = "open", Restricted = "restricted", Private = "private", Confidential = "confidential" }
);
words!(
    /// What somebody may do in one space; ordered, the strongest last.
    SpaceRole { Member = "member", Moderator = "moderator", Owner = "owner" }
);
words!(
    /// What a topic is for.
    TopicKind { Question = "question", Discussion = "discussion", Idea = "idea", Update = "update", Win = "win" }
);
words!(
    /// Why a post was reported.
    ReportReason {
        PatientData = "patient_data", Conduct = "conduct", Unsafe = "unsafe_advice", Spam = "spam", Other = "other",
    }
);
words!(ReportState { Open = "open", Upheld = "upheld", Dismissed = "dismissed" });
words!(JobState { Ready = "ready", Running = "running", Done = "done", Dead = "dead" });
words!(MailState { Queued = "queued", Held = "held", Sent = "sent", Failed = "failed" });
words!(
    /// Who gets into a room: everybody in its space, those let in, or the people it is between.
    RoomKind { Open = "open", Private = "private", Direct = "direct" }
);
words!(
    /// What a member wants others to see of their presence.
    Availability { Online = "online", Away = "away", DoNotDisturb = "do_not_disturb" }
);
#[expect(clippy::derivable_impls, reason = "the macro that makes the enum derives the same for all")]
impl Default for Availability {
    fn default() -> Self {
        Self::Online
    }
}
words!(
    /// Why a member is told of something.
    NoticeKind {
        Mention = "mention", Direct = "direct", Reply = "reply",
        /// There is something new in a saved search.
        Search = "search",
        /// The review of a resource is due.
        Review = "review",
        /// The virus scanner refused a file of theirs.
        Infected = "infected",
        /// The virus scanner does not take a file of theirs.
        Unscannable = "unscannable",
        StudySubmitted = "study_submitted", StudyReturned = "study_returned", StudyPublished = "study_published",
        StudyRetired = "study_retired", StudyCommented = "study_commented", StudyShared = "study_shared",
        StudyCredited = "study_credited", StudyEndorsed = "study_endorsed", StudyAdopted = "study_adopted",
        StudyDue = "study_due",
        /// They are no longer among the authors, or the credited, of a study.
        StudyLeft = "study_left",
    }
);
words!(
    /// Who may read a playbook: anybody, or those who may read its space.
    PlaybookVisibility { Open = "open", Restricted = "restricted" }
);
words!(
    /// What somebody does in a playbook: runs it and reviews, or reviews alone.
    PlaybookRole { Owner = "owner", Reviewer = "reviewer" }
);
words!(
    /// Where a case study stands. `Revised`: published, with changes that are not.
    StudyState {
        Draft = "draft", Submitted = "submitted", Returned = "returned", Published = "published", Revised = "revised",
        Retired = "retired",
    }
);
words!(
    /// Whether somebody writes a case study or is thanked in it.
    StudyRole { Author = "author", Credited = "credited" }
);
words!(
    /// What a case study was made from.
    StudySource { Written = "written", Topic = "topic", Messages = "messages", Import = "import" }
);
words!(
    /// What happened to a case study, in its log.
    StudyAct {
        Made = "made", Submitted = "submitted", Withdrawn = "withdrawn", Returned = "returned",
        Published = "published", Retired = "retired", Imported = "imported",
        /// Somebody became an author, was thanked, or is neither any more; the note says who.
        Joined = "joined", Credited = "credited", Left = "left",
    }
);
words!(
    /// What case studies are filed under.
    TermKind {
        Pathway = "pathway", Setting = "setting", Technique = "technique", DataType = "data_type", Stage = "stage",
        Country = "country", Organisation = "organisation", Technology = "technology",
    }
);
words!(
    /// How far a site has come with what a study describes.
    AdoptionStatus { Considering = "considering", Piloting = "piloting", Live = "live", Stopped = "stopped" }
);
words!(
    /// The parts of a case study, in the order of its page.
    PartKey {
        Summary = "summary", Challenge = "challenge", Aim = "aim", WhatWeDid = "what_we_did",
        Functionality = "functionality", Outcomes = "outcomes", WhatDidNotWork = "what_did_not_work",
        LessonsLearned = "lessons_learned", Costs = "costs", BenefitsAndRisks = "benefits_and_risks",
        Evidence = "evidence", IntendedUse = "intended_use", RegulatoryClass = "regulatory_class",
        DataProtection = "data_protection", EqualityImpact = "equality_impact",
        InformationGovernance = "information_governance", PatientInvolvement = "patient_involvement", Team = "team",
        Sponsor = "sponsor", Supplier = "supplier", Scope = "scope", WhatNext = "what_next",
        FindOutMore = "find_out_more", Contact = "contact", Licence = "licence", Owner = "owner",
        ReviewDue = "review_due",
    }
);
words!(
    /// What a resource is made of.
    ResourceForm { File = "file", Link = "link", Note = "note" }
);
words!(
    /// What a resource is.
    ResourceKind {
        Guidance = "guidance", Report = "report", CaseStudy = "case_study", Dataset = "dataset", Code = "code",
        Template = "template", Video = "video", Slides = "slides", Policy = "policy", Other = "other",
    }
);
words!(
    /// Where on the way to use a resource helps.
    Stage { Understand = "understand", Develop = "develop", Adopt = "adopt" }
);
words!(
    /// What the virus scanner says of a file. `Off`: there was no scanner when it came.
    /// `Unscannable`: the scanner does not take it, such as one above its limit; it stays held.
    ScanState {
        Off = "off", Waiting = "waiting", Clean = "clean", Infected = "infected", Unscannable = "unscannable",
    }
);
words!(
    /// How far the text of a file was taken out. `None`: its type has no text that is taken out.
    TextState { None = "none", Waiting = "waiting", Done = "done", Partial = "partial", Failed = "failed" }
);
