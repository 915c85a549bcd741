//! Old events go; a reader that was away for longer than they are kept fetches again by HTTP.

use sea_orm::sea_query::{Expr, ExprTrait, Query};
use sea_orm::{ColumnTrait, ConnectionTrait, DatabaseTransaction, EntityTrait, QueryFilter};

use crate::entities::{event, stream};
use crate::web::error::Result;

/// Removes events older than `before` (microseconds) and raises the floors of their streams
/// first, so that no reader can be told less than it asked for. At most one batch a call;
/// returns how many streams it touched, so that the caller knows whether to come again.
pub async fn trim(tx: &DatabaseTransaction, before: i64) -> Result<usize> {
    let stale = Query::select()
        .column(event::Column::Stream)
        .expr_as(Expr::col(event::Column::Seq).max(), "newest")
        .from(event::Entity)
        .and_where(event::Column::At.lt(before))
        .group_by_col(event::Column::Stream)
        .limit(200)
        .to_owned();
    let rows = tx.query_all(&stale).await?;
    for row in &rows {
        let name: String = row.try_get("", "stream")?;
        let newest: i64 = row.try_get("", "newest")?;
        stream::Entity::update_many()
            .col_expr(stream::Column::Floor, Expr::value(newest))
            .filter(stream::Column::Name.eq(&name))
            .exec(tx)
            .await?;
        event::Entity::delete_many()
            .filter(event::Column::Stream.eq(&name))
            .filter(event::Column::Seq.lte(newest))
            .exec(tx)
            .await?;
    }
    Ok(rows.len())
}
