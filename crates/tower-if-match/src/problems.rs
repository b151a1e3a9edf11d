//! The problem types: what the `type` of a refusal's problem document (RFC 9457) points to.
//!
//! One section for each type, in it one row for each reason. The reason is the stable code that stands in the
//! document, in the log event, in the metrics and in [`Refusal`](crate::Refusal). Its name in code is
//! [`Reason`](crate::Reason).
//!
//! # From a log line
//!
//! Every refusal is one event `refused`, at level `INFO`, for 5xx at level `ERROR`. Its fields: `method`,
//! `resource` (the path), `status`, `reason`, `sent` (the tags of the request, cut to 128 octets, octets that
//! are not ASCII escaped), `current` (the current tag), `client` (where the owner names clients) and
//! `request_id`. For bulk writes it has `items` and `refused`, two numbers, in place of tags.
//! Look the reason up below, and compare `sent` with `current`: that tells a changed tag from an old one. What a
//! store said, or what is put together wrongly, stands in the event before.
//!
//! A refused write wrote nothing, and mostly its handler never ran. Only `outcome_unknown` and `unguarded_write`
//! leave it open whether something was written.
//!
//! # The answer
//!
//! | member | in which documents | what |
//! | --- | --- | --- |
//! | `type`, `title`, `status` | all | the section of this page, its heading, its status |
//! | `detail` | all | a sentence for people; not stable |
//! | `error` | all | the type as a word, such as `precondition_failed` |
//! | `reason` | all | the stable code |
//! | `instance` | all | the path of the request, without its query |
//! | `failed_condition` | 412 but `lost_race`, 400 | the name of the field that is false or cannot be read |
//! | `current_etag` | 412, 428 | the current entity tag, where the resource exists and has one |
//! | `last_modified`, `conflict` | 412, where the owner opted in | of the current version, see [below](#conflicts) |
//! | `items` | refusals of items in a bulk write | one object for each item of the content, see [below](#bulk-writes) |
//! | `request_id` | all | the request's `X-Request-Id`, where it is 1 to 128 of `A-Za-z0-9._-` |
//!
//! | field | in which answers |
//! | --- | --- |
//! | `Content-Type` | all: `application/problem+json`, or what `Accept` prefers of that, `application/json` and `text/plain` |
//! | `Cache-Control: no-store` | all |
//! | `Vary: accept` | all |
//! | `ETag` | 412 alone, as `current_etag`. Not 428: who has not read it is not to send it. Not bulk writes: there is no single tag |
//! | `Retry-After` | 503 but `outcome_unknown`, because to repeat what may have happened is not the advice to give |
//!
//! `application/json` is the same document under another name. `text/plain` is some lines: status, title and
//! detail, then `reason`, and where they are known `failed condition`, `current etag` and `request id`; no
//! conflict, no items, no members of the owner's. The answer to a HEAD has the fields and no content. A refusal
//! is never 406.
//!
//! No body ever has a tag that was sent (`current_etag` is read from the store) nor anything of the request's
//! content; the log has the tags, and never content either.
//!
//! # Precondition Failed
//!
//! Status 412 (RFC 9110 §15.5.13). A condition of the request is false, and nothing was written. Of several
//! tags in If-Match none fits, and the reason is that of the tag that explains most: `weak_tag`, then
//! `stale_version`, `mangled_tag`, `foreign_tag`, `unknown_tag`. A store that brings tags of its own cannot
//! tell these apart but for `weak_tag`, so all others are `stale_version` there.
//!
//! | reason | meaning | likely causes | cure for the client | cure for the server |
//! | --- | --- | --- | --- | --- |
//! | `stale_version` | the tag is this resource's, of a version that has been replaced | someone else wrote since the client read; the client sent its own write twice, and the first took place; the client keeps tags in a cache that it does not refresh | merge with `conflict.current`, or read again; then send the write with the current tag. Where the current content is what was to be written, it is done | none: this is the protection. Many of them on one resource are contention: smaller resources, or a PATCH that is tried again |
//! | `lost_race` | the condition holds, but someone wrote while this request was running, and this one wrote nothing | If-Match is `*` or lists several tags, and the handler's write depends on what it read, under contention; a handler that settles as lost though nothing changed | send the same request again, after a pause that grows | none where it is rare. Where every write ends so, the handler compares with something else than the version it was handed |
//! | `foreign_tag` | this service minted the tag, for another resource or for an earlier incarnation of this one | the client mixes up tags of two resources, or of a list's items; the resource was deleted and created again; the tag comes from another scope, such as another tenant | read this resource again, and look whether it still is what was meant | none. If it begins with a deployment: the scope or the epoch of the store changed, and clients have to read again once |
//! | `weak_tag` | the tag names the current version, but it is weak (`W/`), and a weak tag never satisfies If-Match (RFC 9110 §13.1.1) | a proxy that compresses weakened it on the way to the client; the client put `W/` before it; the store's own tags are weak | send the tag as the origin sent it; take it from `current_etag` only if the version that was read is still meant | switch compression off in the proxy and compress inside, under `VariantLayer`; or accept such tags, with [`with_weakened_tags_accepted`](crate::Policy::with_weakened_tags_accepted) |
//! | `mangled_tag` | it begins as a tag of this service for this resource, and something was put behind it | a proxy or a cache that marks encoded bodies in a way that is not known (`-gzip`, `;br` and the like are); a client that appends to tags | send the tag as it came, octet by octet, with its quotes | find out what rewrites tags: compare the answer at the origin with that at the edge |
//! | `unknown_tag` | no tag that this service knows | invented, or a hash of the client's own; cut, or changed inside; from before the layer was there; minted with a key that was withdrawn; If-Match with no tag in it; a tag sent to a collection, which has no version | read again, and send what `ETag` says | keep old keys in the [mint](crate::TagMint::with_keys) for as long as clients hold tags; the same keys and the same scope in every process |
//! | `absent` | the request needs a resource that does not exist | it was deleted; the client sends If-Match where it means to create; another path | `If-None-Match: *` creates it, where that is still meant; otherwise drop it | none |
//! | `exists` | If-None-Match names what exists | someone else created it first; the client's own creation was sent twice; If-None-Match was sent where If-Match is meant | read it; then change it under If-Match, or choose another name | none. On a collection's POST the field guards nothing: have clients leave it out |
//! | `modified_since` | the resource was modified after the date in If-Unmodified-Since | someone else wrote; the client's date is its own clock's, not that of `Last-Modified` | read again; better send the tag in If-Match, which is exact | none. Serve tags to clients that know only dates |
//!
//! # Precondition Required
//!
//! Status 428 (RFC 6585 §3). The request overwrites and names no version; nothing was written.
//!
//! | reason | meaning | likely causes | cure for the client | cure for the server |
//! | --- | --- | --- | --- | --- |
//! | `missing_condition` | no condition of the request guards the write | the client sends none; a proxy removes the field; a browser's script is not allowed to send it (CORS); it is one that guards nothing: tags in If-None-Match, a date in If-Modified-Since, an If-Unmodified-Since that is no valid date or that the store's dates are too coarse for, `If-Match: *` where the owner refuses that | read the resource, and send its tag in If-Match; to create, send `If-None-Match: *`. `current_etag` names the current version, but to send it without having read what it names is to overwrite blindly all the same | while clients learn it: [report-only mode](#report-only-mode). For a method that overwrites nothing: [`with_condition_exempt`](crate::Policy::with_condition_exempt). For scripts: allow the fields of [`cors`](crate::cors) |
//!
//! # Bad Request
//!
//! Status 400. A condition field cannot be evaluated, and nothing was written: it is never treated as if it were
//! not there. If-Match is looked at on every method, If-None-Match on those that write; not by OPTIONS, nor where
//! the resource is absent and the method would not create it, because nothing is evaluated then. A date that is
//! none is ignored instead, as RFC 9110 §13.1.4 has it, and then guards nothing.
//!
//! | reason | meaning | likely causes | cure for the client | cure for the server |
//! | --- | --- | --- | --- | --- |
//! | `malformed_condition` | the field is not of its grammar (RFC 9110 §13.1) | a tag without its double quotes; `w/` in place of `W/`; `*` beside a tag; a tag taken from JSON with its backslashes; a space or a quote within a tag | send `ETag` as it came: in double quotes, a weak one after `W/`, several with commas between, `*` alone | none. Where all clients of a kind do it, look at their library, or at a proxy that unquotes |
//! | `oversized_condition` | the field has more than 8192 octets, all its lines together, or more than 64 tags | a client that sends every tag it ever saw; an attempt to make the server work | send the tag of the one version that was read | none |
//!
//! # Not Found
//!
//! Status 404. By the layer only where a write had come as far as its handler, by `BulkLayer` for an item, or under
//! a way that hands the handler nothing to depend on; every other 404 is the handler's.
//!
//! | reason | meaning | likely causes | cure for the client | cure for the server |
//! | --- | --- | --- | --- | --- |
//! | `absent` | the resource does not exist (any more), and the method would not create it | someone deleted it between the evaluation of the condition and the write; the item of a bulk write names what is not there | what was to be changed is gone: drop the change, or create it anew with PUT and `If-None-Match: *` | none |
//!
//! # Service Unavailable
//!
//! Status 503, with `Retry-After` (one second, or what the owner says) but for `outcome_unknown`.
//!
//! | reason | meaning | likely causes | cure for the client | cure for the server |
//! | --- | --- | --- | --- | --- |
//! | `store_unavailable` | the store cannot tell the current version, so nothing was evaluated and nothing written; or its transaction failed, and was rolled back | the database is away, its pool is closed, its disk full, its schema another; under `RepresentationLayer`: GET of the resource fails, or its content is too large or encoded | send the same request again after `Retry-After`, condition and all | read the event before, which has the store's error |
//! | `busy` | the resource could not be had in time; nothing was written | many writers of one resource; a transaction elsewhere that holds the row; a pool that is too small; a handler that writes its row on a second connection and waits for itself; a handler that hangs | send the same request again after `Retry-After`, condition and all | `if_match_lock_wait_seconds` and the database's list of locks tell who holds it; shorten what runs within it, or raise the way's `with_wait_timeout` and the pool |
//! | `outcome_unknown` | the write failed at its very end, and whether it took place is not known | the connection to the database broke while it committed, a failover, a commit that took longer than the database waits | read the resource: if it has what was to be written, it is done; if its tag is still the one that was sent, send the same request again. Under a tag, or `If-None-Match: *`, a repeat cannot write twice; under `If-Match: *` it can | look for broken connections and failovers at that time. With compare and swap the layer cannot see this, and the handler says so |
//!
//! # Internal Server Error
//!
//! Status 500. The service is put together wrongly, which no client can cure.
//!
//! | reason | meaning | likely causes | cure for the client | cure for the server |
//! | --- | --- | --- | --- | --- |
//! | `unguarded_write` | the handler answered with a success, and did not say how its write ended; the write may have happened | the handler does not take `Expected`, or takes it and drops it; under transactions: it writes on another connection, keeps `Tx`, or ends the transaction by itself; the id of the path could not be read, and the handler answered with a success all the same | do not repeat it: read first, and report it | the event before has `expected`: `not taken`, or `taken and not settled`. Take `Expected` (or `Tx`), write on the version that it demands, and settle it on every way to a success |
//! | `unkeyed` | no key can be derived, so nothing was evaluated and nothing written; a read is let through, without a tag | the route has another number of parameters than the key; the layer stands outside the router; two layers for stores of one type guard one route; under `RepresentationLayer`: the resource takes writes, but no GET | none: report it | the event before says which. Give the key finder the route's key, or the route its own layer |
//!
//! # Conflicts
//!
//! A 412 that names a current tag tells more where the owner opted in
//! ([`with_conflicts_for_authorized`](crate::IfMatchLayer::with_conflicts_for_authorized),
//! [`with_public_conflicts`](crate::IfMatchLayer::with_public_conflicts)): `last_modified`, and in `conflict`
//!
//! | member of `conflict` | what | missing where |
//! | --- | --- | --- |
//! | `modified_by` | who made the current version | the store does not know |
//! | `modified_at` | when, as `last_modified` | the store does not know |
//! | `changed` | JSON pointers (RFC 6901) to what differs from the version that the sent tag names | the store does not know that version any more, or the tag names none of this resource's present incarnation |
//! | `current` | the representation that `current_etag` is the tag of | the store does not tell it, or tells no JSON |
//!
//! The owner's redaction may take out any of them. Where the member has more than 64 KiB
//! ([`with_conflict_limit`](crate::Refusals::with_conflict_limit)), first `current` is left out, then `changed`,
//! then `modified_by`, then all of it. Where the store fails here the answer is the plain 412, with a warning event.
//!
//! # Bulk writes
//!
//! [`bulk`](crate::bulk) decides on each item as on a request of its own, and writes all or nothing. The
//! status is that of the refused items if they share one; otherwise 428 if one lacks a condition, else 400 if one
//! is malformed, else 412. `reason` is that of the first item with that status. `items` has an object for each
//! item of the content, in its order: `index` from 0, and where the item is refused `status`, `reason`,
//! `failed_condition` and `current_etag`. An item with `index` alone would have gone on. Conflicts are not told.
//! A content that no items can be made of, or two items of one resource, are 400 without a reason, too many items
//! 413.
//!
//! # Report-only mode
//!
//! Under [`with_report_only`](crate::Policy::with_report_only) two reasons do not refuse: a write without a
//! condition (`missing_condition`), and a success whose handler did not settle (`unguarded_write`). The request
//! goes on, its answer bears `If-Match-Report` with the reason, and the log has the event
//! `would have been refused` at level `WARN`, with the same fields. All other reasons refuse as ever: a condition
//! that was sent is held to. So is a `Tx` that the handler took and did not give back, because its write is undone.

#[cfg(test)]
mod tests;
