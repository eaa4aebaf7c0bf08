/** Versions and unfinished uploads from a place on, as walks fetch them. */
import type { Reader } from "../../../store/database.ts";
import type { UploadRow } from "../rows.ts";
import { listUploads, listUploadsOfKey, listVersions, listVersionsOfKey } from "../store-listing.ts";
import type { ListedVersion } from "../store-listing.ts";
import { afterKey } from "./keys.ts";
import type { Fetch } from "./walk.ts";

/** Versions and delete markers: by key, the newest first. */
export function fetchVersions(reader: Reader, bucket: string): Fetch<ListedVersion> {
  return async (cursor, to, most) => {
    if ("from" in cursor) return listVersions(reader, bucket, { from: cursor.from, to }, most);
    const { object_key: key, seq } = cursor.after;
    const older = await listVersionsOfKey(reader, bucket, key, seq, most);
    if (older.length === most) return older;
    const span = { from: afterKey(key), to };
    return [...older, ...(await listVersions(reader, bucket, span, most - older.length))];
  };
}

/** Unfinished uploads: by key, the oldest first. */
export function fetchUploads(reader: Reader, bucket: string): Fetch<UploadRow> {
  return async (cursor, to, most) => {
    if ("from" in cursor) return listUploads(reader, bucket, { from: cursor.from, to }, most);
    const { object_key: key, seq } = cursor.after;
    const newer = await listUploadsOfKey(reader, bucket, key, seq, most);
    if (newer.length === most) return newer;
    const span = { from: afterKey(key), to };
    return [...newer, ...(await listUploads(reader, bucket, span, most - newer.length))];
  };
}
