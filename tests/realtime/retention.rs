//! Old events go a little at a time, and leave no holes.

use praxis_server::entities::{event, stream};
use praxis_server::store::insert_rows;
use praxis_server::streams::{Stream, trim};
use sea_orm::{ColumnTrait as _, EntityTrait as _, PaginatorTrait as _, QueryFilter as _, QueryOrder as _};

use crate::support::hub_test;

/// What one step may remove; the server's own figure.
const STEP: usize = 2000;
const EVENTS: i64 = 5000;

hub_test!(async fn old_events_go_some_at_a_time(hub) {
    let store = &hub.state().store;
    // Two rooms that nobody reads. In the second the clock went back: the last events are the oldest.
    let [long, back] = [7, 8].map(|id| Stream::room(id).to_string());
    // Long ago, and not so long that the hub itself would have them gone.
    let base = hub.clock.now() - 86_400_000_000;
    let names = [long.clone(), back.clone()];
    let written = store.write(async move |tx| {
        let head = |name: &String| [name.as_str().into(), EVENTS.into(), 0i64.into(), 1i64.into()];
        let heads: Vec<[sea_orm::Value; 4]> = names.iter().map(head).collect();
        insert_rows(tx.conn(), "INSERT INTO stream (name, head, floor, updated_at) VALUES ", heads).await?;
        let mut rows: Vec<[sea_orm::Value; 7]> = Vec::new();
        for seq in 1..=EVENTS {
            for (name, at) in [(&names[0], base + seq), (&names[1], base + EVENTS + 1 - seq)] {
                let (kind, nobody): (sea_orm::Value, Option<i64>) = ("room.changed".into(), None);
                rows.push([name.as_str().into(), seq.into(), kind, 7i64.into(), nobody.into(), at.into(), "".into()]);
            }
        }
        let insert = "INSERT INTO event (stream, seq, kind, subject_id, actor_id, at, extra) VALUES ";
        insert_rows(tx.conn(), insert, rows).await
    });
    written.await.unwrap();
    let (mut steps, mut all) = (0, 0);
    loop {
        let gone = store.write(async move |tx| trim(tx.conn(), base + EVENTS).await).await.unwrap();
        if gone == 0 {
            break;
        }
        assert!(gone <= STEP, "{gone} in one step");
        (steps, all) = (steps + 1, all + gone);
        for name in [&long, &back] {
            let of = event::Entity::find().filter(event::Column::Stream.eq(name.as_str()));
            let first = of.clone().order_by_asc(event::Column::Seq).one(store.read()).await.unwrap();
            let floor = stream::Entity::find_by_id(name.clone()).one(store.read()).await.unwrap().unwrap().floor;
            let left = i64::try_from(of.count(store.read()).await.unwrap()).unwrap();
            assert_eq!((floor, left), (first.map_or(EVENTS, |first| first.seq - 1), EVENTS - floor), "{name}");
        }
    }
    assert_eq!((steps, all as i64), (5, 2 * EVENTS - 1));
    let kept = event::Entity::find().filter(event::Column::Stream.eq(long.as_str())).one(store.read()).await.unwrap();
    assert_eq!(kept.unwrap().seq, EVENTS, "which is not old enough");
});
