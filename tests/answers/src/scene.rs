use std::net::SocketAddr;

use tokio::net::TcpListener;
use wire::{Connection, Request};

use crate::posts::{Post, Posts};
use crate::{Answer, Example, Exchange, service};

/// A service with posts 1 and 2, and whoever sends it requests.
#[derive(Debug)]
pub struct Scene {
    addr: SocketAddr,
    /// What is stored.
    pub posts: Posts,
}

impl Scene {
    /// Serves on a port that is free, until the runtime ends.
    ///
    /// # Panics
    ///
    /// Where there is no port.
    pub async fn new() -> Self {
        let posts = Posts::default();
        posts.write(1, Post::new("First", "ada"));
        posts.write(2, Post::new("Second", "ada"));
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let addr = listener.local_addr().expect("an address");
        let app = service::app(posts.clone());
        tokio::spawn(async move { axum::serve(listener, app).await });
        Self { addr, posts }
    }

    /// The entity tag that a read of this post is answered with.
    ///
    /// # Panics
    ///
    /// Where it has none.
    pub async fn tag(&self, id: u64) -> String {
        let read = self
            .exchange(Request::new("GET", format!("/posts/{id}")))
            .await;
        let tag = read.answer.field("etag").expect("a read has a tag");
        tag.to_owned()
    }

    /// Sends a request.
    ///
    /// # Panics
    ///
    /// Where no answer comes.
    pub async fn exchange(&self, request: Request) -> Exchange {
        let mut connection = Connection::open(self.addr).await.expect("a connection");
        let response = connection.send(&request).await.expect("an answer");
        Exchange {
            request,
            answer: Answer::from(&response),
        }
    }

    pub(crate) async fn example(
        &self,
        cure: &'static str,
        story: &'static str,
        request: Request,
    ) -> Example {
        Example {
            story,
            cure,
            exchange: self.exchange(request).await,
        }
    }

    /// The tag of post 1, which somebody has written since.
    pub(crate) async fn stale_tag(&self) -> String {
        let tag = self.tag(1).await;
        self.posts.write(1, Post::new("Changed", "eve"));
        tag
    }
}
