//! One test's database.

use url::Url;

use crate::Product;

/// A database that nobody else knows of, empty at first.
///
/// On a server of ours it goes with the server. On one from the environment it is dropped with this
/// value, as far as that works.
#[derive(Debug)]
pub struct Database {
    product: Product,
    name: String,
    url: String,
    /// Where to drop it.
    outlived_by: Option<String>,
}

impl Database {
    /// The URL to connect to, with user and, if any, password.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Its name on the server: `test_` and sixteen hexadecimal digits.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// A new database on somebody else's server.
    pub(crate) async fn given(product: Product, server: &str) -> Self {
        let mut database = Self::at(product, server).await;
        database.outlived_by = Some(server.to_owned());
        database
    }

    /// A new database on a server of ours.
    pub(crate) async fn at(product: Product, server: &str) -> Self {
        let name = format!("test_{:016x}", rand::random::<u64>());
        let mut url = Url::parse(server)
            .unwrap_or_else(|error| panic!("{} is no URL: {error}", product.variable()));
        url.set_path(&name);
        let created = product.execute(server, product.create(&name)).await;
        created.unwrap_or_else(|error| panic!("creating a database in {product}: {error}"));
        Self {
            product,
            name,
            url: url.into(),
            outlived_by: None,
        }
    }
}

impl Drop for Database {
    fn drop(&mut self) {
        let Some(server) = self.outlived_by.take() else {
            return;
        };
        let (product, name) = (self.product, std::mem::take(&mut self.name));
        // On a thread of its own: this one may be inside a runtime, which must not be blocked on.
        let dropping = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread()
                .enable_all()
                .build();
            if let Ok(runtime) = runtime {
                let _ = runtime.block_on(product.execute(&server, product.drop(&name)));
            }
        });
        let _ = dropping.join();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Both kinds of database on one server, which is ours and plays somebody else's for one.
    async fn is_dropped(product: Product, given: bool) -> Option<bool> {
        let server = product.own().await?;
        let url = server.url();
        let database = if given {
            Database::given(product, &url).await
        } else {
            Database::at(product, &url).await
        };
        let its_url = database.url().to_owned();
        let answers = || product.execute(&its_url, "SELECT 1".to_owned());
        answers().await.unwrap();
        drop(database);
        Some(answers().await.is_err())
    }

    #[tokio::test]
    async fn what_is_made_on_a_given_server_is_dropped() {
        for product in [Product::Postgres, Product::MariaDb] {
            assert_ne!(is_dropped(product, true).await, Some(false), "{product}");
        }
    }

    #[tokio::test]
    async fn control_what_goes_with_its_server_is_not_dropped() {
        for product in [Product::Postgres, Product::MariaDb] {
            assert_ne!(is_dropped(product, false).await, Some(true), "{product}");
        }
    }
}
