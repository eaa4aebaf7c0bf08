/** How a store is opened, and the words of its interfaces that most users need; the rest stands in the interfaces' own files. */
export { BlobNotFound } from "./blobs.ts";
export type { Blobs } from "./blobs.ts";
export { sql } from "./database.ts";
export type { Database, Migration } from "./database.ts";
export { openStore } from "./open.ts";
export type { Store, StoreOptions } from "./open.ts";
export type { Job, NewJob } from "./queue.ts";
export type { Signals } from "./signals.ts";
