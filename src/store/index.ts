/** What others may use of the store. */
export { BlobNotFound } from "./blobs.ts";
export type { BlobInfo, Blobs, ByteRange } from "./blobs.ts";
export { sql } from "./database.ts";
export type { Database, Migration, Reader, SqlValue, Statement, Transaction } from "./database.ts";
export type { Lease, Leases } from "./lease.ts";
export { openStore } from "./open.ts";
export type { Store, StoreOptions } from "./open.ts";
export type { Job, NewJob, Queue } from "./queue.ts";
