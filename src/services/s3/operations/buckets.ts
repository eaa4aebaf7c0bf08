/** CreateBucket, DeleteBucket, HeadBucket, ListBuckets and GetBucketLocation. */
import { notImplemented } from "../../../aws/errors.ts";
import type { Input, Output, RequestContext } from "../../../aws/service.ts";
import { bucketAnywhere, bucketFor, canonicalUserId } from "../access.ts";
import { isValidBucketName } from "../bucket-name.ts";
import type { S3 } from "../deps.ts";
import { invalidArgument, s3Error } from "../errors.ts";
import { LIST_BUCKETS_PAGE_MAX } from "../limits.ts";
import { readToken, writeToken } from "../listing/token.ts";
import { regionOf } from "../location.ts";
import { refuseUnsupported } from "../refusals.ts";
import {
  bucketsOf,
  countBuckets,
  deleteBucketRow,
  findBucket,
  hasVersions,
  insertBucket,
} from "../store-buckets.ts";
import { deleteParts, deleteUpload, uploadsOf } from "../store-uploads.ts";
import { readTagSet, storedTags } from "../tags.ts";
import type { Client, Empty } from "./client.ts";

export async function createBucket(
  s3: S3,
  input: Input<Client, "CreateBucket">,
  context: RequestContext,
): Promise<Output<Client, "CreateBucket">> {
  const name = input.Bucket ?? "";
  if (!isValidBucketName(name)) throw s3Error("InvalidBucketName", { BucketName: name });
  refuseBucketOptions(input);
  const location = input.CreateBucketConfiguration?.LocationConstraint ?? "";
  const region = regionOf(location, context.region);
  const tags = storedTags(readTagSet(input.CreateBucketConfiguration?.Tags, "bucket"));
  const { account } = context;
  await s3.database.tx(async (tx) => {
    const existing = await findBucket(tx, name);
    // In us-east-1 alone, creating one's own bucket again succeeds.
    if (existing?.account === account && existing.region === "us-east-1" && region === "us-east-1") return;
    if (existing)
      throw s3Error(existing.account === account ? "BucketAlreadyOwnedByYou" : "BucketAlreadyExists", {
        BucketName: name,
      });
    if ((await countBuckets(tx, account)) >= s3.limits.bucketsPerAccountMax) throw s3Error("TooManyBuckets");
    const created_at = s3.clock.now();
    await insertBucket(tx, { name, account, region, location, created_at, tags, ...lockOf(input) });
  });
  return { Location: region === "us-east-1" ? `/${name}` : `${context.endpoint}/${name}` };
}

export async function deleteBucket(
  s3: S3,
  input: Input<Client, "DeleteBucket">,
  context: RequestContext,
): Promise<Empty> {
  const garbage = await s3.database.tx(async (tx) => {
    const { name } = await bucketFor(tx, input, context);
    if (await hasVersions(tx, name)) throw s3Error("BucketNotEmpty", { BucketName: name });
    // Unfinished uploads do not keep a bucket; they go with it.
    const blobs: string[] = [];
    for (const id of await uploadsOf(tx, name)) {
      blobs.push(...(await deleteParts(tx, id)));
      await deleteUpload(tx, id);
    }
    await deleteBucketRow(tx, name);
    return blobs;
  });
  s3.content.discard(garbage);
  return {};
}

export async function headBucket(
  s3: S3,
  input: Input<Client, "HeadBucket">,
  context: RequestContext,
): Promise<Output<Client, "HeadBucket">> {
  const { region } = await bucketFor(s3.database, input, context);
  return { BucketRegion: region, AccessPointAlias: false };
}

export async function getBucketLocation(
  s3: S3,
  input: Input<Client, "GetBucketLocation">,
): Promise<Output<Client, "GetBucketLocation">> {
  const { location, region } = await bucketAnywhere(s3.database, input);
  if (region === "us-east-1") return {};
  return {
    LocationConstraint: (location || region) as NonNullable<
      Output<Client, "GetBucketLocation">["LocationConstraint"]
    >,
  };
}

export async function listBuckets(
  s3: S3,
  input: Input<Client, "ListBuckets">,
  context: RequestContext,
): Promise<Output<Client, "ListBuckets">> {
  const { MaxBuckets: asked, Prefix: prefix, BucketRegion: region, ContinuationToken: token } = input;
  if (asked !== undefined && (!Number.isInteger(asked) || asked < 1 || asked > LIST_BUCKETS_PAGE_MAX))
    throw invalidArgument(
      `Argument max-buckets must be an integer between 1 and ${LIST_BUCKETS_PAGE_MAX}`,
      "max-buckets",
      asked,
    );
  if (context.principal.type === "anonymous") throw s3Error("AccessDenied");
  const after = token ? readToken(token) : "";
  const rows = (await bucketsOf(s3.database, context.account)).filter(
    (row) =>
      row.name > after &&
      row.name.startsWith(prefix ?? "") &&
      (region === undefined || row.region === region),
  );
  const page = rows.slice(0, asked ?? LIST_BUCKETS_PAGE_MAX);
  const last = page.at(-1);
  const withRegion = [asked, prefix, region, token].some((one) => one !== undefined);
  return {
    Buckets: page.map((row) => ({
      Name: row.name,
      CreationDate: new Date(Math.floor(row.created_at / 1_000) * 1_000),
      ...(withRegion ? { BucketRegion: row.region } : {}),
    })),
    Owner: { ID: canonicalUserId(context.account) },
    ...(prefix === undefined ? {} : { Prefix: prefix }),
    ...(rows.length > page.length && last ? { ContinuationToken: writeToken(last.name) } : {}),
  };
}

/** A bucket that locks objects has versions from the start. */
function lockOf({ ObjectLockEnabledForBucket: isLocking }: Input<Client, "CreateBucket">) {
  return isLocking === true
    ? ({ versioning: "Enabled", object_lock: "{}" } as const)
    : ({ versioning: "", object_lock: null } as const);
}

function refuseBucketOptions(input: Input<Client, "CreateBucket">): void {
  const { CreateBucketConfiguration: configuration, ObjectOwnership: ownership } = input;
  if (configuration?.Location !== undefined || configuration?.Bucket !== undefined)
    throw notImplemented("directory buckets (CreateBucketConfiguration Location and Bucket)");
  if (input.BucketNamespace !== undefined && input.BucketNamespace !== "global")
    throw notImplemented(`the bucket namespace ${input.BucketNamespace}`);
  if (ownership !== undefined && ownership !== "BucketOwnerEnforced")
    throw notImplemented(`access control lists (x-amz-object-ownership ${ownership})`);
  const { ACL, ...rest } = input;
  const granted = Object.keys(rest).some((name) => name.startsWith("Grant"));
  if (granted || (ACL !== undefined && ACL !== "private"))
    throw s3Error("InvalidBucketAclWithObjectOwnership");
  refuseUnsupported(rest);
}
