//! `#[derive(Key)]`, which `version-store` re-exports beside its trait with the feature `derive`.
//!
//! | the struct | its encoding |
//! | --- | --- |
//! | has one field | that field's |
//! | has 2 to 255 fields | a tuple's, of its fields in the order in which they are declared |
//!
//! So a newtype is the same key as what it wraps, and a struct is the same key as the tuple of its fields.
//! To reorder, add or remove fields changes the encoding, and with it every tag that clients hold.
//!
//! A struct without fields, an enum, a union and a struct with lifetimes are errors, which say why.

use proc_macro::TokenStream;
use quote::quote;
use syn::{DeriveInput, parse_macro_input};

mod expand;

/// Implements `version_store::Key` for a struct whose fields are keys.
///
/// It asks for the other traits of a key, too: `Clone`, `PartialEq` and `Debug`.
#[proc_macro_derive(Key)]
pub fn key(input: TokenStream) -> TokenStream {
    expanded(input, &quote!(::version_store))
}

/// The same for those who depend on `tower-if-match` only, which re-exports this as `Key`.
#[doc(hidden)]
#[proc_macro_derive(KeyThroughTheLayer)]
pub fn key_through_the_layer(input: TokenStream) -> TokenStream {
    expanded(input, &quote!(::tower_if_match::version_store))
}

fn expanded(input: TokenStream, version_store: &proc_macro2::TokenStream) -> TokenStream {
    let input = parse_macro_input!(input as DeriveInput);
    expand::key(&input, version_store)
        .unwrap_or_else(syn::Error::into_compile_error)
        .into()
}
