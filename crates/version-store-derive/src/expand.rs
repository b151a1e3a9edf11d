use proc_macro2::TokenStream;
use quote::{quote, quote_spanned};
use syn::spanned::Spanned;
use syn::{Data, DeriveInput, Error, Fields, Generics, parse_quote};

/// The implementation of `Key`, with the paths of the crate that has the trait.
pub(crate) fn key(input: &DeriveInput, version_store: &TokenStream) -> Result<TokenStream, Error> {
    let fields = fields_of(input)?;
    let name = &input.ident;
    let generics = with_bounds(input.generics.clone(), version_store)?;
    let (parameters, arguments, bounds) = generics.split_for_impl();
    let head = head(fields, name, version_store)?;
    let members = fields.members().zip(fields).map(|(member, field)| {
        // Where the field is no key, the error points at it.
        quote_spanned!(field.ty.span()=> #version_store::Key::encode(&self.#member, to);)
    });
    Ok(quote! {
        #[automatically_derived]
        impl #parameters #version_store::Key for #name #arguments #bounds {
            fn encode(&self, to: &mut #version_store::KeyEncoder) {
                #head
                #(#members)*
            }
        }
    })
}

fn fields_of(input: &DeriveInput) -> Result<&Fields, Error> {
    match &input.data {
        Data::Struct(data) => Ok(&data.fields),
        Data::Enum(data) => Err(Error::new(
            data.enum_token.span,
            "`Key` cannot be derived for an enum: nothing keeps the numbers of its variants stable, and tags \
             are minted from them. Implement `Key` by hand, and encode a number of your own for each variant",
        )),
        Data::Union(data) => Err(Error::new(
            data.union_token.span,
            "`Key` cannot be derived for a union: which of its fields holds the value is not known. Use a \
             struct",
        )),
    }
}

/// Each type that is a parameter is a key, too.
fn with_bounds(mut generics: Generics, version_store: &TokenStream) -> Result<Generics, Error> {
    if let Some(lifetime) = generics.lifetimes().next() {
        return Err(Error::new(
            lifetime.span(),
            "`Key` cannot be derived for a struct with a lifetime: a key outlives the request that it came \
             with. Let the fields own their values: `String` in place of `&str`",
        ));
    }
    for parameter in generics.type_params_mut() {
        parameter.bounds.push(parse_quote!(#version_store::Key));
    }
    Ok(generics)
}

/// What stands in front of the members: for several the head of a tuple, for one nothing.
fn head(
    fields: &Fields,
    name: &syn::Ident,
    version_store: &TokenStream,
) -> Result<TokenStream, Error> {
    match u8::try_from(fields.len()) {
        Ok(0) => Err(Error::new(
            name.span(),
            "`Key` cannot be derived for a struct without fields: a key tells resources apart. Where there is \
             one resource only, give the struct a field that names it",
        )),
        Ok(1) => Ok(TokenStream::new()),
        Ok(members) => Ok(quote!(#version_store::KeyEncoder::tuple(to, #members);)),
        Err(_) => Err(Error::new(
            name.span(),
            "`Key` cannot be derived for a struct with more than 255 fields: the encoding of a tuple counts \
             its members in one byte. Group some of them in a struct of their own",
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn expanded(source: &str) -> Result<String, String> {
        let input: DeriveInput = syn::parse_str(source).unwrap();
        key(&input, &quote!(::version_store))
            .map(|tokens| tokens.to_string().replace(' ', ""))
            .map_err(|error| error.to_string())
    }

    fn with_fields(number: usize) -> String {
        format!("struct Many({});", "u8,".repeat(number))
    }

    #[test]
    fn one_field_stands_for_itself() {
        for source in ["struct Id(u64);", "struct Id { r#type: u64 }"] {
            let code = expanded(source).unwrap();
            assert!(!code.contains("tuple"), "{code}");
            assert_eq!(code.matches("Key::encode(&self.").count(), 1, "{code}");
        }
    }

    #[test]
    fn several_fields_are_a_tuple_in_their_order() {
        let code = expanded("struct Id { blog: String, post: u64 }").unwrap();
        assert!(code.contains("KeyEncoder::tuple(to,2u8)"), "{code}");
        assert!(code.find("self.blog") < code.find("self.post"), "{code}");
        let code = expanded(&with_fields(255)).unwrap();
        assert!(code.contains("KeyEncoder::tuple(to,255u8)"));
    }

    #[test]
    fn parameters_are_keys() {
        let code = expanded("struct Scoped<T: Copy, const N: usize>(T, [u8; N]);").unwrap();
        let head =
            "impl<T:Copy+::version_store::Key,constN:usize>::version_store::KeyforScoped<T,N>";
        assert!(code.contains(head), "{code}");
    }

    #[test]
    fn what_is_no_key_is_told_why_and_what_to_do() {
        for (source, why, cure) in [
            ("enum Id { A(u64), B }", "an enum", "by hand"),
            ("union Id { a: u64, b: i64 }", "a union", "Use a struct"),
            ("struct Id<'a>(&'a str);", "a lifetime", "`String`"),
            ("struct Id;", "without fields", "a field that names it"),
            (&with_fields(256), "more than 255 fields", "Group"),
        ] {
            let error = expanded(source).unwrap_err();
            assert!(error.contains(why) && error.contains(cure), "{error}");
        }
    }
}
