//! Holds a server of each product until it is killed: what `tests/end.rs` looks at.

use services::Product;

#[tokio::main(flavor = "current_thread")]
async fn main() {
    let mut servers = Vec::new();
    for product in [Product::Postgres, Product::MariaDb] {
        let Some(server) = product.own().await else {
            continue;
        };
        let process = server.process_ids()[0];
        println!("{process} {}", server.data().display());
        servers.push(server);
    }
    println!("all");
    std::future::pending::<()>().await;
}
