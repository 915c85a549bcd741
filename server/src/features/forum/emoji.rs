//! One emoji as it is stored: fully qualified, so that the same picture is counted once whether or
//! not a keyboard writes U+FE0F. Pure.

use std::ops::RangeInclusive;

use crate::web::error::{AppError, Result};

/// Asks for the picture of the character before it.
const PICTURE: char = '\u{fe0f}';
const JOINER: char = '\u{200d}';
const KEYCAP: char = '\u{20e3}';
/// The black flag that begins flags of regions, and the end of their letters.
const REGION: char = '\u{1f3f4}';
const REGION_END: char = '\u{e007f}';

/// Characters that are shown as text unless a picture is asked for (Unicode: `Emoji` without
/// `Emoji_Presentation`), but for digits.
#[rustfmt::skip]
const AS_TEXT: [RangeInclusive<u32>; 116] = [
    0x00a9..=0x00a9, 0x00ae..=0x00ae, 0x203c..=0x203c, 0x2049..=0x2049, 0x2122..=0x2122, 0x2139..=0x2139,
    0x2194..=0x2199, 0x21a9..=0x21aa, 0x2328..=0x2328, 0x23cf..=0x23cf, 0x23ed..=0x23ef, 0x23f1..=0x23f2,
    0x23f8..=0x23fa, 0x24c2..=0x24c2, 0x25aa..=0x25ab, 0x25b6..=0x25b6, 0x25c0..=0x25c0, 0x25fb..=0x25fc,
    0x2600..=0x2604, 0x260e..=0x260e, 0x2611..=0x2611, 0x2618..=0x2618, 0x261d..=0x261d, 0x2620..=0x2620,
    0x2622..=0x2623, 0x2626..=0x2626, 0x262a..=0x262a, 0x262e..=0x262f, 0x2638..=0x263a, 0x2640..=0x2640,
    0x2642..=0x2642, 0x265f..=0x2660, 0x2663..=0x2663, 0x2665..=0x2666, 0x2668..=0x2668, 0x267b..=0x267b,
    0x267e..=0x267e, 0x2692..=0x2692, 0x2694..=0x2697, 0x2699..=0x2699, 0x269b..=0x269c, 0x26a0..=0x26a0,
    0x26a7..=0x26a7, 0x26b0..=0x26b1, 0x26c8..=0x26c8, 0x26cf..=0x26cf, 0x26d1..=0x26d1, 0x26d3..=0x26d3,
    0x26e9..=0x26e9, 0x26f0..=0x26f1, 0x26f4..=0x26f4, 0x26f7..=0x26f9, 0x2702..=0x2702, 0x2708..=0x2709,
    0x270c..=0x270d, 0x270f..=0x270f, 0x2712..=0x2712, 0x2714..=0x2714, 0x2716..=0x2716, 0x271d..=0x271d,
    0x2721..=0x2721, 0x2733..=0x2734, 0x2744..=0x2744, 0x2747..=0x2747, 0x2763..=0x2764, 0x27a1..=0x27a1,
    0x2934..=0x2935, 0x2b05..=0x2b07, 0x3030..=0x3030, 0x303d..=0x303d, 0x3297..=0x3297, 0x3299..=0x3299,
    0x1f170..=0x1f171, 0x1f17e..=0x1f17f, 0x1f202..=0x1f202, 0x1f237..=0x1f237, 0x1f321..=0x1f321, 0x1f324..=0x1f32c,
    0x1f336..=0x1f336, 0x1f37d..=0x1f37d, 0x1f396..=0x1f397, 0x1f399..=0x1f39b, 0x1f39e..=0x1f39f, 0x1f3cb..=0x1f3ce,
    0x1f3d4..=0x1f3df, 0x1f3f3..=0x1f3f3, 0x1f3f5..=0x1f3f5, 0x1f3f7..=0x1f3f7, 0x1f43f..=0x1f43f, 0x1f441..=0x1f441,
    0x1f4fd..=0x1f4fd, 0x1f549..=0x1f54a, 0x1f56f..=0x1f570, 0x1f573..=0x1f579, 0x1f587..=0x1f587, 0x1f58a..=0x1f58d,
    0x1f590..=0x1f590, 0x1f5a5..=0x1f5a5, 0x1f5a8..=0x1f5a8, 0x1f5b1..=0x1f5b2, 0x1f5bc..=0x1f5bc, 0x1f5c2..=0x1f5c4,
    0x1f5d1..=0x1f5d3, 0x1f5dc..=0x1f5de, 0x1f5e1..=0x1f5e1, 0x1f5e3..=0x1f5e3, 0x1f5e8..=0x1f5e8, 0x1f5ef..=0x1f5ef,
    0x1f5f3..=0x1f5f3, 0x1f5fa..=0x1f5fa, 0x1f6cb..=0x1f6cb, 0x1f6cd..=0x1f6cf, 0x1f6e0..=0x1f6e5, 0x1f6e9..=0x1f6e9,
    0x1f6f0..=0x1f6f0, 0x1f6f3..=0x1f6f3,
];

/// Signs of the lower planes that are pictures by themselves.
#[rustfmt::skip]
const AS_PICTURE: [RangeInclusive<u32>; 43] = [
    0x231a..=0x231b, 0x23e9..=0x23ec, 0x23f0..=0x23f0, 0x23f3..=0x23f3, 0x25fd..=0x25fe, 0x2614..=0x2615,
    0x2648..=0x2653, 0x267f..=0x267f, 0x2693..=0x2693, 0x26a1..=0x26a1, 0x26aa..=0x26ab, 0x26bd..=0x26be,
    0x26c4..=0x26c5, 0x26ce..=0x26ce, 0x26d4..=0x26d4, 0x26ea..=0x26ea, 0x26f2..=0x26f3, 0x26f5..=0x26f5,
    0x26fa..=0x26fa, 0x26fd..=0x26fd, 0x2705..=0x2705, 0x270a..=0x270b, 0x2728..=0x2728, 0x274c..=0x274c,
    0x274e..=0x274e, 0x2753..=0x2755, 0x2757..=0x2757, 0x2795..=0x2797, 0x27b0..=0x27b0, 0x27bf..=0x27bf,
    0x2b1b..=0x2b1c, 0x2b50..=0x2b50, 0x2b55..=0x2b55, 0x1f004..=0x1f004, 0x1f0cf..=0x1f0cf, 0x1f18e..=0x1f18e,
    0x1f191..=0x1f19a, 0x1f201..=0x1f201, 0x1f21a..=0x1f21a, 0x1f22f..=0x1f22f, 0x1f232..=0x1f236, 0x1f238..=0x1f23a,
    0x1f250..=0x1f251,
];

/// One emoji as stored, or 422. `❤` and `❤️` are the same, as are `1⃣` and `1️⃣`.
pub fn parse_emoji(given: &str) -> Result<String> {
    let bare: Vec<char> = given.chars().filter(|c| *c != PICTURE).collect();
    if is_emoji(&bare) { Ok(qualified(&bare)) } else { Err(AppError::field("emoji", "is one emoji")) }
}

fn among(ranges: &[RangeInclusive<u32>], c: char) -> bool {
    ranges.iter().any(|range| range.contains(&u32::from(c)))
}

const fn is_modifier(c: char) -> bool {
    matches!(c, '\u{1f3fb}'..='\u{1f3ff}')
}

fn is_picture(c: char) -> bool {
    !is_modifier(c) && (matches!(c, '\u{1f300}'..='\u{1faff}') || among(&AS_TEXT, c) || among(&AS_PICTURE, c))
}

/// Asks for a picture wherever a character would be text; a skin tone asks by itself.
fn qualified(bare: &[char]) -> String {
    let mut text = String::with_capacity(bare.len() * 4);
    let mut rest = bare.iter().peekable();
    while let Some(c) = rest.next() {
        text.push(*c);
        let toned = rest.peek().is_some_and(|next| is_modifier(**next));
        if (c.is_ascii() || among(&AS_TEXT, *c)) && !toned {
            text.push(PICTURE);
        }
    }
    text
}

/// One pictograph with its modifiers and joined parts, a keycap, or a flag.
fn is_emoji(bare: &[char]) -> bool {
    let letter = |c: &char| matches!(c, '\u{1f1e6}'..='\u{1f1ff}');
    match bare {
        [first, second] if letter(first) && letter(second) => return true,
        [key, KEYCAP] => return key.is_ascii_digit() || matches!(key, '#' | '*'),
        [REGION, region @ .., REGION_END] => {
            let sign = |c: &char| matches!(c, '\u{e0030}'..='\u{e0039}' | '\u{e0061}'..='\u{e007a}');
            return (3..=6).contains(&region.len()) && region.iter().all(sign);
        }
        _ => {}
    }
    let mut before = JOINER;
    for c in bare.iter().copied() {
        let fits = match c {
            JOINER => before != JOINER,
            c if is_modifier(c) => is_picture(before),
            c => is_picture(c) && before == JOINER,
        };
        if !fits {
            return false;
        }
        before = c;
    }
    before != JOINER && bare.len() <= 10
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_picture_is_the_same_text() {
        for (written, stored) in [
            ("❤", "❤\u{fe0f}"),
            ("❤\u{fe0f}", "❤\u{fe0f}"),
            ("1\u{20e3}", "1\u{fe0f}\u{20e3}"),
            ("1\u{fe0f}\u{20e3}", "1\u{fe0f}\u{20e3}"),
            ("#\u{fe0f}\u{20e3}", "#\u{fe0f}\u{20e3}"),
            ("👍\u{fe0f}", "👍"),
            ("👍🏽", "👍🏽"),
            ("☝🏽", "☝🏽"),
            ("☝", "☝\u{fe0f}"),
            ("🏳\u{200d}🌈", "🏳\u{fe0f}\u{200d}🌈"),
            ("👁\u{200d}🗨", "👁\u{fe0f}\u{200d}🗨\u{fe0f}"),
            ("🇳🇴", "🇳🇴"),
            ("🏴󠁧󠁢󠁳󠁣󠁴󠁿", "🏴󠁧󠁢󠁳󠁣󠁴󠁿"),
            ("👩\u{200d}⚕", "👩\u{200d}⚕\u{fe0f}"),
        ] {
            assert_eq!(parse_emoji(written).unwrap(), stored, "{written}");
        }
    }

    #[test]
    fn a_picture_by_itself_stays_as_it_is() {
        for emoji in [
            "👍",
            "❤\u{fe0f}",
            "🎉",
            "💡",
            "👀",
            "🙏",
            "👎",
            "👏",
            "🤔",
            "🚀",
            "✅",
            "❌",
            "🔥",
            "💯",
            "😀",
            "⭐",
            "📌",
        ] {
            assert_eq!(parse_emoji(emoji).unwrap(), emoji);
        }
    }

    #[test]
    fn what_is_none_is_refused() {
        for text in ["", "a", "1", "👍👍", "🇳", "🏽", "\u{fe0f}", "👍\u{200d}", "12\u{20e3}", "→", "❤\u{fe0e}"]
        {
            assert!(parse_emoji(text).is_err(), "{text:?}");
        }
    }
}
