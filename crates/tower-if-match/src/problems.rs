//! The problem types: the pages to which the `type` of a refusal's problem document (RFC 9457) points.
//!
//! There is one section per type, with one row per reason. The reason is the stable code in the document, in the
//! log event, in the metrics and in [`Refusal`](crate::Refusal). In code it is a [`Reason`](crate::Reason).
//!
//! # From a log line
//!
//! Every refusal is one event `refused`, at level `INFO`, or `ERROR` for 5xx. Its fields are `method`, `resource`
//! (the path), `status`, `reason`, `sent` (the tags of the request, truncated to 128 bytes, with bytes that are not
//! ASCII escaped), `current` (the current tag), `client` (if you name clients) and `request_id`. For bulk writes it
//! has the numbers `items` and `refused` in place of tags.
//! Look up the reason below, and compare `sent` with `current`: that distinguishes a changed tag from an old one. The
//! event before it has the store's error or the misconfiguration.
//!
//! A refused write wrote nothing, and usually its handler never ran. Only with `outcome_unknown` and
//! `unguarded_write` something may have been written.
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
//! | `failed_condition` | 412 except `lost_race`, 400 | the name of the field whose condition is false or cannot be parsed |
//! | `current_etag` | 412, 428 | the current entity tag, if the resource exists and has one |
//! | `last_modified`, `conflict` | 412, if you opted in | of the current version, see [below](#conflicts) |
//! | `items` | refusals of items in a bulk write | one object per item of the body, see [below](#bulk-writes) |
//! | `request_id` | all | the request's `X-Request-Id`, if it is 1 to 128 characters of `A-Za-z0-9._-` |
//!
//! | field | in which responses |
//! | --- | --- |
//! | `Content-Type` | all: `application/problem+json`, or whichever of that, `application/json` and `text/plain` the request's `Accept` prefers |
//! | `Cache-Control: no-store` | all |
//! | `Vary: accept` | all |
//! | `ETag` | 412 only, the same as `current_etag`. Not 428: a client that has not read the version must not send its tag. Not bulk writes: there is no single tag |
//! | `Retry-After` | 503 except `outcome_unknown`, because a write that may have happened should not simply be repeated |
//!
//! `application/json` is the same document under another name. `text/plain` is a few lines: status, title and
//! detail, then `reason`, and if they are known `failed condition`, `current etag` and `request id`; it has no
//! conflict, no items and none of your own members. The response to a HEAD has the fields but no body. A refusal is
//! never 406.
//!
//! No response ever contains a tag that was sent (`current_etag` is read from the store) or anything from the
//! request's body. The log contains the tags, but never anything from a body.
//!
//! # Precondition Failed
//!
//! Status 412 (RFC 9110 §15.5.13). A condition of the request is false, and nothing was written. If several tags in
//! If-Match all fail, the reason is the most informative one: `weak_tag`, then `stale_version`, `mangled_tag`,
//! `foreign_tag`, `unknown_tag`. If a store supplies its own tags, the layer can only recognise `weak_tag`, so all
//! others are `stale_version` there.
//!
//! | reason | meaning | likely causes | cure for the client | cure for the server |
//! | --- | --- | --- | --- | --- |
//! | `stale_version` | the tag belongs to a version of this resource that has since been replaced | someone else wrote since the client read; the client sent its own write twice, and the first one succeeded; the client keeps tags in a cache that it does not refresh | merge with `conflict.current`, or read again; then send the write with the current tag. If the current body already is what you wanted to write, you are done | none: this is the protection at work. If one resource has many of them, it is contended: split it up, or retry a PATCH |
//! | `lost_race` | the condition holds, but someone else wrote while this request was running, and this one wrote nothing | If-Match is `*` or lists several tags, and the handler's write depends on what it read, under contention; a handler that settles as lost although nothing changed | send the same request again, with growing pauses | none if it is rare. If every write ends this way, the handler compares with something other than the version that it was given |
//! | `foreign_tag` | this service minted the tag, but for another resource or for an earlier incarnation of this one | the client mixes up the tags of two resources, or of a list's items; the resource was deleted and created again; the tag comes from another scope, such as another tenant | read this resource again, and check whether it still is the one that you meant | none. If it begins with a deployment: the scope or the epoch of the store changed, and clients have to read again once |
//! | `weak_tag` | the tag names the current version, but it is weak (`W/`), and a weak tag never satisfies If-Match (RFC 9110 §13.1.1) | a proxy that compresses weakened it in transit to the client; the client prepended `W/`; the store itself supplies weak tags | send the tag as the origin sent it; take it from `current_etag` only if you still mean the version that you read | switch compression off in the proxy and compress inside, under `VariantLayer`; or accept such tags, with [`with_weakened_tags_accepted`](crate::Policy::with_weakened_tags_accepted) |
//! | `mangled_tag` | it begins like a tag of this service for this resource, but something was appended to it | a proxy or a cache that marks encoded bodies in an unknown way (`-gzip`, `;br` and the like are known); a client that appends to tags | send the tag exactly as received, byte by byte, with its quotes | find out what rewrites tags: compare the response at the origin with that at the edge |
//! | `unknown_tag` | this service does not recognise the tag | the client invented it, or computed a hash of its own; it was truncated, or changed in the middle; it is from before the layer was added; it was minted with a key that was withdrawn; If-Match has no tag in it; the tag was sent to a collection, which has no version | read again, and send the value of `ETag` | keep old keys in the [mint](crate::TagMint::with_keys) for as long as clients hold tags; use the same keys and the same scope in every process |
//! | `absent` | the request needs a resource that does not exist | it was deleted; the client sends If-Match although it wants to create; the path is wrong | `If-None-Match: *` creates it, if you still want that; otherwise drop the write | none |
//! | `exists` | If-None-Match names what exists | someone else created it first; the client's own creation was sent twice; If-None-Match was sent where If-Match was meant | read it; then change it under If-Match, or choose another name | none. On a collection's POST the field guards nothing: have clients leave it out |
//! | `modified_since` | the resource was modified after the date in If-Unmodified-Since | someone else wrote; the client's date is from its own clock, not from `Last-Modified` | read again; better send the tag in If-Match, which is exact | none. Serve tags to clients that know only dates |
//!
//! # Precondition Required
//!
//! Status 428 (RFC 6585 §3). The request overwrites without naming a version; nothing was written.
//!
//! | reason | meaning | likely causes | cure for the client | cure for the server |
//! | --- | --- | --- | --- | --- |
//! | `missing_condition` | no condition of the request guards the write | the client sends none; a proxy removes the field; a browser's script may not send it (CORS); the condition guards nothing: tags in If-None-Match, a date in If-Modified-Since, an If-Unmodified-Since that is no valid date or for which the store's dates are too coarse, `If-Match: *` if your policy refuses it | read the resource, and send its tag in If-Match; to create, send `If-None-Match: *`. `current_etag` names the current version, but if you send it without having read that version, you still overwrite blindly | while clients learn it: [report-only mode](#report-only-mode). For a method that overwrites nothing: [`with_condition_exempt`](crate::Policy::with_condition_exempt). For scripts: allow the fields of [`cors`](crate::cors) |
//!
//! # Bad Request
//!
//! Status 400. A condition field cannot be evaluated, and nothing was written: the layer never treats it as absent.
//! If-Match is parsed on every method, If-None-Match on those that write; neither on OPTIONS, nor if the resource is
//! absent and the method would not create it, because nothing is evaluated then. An invalid date is ignored instead,
//! as RFC 9110 §13.1.4 requires, and then guards nothing.
//!
//! | reason | meaning | likely causes | cure for the client | cure for the server |
//! | --- | --- | --- | --- | --- |
//! | `malformed_condition` | the field does not match its grammar (RFC 9110 §13.1) | a tag without its double quotes; `w/` in place of `W/`; `*` next to a tag; a tag copied from JSON with its backslashes; a space or a quote within a tag | send `ETag` as received: in double quotes, a weak one after `W/`, several separated by commas, `*` alone | none. If all clients of one kind do it, look at their library, or at a proxy that unquotes |
//! | `oversized_condition` | the field has more than 8192 bytes, all its lines together, or more than 64 tags | a client that sends every tag that it ever saw; an attempt to overload the server | send the tag of the one version that you read | none |
//!
//! # Not Found
//!
//! Status 404. The layer sends it only if a write had already reached its handler, `BulkLayer` for an item, or under
//! a strategy that gives the handler nothing to depend on; every other 404 is the handler's.
//!
//! | reason | meaning | likely causes | cure for the client | cure for the server |
//! | --- | --- | --- | --- | --- |
//! | `absent` | the resource does not exist (any more), and the method would not create it | someone deleted it between the evaluation of the condition and the write; an item of a bulk write names a resource that does not exist | what you wanted to change is gone: drop the change, or create it anew with PUT and `If-None-Match: *` | none |
//!
//! # Service Unavailable
//!
//! Status 503, with `Retry-After` (one second by default, see
//! [`with_retry_after`](crate::Refusals::with_retry_after)) except for `outcome_unknown`.
//!
//! | reason | meaning | likely causes | cure for the client | cure for the server |
//! | --- | --- | --- | --- | --- |
//! | `store_unavailable` | the store cannot tell the current version, so nothing was evaluated or written; or its transaction failed, and was rolled back | the database is down, its pool is closed, its disk is full, its schema differs; under `RepresentationLayer`: GET of the resource fails, or its body is too large or encoded | send the same request again after `Retry-After`, with the same condition | read the event before, which has the store's error |
//! | `busy` | timed out waiting for the resource; nothing was written | many writers of one resource; a transaction elsewhere that holds the row; a pool that is too small; a handler that writes its row on a second connection and waits for itself; a handler that hangs | send the same request again after `Retry-After`, with the same condition | `if_match_lock_wait_seconds` and the database's list of locks show who holds it; shorten what runs while it is held, or raise the strategy's `with_wait_timeout` and the pool |
//! | `outcome_unknown` | the write failed at its very end, and whether it took place is unknown | the connection to the database broke during the commit, a failover, a commit that took longer than the database waits | read the resource: if it is what you wanted to write, you are done; if its tag is still the one that you sent, send the same request again. Under a tag, or `If-None-Match: *`, a repeat cannot write twice; under `If-Match: *` it can | look for broken connections and failovers at that time. With compare and swap the layer cannot see this; the handler reports it |
//!
//! # Internal Server Error
//!
//! Status 500. The service is misconfigured, which no client can fix.
//!
//! | reason | meaning | likely causes | cure for the client | cure for the server |
//! | --- | --- | --- | --- | --- |
//! | `unguarded_write` | the handler reported success without settling its write; the write may have happened | the handler does not take `Expected`, or takes it and drops it; with transactions: it writes on another connection, keeps `Tx`, or ends the transaction itself; the id in the path could not be parsed, but the handler reported success | do not repeat it: read first, and report it | the event before has `expected`: `not taken`, or `taken and not settled`. Take `Expected` (or `Tx`), write on the version that it demands, and settle it on every path to a success |
//! | `unkeyed` | no key can be derived, so nothing was evaluated or written; reads pass through, without a tag | the number of parameters of the route differs from that of the key; the layer is outside the router; two layers for stores of one type guard one route; under `RepresentationLayer`: the resource accepts writes, but no GET | none: report it | the event before says which. Make the key finder fit the route, or give the route its own layer |
//!
//! # Conflicts
//!
//! A 412 with a current tag carries more if you opted in
//! ([`with_conflicts_for_authorized`](crate::IfMatchLayer::with_conflicts_for_authorized),
//! [`with_public_conflicts`](crate::IfMatchLayer::with_public_conflicts)): `last_modified`, and in `conflict`
//!
//! | member of `conflict` | what | missing if |
//! | --- | --- | --- |
//! | `modified_by` | who made the current version | the store does not know |
//! | `modified_at` | when, the same as `last_modified` | the store does not know |
//! | `changed` | JSON pointers (RFC 6901) to what differs from the version that the sent tag names | the store no longer knows that version, or the tag names none of this resource's current incarnation |
//! | `current` | the representation to which `current_etag` belongs | the store does not supply it, or supplies invalid JSON |
//!
//! Your redaction hook may remove any of them. If the member has more than 64 KiB
//! ([`with_conflict_limit`](crate::Refusals::with_conflict_limit)), first `current` is left out, then `changed`,
//! then `modified_by`, then all of it. If the store fails here, the response is the plain 412, with a warning event.
//!
//! # Bulk writes
//!
//! [`bulk`](crate::bulk) decides on each item as if it were a request of its own, and writes all or nothing. The
//! status is that of the refused items if they share one; otherwise 428 if one lacks a condition, else 400 if one
//! is malformed, else 412. `reason` is that of the first item with that status. `items` has one object per item of
//! the body, in the same order: `index` from 0, and if the item is refused `status`, `reason`, `failed_condition` and
//! `current_etag`. An item with `index` alone would have proceeded. Conflict metadata is not included. A body that
//! cannot be read as items, or names one resource twice, is 400 without a reason; too many items are 413.
//!
//! # Report-only mode
//!
//! Under [`with_report_only`](crate::Policy::with_report_only) two reasons do not refuse: a write without a
//! condition (`missing_condition`), and a success whose handler did not settle (`unguarded_write`). The request
//! proceeds, its response carries `If-Match-Report` with the reason, and the log has the event
//! `would have been refused` at level `WARN`, with the same fields. All other reasons still refuse: a condition
//! that was sent is enforced. So is the return of a `Tx` that the handler took, because without it the write is
//! rolled back.

#[cfg(test)]
mod tests;
