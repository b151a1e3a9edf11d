//! Both products give working databases.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

use sqlx::{Connection as _, MySqlConnection, PgConnection};

#[tokio::test]
async fn postgres_answers() {
    let Some(database) = services::postgres().await else {
        return;
    };
    let mut connection = PgConnection::connect(database.url()).await.unwrap();
    let name: String = sqlx::query_scalar("SELECT current_database()::text")
        .fetch_one(&mut connection)
        .await
        .unwrap();
    assert_eq!(name, database.name());
}

#[tokio::test]
async fn mariadb_answers() {
    let Some(database) = services::mariadb().await else {
        return;
    };
    let mut connection = MySqlConnection::connect(database.url()).await.unwrap();
    let name: String = sqlx::query_scalar("SELECT DATABASE()")
        .fetch_one(&mut connection)
        .await
        .unwrap();
    assert_eq!(name, database.name());
}
