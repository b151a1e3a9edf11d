//! Holds every installed proxy until it is killed: what `tests/end.rs` looks at.

use proxies::{Proxy, Relay, SetUp};

#[tokio::main(flavor = "current_thread")]
async fn main() {
    let nobody = ([127, 0, 0, 1], 9).into();
    let mut relays = Vec::new();
    for proxy in Proxy::ALL {
        let relay = Relay::start(proxy, SetUp::Gzip, nobody).await;
        relays.extend(relay);
    }
    for relay in &relays {
        println!("{}", relay.data().display());
    }
    println!("all");
    std::future::pending::<()>().await;
}
