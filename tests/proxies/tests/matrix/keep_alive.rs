//! The body of a refused write, which `IfMatchLayer` never reads, and the connection that it came on.

use wire::{Body, Request, Response};

use crate::origins::Origin;
use crate::routes::{Route, create, replace, uri};

/// It arrives with the head.
const SMALL: usize = 100;
/// It does not fit into one buffer.
const MEDIUM: usize = 60_000;
/// It does not fit into the buffers of the sockets.
const LARGE: usize = 900_000;

const ROUNDS: usize = 20;

/// A write that is refused, with so many bytes of body.
fn refused(id: u64, size: usize) -> Request {
    replace(id, "\"unknown\"").body(Body::Sized(vec![b' '; size]))
}

/// Refuses and reads in turns, all on one connection.
async fn take_turns(origin: Origin, sizes: &[usize]) {
    let routes = Route::all(origin.serve().await).await;
    for route in &routes {
        for size in sizes {
            let (id, state) = create(&routes[0]).await;
            let mut connection = route.open().await;
            for _ in 0..ROUNDS {
                let write = connection.send(&refused(id, *size)).await;
                let write = write.unwrap_or_else(|error| panic!("{} {error}", route.name()));
                assert_eq!(write.status(), 412, "{} {size}", route.name());
                let read = connection.send(&Request::new("GET", uri(id))).await;
                let read = read.unwrap_or_else(|error| panic!("{} {error}", route.name()));
                assert_eq!(read.status(), 200, "{} {size}", route.name());
                assert_eq!(read.header("etag"), Some(&*state), "nothing was written");
            }
        }
    }
}

#[tokio::test]
async fn small_content_of_a_refused_write_does_a_connection_no_harm() {
    take_turns(Origin::Guarded, &[SMALL]).await;
}

/// `DrainLayer`, as the example mounts it.
#[tokio::test]
async fn nor_does_any_content_where_the_origin_reads_the_rest() {
    take_turns(Origin::Posts, &[SMALL, MEDIUM, LARGE]).await;
}

/// Where nobody reads the rest, the origin closes the connection to the proxy, and a body that is
/// still on its way resets it. The proxy may find that in the answer's place and say 502, or pass the
/// answer on and close in turn. Nothing is written even so.
#[tokio::test]
async fn control_large_content_that_nobody_reads_may_cost_answer_or_connection() {
    const ENOUGH: usize = 500;
    let routes = Route::all(Origin::Guarded.serve().await).await;
    for route in &routes {
        let (id, state) = create(&routes[0]).await;
        let mut harmed = false;
        for _ in 0..ENOUGH {
            harmed = !goes_on(route, id).await;
            if harmed {
                break;
            }
        }
        assert!(harmed, "{}", route.name());
        let read = route.send(&Request::new("GET", uri(id))).await;
        assert_eq!(read.header("etag"), Some(&*state), "nothing was written");
    }
}

/// Whether a large refused write is answered, and a read after it on the same connection.
async fn goes_on(route: &Route, id: u64) -> bool {
    let mut connection = route.open().await;
    let write = connection.send(&refused(id, LARGE)).await;
    let read = connection.send(&Request::new("GET", uri(id))).await;
    let is = |answer: wire::Result<Response>, status| answer.is_ok_and(|it| it.status() == status);
    is(write, 412) && is(read, 200)
}
