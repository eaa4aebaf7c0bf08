/** S3 buckets: names, regions, owners, and what is told of them. */
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import {
  CreateBucketCommand,
  CreateMultipartUploadCommand,
  DeleteBucketCommand,
  DeleteBucketTaggingCommand,
  DeleteObjectCommand,
  GetBucketLocationCommand,
  GetBucketTaggingCommand,
  GetBucketVersioningCommand,
  HeadBucketCommand,
  ListBucketsCommand,
  PutBucketTaggingCommand,
  PutBucketVersioningCommand,
  PutObjectCommand,
} from "@aws-sdk/client-s3";
import type { BucketLocationConstraint } from "@aws-sdk/client-s3";
import { refused, startS3 } from "../harness/s3.ts";
import type { S3Server } from "../harness/s3.ts";

const OTHER = "111122223333";

describe("S3 buckets", () => {
  let server: S3Server;
  before(async () => {
    server = await startS3();
  });
  after(() => server.stop());

  const inRegion = (region: string) => server.clientOf({ region });

  test("CreateBucket keeps names unique over accounts", async () => {
    const { s3 } = server;
    const created = await s3.send(new CreateBucketCommand({ Bucket: "unique-one" }));
    assert.equal(created.Location, "/unique-one");
    await s3.send(new CreateBucketCommand({ Bucket: "unique-one" }));
    const other = server.clientOf({ account: OTHER });
    await refused(other.send(new CreateBucketCommand({ Bucket: "unique-one" })), "BucketAlreadyExists", 409, {
      message: /bucket namespace is shared by all users/,
      members: { BucketName: "unique-one" },
    });
  });

  test("CreateBucket refuses names that break the rules", async () => {
    for (const Bucket of ["ab", "Upper-case", "under_score", "192.168.0.1", "two..dots", "xn--x"])
      await refused(server.s3.send(new CreateBucketCommand({ Bucket })), "InvalidBucketName", 400, {
        message: "The specified bucket is not valid.",
        members: { BucketName: Bucket },
      });
  });

  test("CreateBucket goes to its LocationConstraint, and outside us-east-1 needs one", async () => {
    const west = inRegion("eu-west-1");
    const create = (Bucket: string, LocationConstraint: string) =>
      new CreateBucketCommand({
        Bucket,
        CreateBucketConfiguration: { LocationConstraint: LocationConstraint as BucketLocationConstraint },
      });
    await west.send(create("in-ireland", "eu-west-1"));
    await refused(west.send(create("in-ireland", "eu-west-1")), "BucketAlreadyOwnedByYou", 409);
    await refused(west.send(create("in-oregon", "us-west-2")), "IllegalLocationConstraintException", 400, {
      message: /^The us-west-2 location constraint is incompatible/,
    });
    await refused(server.s3.send(create("in-nowhere", "moon")), "InvalidLocationConstraint", 400);
    await server.s3.send(create("from-afar", "eu-central-1"));
    const located = await server.s3.send(new GetBucketLocationCommand({ Bucket: "from-afar" }));
    assert.equal(located.LocationConstraint, "eu-central-1");
    // The SDK fills in its own region where nothing is given, so this one goes by hand.
    const response = await fetch(`${server.endpoint}/unplaced`, {
      method: "PUT",
      headers: { authorization: scope("eu-west-1") },
    });
    assert.match(await response.text(), /<Code>IllegalLocationConstraintException<\/Code>/);
  });

  test("CreateBucket refuses ACLs and other ownership by name", async () => {
    const create = (extra: object) =>
      server.s3.send(new CreateBucketCommand({ Bucket: "refused", ...extra }));
    await refused(create({ ACL: "public-read" }), "InvalidBucketAclWithObjectOwnership", 400);
    await refused(create({ ObjectOwnership: "ObjectWriter" }), "NotImplemented", 501, {
      message: /ObjectWriter/,
    });
    await refused(server.s3.send(new HeadBucketCommand({ Bucket: "refused" })), "NotFound", 404);
  });

  test("GetBucketLocation tells nothing of us-east-1, in an element of its own", async () => {
    const Bucket = await server.bucket();
    assert.equal(
      (await server.s3.send(new GetBucketLocationCommand({ Bucket }))).LocationConstraint,
      undefined,
    );
    const text = await (await fetch(`${server.endpoint}/${Bucket}?location`)).text();
    assert.match(
      text,
      /<LocationConstraint xmlns="http:\/\/s3.amazonaws.com\/doc\/2006-03-01\/"( \/>|><\/LocationConstraint>|\/>)/,
    );
    await refused(server.s3.send(new GetBucketLocationCommand({ Bucket: "missing" })), "NoSuchBucket", 404);
  });

  test("HeadBucket tells the region; other accounts are denied and other regions redirected", async () => {
    const west = inRegion("ap-south-1");
    await west.send(
      new CreateBucketCommand({
        Bucket: "in-mumbai",
        CreateBucketConfiguration: { LocationConstraint: "ap-south-1" },
      }),
    );
    assert.equal(
      (await west.send(new HeadBucketCommand({ Bucket: "in-mumbai" }))).BucketRegion,
      "ap-south-1",
    );
    await refused(server.s3.send(new HeadBucketCommand({ Bucket: "missing" })), "NotFound", 404);
    const other = server.clientOf({ account: OTHER, region: "ap-south-1" });
    const denied = await other
      .send(new HeadBucketCommand({ Bucket: "in-mumbai" }))
      .catch((error: unknown) => error);
    assert.equal((denied as { $metadata: { httpStatusCode: number } }).$metadata.httpStatusCode, 403);
    const redirect = await refused(
      server.s3.send(new PutObjectCommand({ Bucket: "in-mumbai", Key: "k", Body: "v" })),
      "PermanentRedirect",
      301,
    );
    assert.equal(redirect.$response?.headers["x-amz-bucket-region"], "ap-south-1");
  });

  test("ListBuckets lists an account's own, by prefix, region and page", async () => {
    const s3 = server.clientOf({ account: "444455556666" });
    for (const name of ["list-c", "list-a", "list-b", "other"])
      await s3.send(new CreateBucketCommand({ Bucket: name }));
    const all = await s3.send(new ListBucketsCommand({}));
    assert.deepEqual(
      all.Buckets?.map(({ Name }) => Name),
      ["list-a", "list-b", "list-c", "other"],
    );
    assert.ok(
      all.Buckets?.every(({ CreationDate, BucketRegion }) => CreationDate instanceof Date && !BucketRegion),
    );
    assert.match(all.Owner?.ID ?? "", /^[0-9a-f]{64}$/);
    const names: (string | undefined)[] = [];
    let ContinuationToken: string | undefined;
    do {
      const page = await s3.send(
        new ListBucketsCommand({ Prefix: "list-", MaxBuckets: 2, ContinuationToken }),
      );
      assert.ok((page.Buckets?.length ?? 0) <= 2);
      assert.equal(page.Prefix, "list-");
      for (const { Name, BucketRegion } of page.Buckets ?? []) {
        names.push(Name);
        assert.equal(BucketRegion, "us-east-1");
      }
      ContinuationToken = page.ContinuationToken;
    } while (ContinuationToken);
    assert.deepEqual(names, ["list-a", "list-b", "list-c"]);
    assert.deepEqual(
      (await s3.send(new ListBucketsCommand({ BucketRegion: "eu-west-1" }))).Buckets ?? [],
      [],
    );
    await refused(s3.send(new ListBucketsCommand({ MaxBuckets: 0 })), "InvalidArgument", 400);
  });

  test("DeleteBucket wants an empty bucket; unfinished uploads go with it", async () => {
    const { s3 } = server;
    const Bucket = await server.bucket();
    await s3.send(new PutObjectCommand({ Bucket, Key: "k", Body: "v" }));
    await refused(s3.send(new DeleteBucketCommand({ Bucket })), "BucketNotEmpty", 409, {
      message: "The bucket you tried to delete is not empty",
      members: { BucketName: Bucket },
    });
    await s3.send(new DeleteObjectCommand({ Bucket, Key: "k" }));
    await s3.send(new CreateMultipartUploadCommand({ Bucket, Key: "unfinished" }));
    await s3.send(new DeleteBucketCommand({ Bucket }));
    await refused(s3.send(new DeleteBucketCommand({ Bucket })), "NoSuchBucket", 404, {
      message: "The specified bucket does not exist",
      members: { BucketName: Bucket },
    });
  });

  test("DeleteBucket is kept from a bucket whose versions are only hidden", async () => {
    const { s3 } = server;
    const Bucket = await server.bucket();
    await s3.send(new PutBucketVersioningCommand({ Bucket, VersioningConfiguration: { Status: "Enabled" } }));
    await s3.send(new PutObjectCommand({ Bucket, Key: "k", Body: "v" }));
    await s3.send(new DeleteObjectCommand({ Bucket, Key: "k" }));
    await refused(s3.send(new DeleteBucketCommand({ Bucket })), "BucketNotEmpty", 409);
  });

  test("PutBucketVersioning and GetBucketVersioning: never, Enabled, Suspended", async () => {
    const { s3 } = server;
    const Bucket = await server.bucket();
    const status = async () => (await s3.send(new GetBucketVersioningCommand({ Bucket }))).Status;
    assert.equal(await status(), undefined);
    for (const Status of ["Enabled", "Suspended"] as const) {
      await s3.send(new PutBucketVersioningCommand({ Bucket, VersioningConfiguration: { Status } }));
      assert.equal(await status(), Status);
    }
    await refused(
      s3.send(
        new PutBucketVersioningCommand({
          Bucket,
          VersioningConfiguration: { Status: "Enabled", MFADelete: "Enabled" },
        }),
      ),
      "NotImplemented",
      501,
      { message: /MFA delete/ },
    );
    await refused(
      s3.send(new PutBucketVersioningCommand({ Bucket, VersioningConfiguration: {} })),
      "IllegalVersioningConfigurationException",
      400,
    );
  });

  test("PutBucketTagging, GetBucketTagging and DeleteBucketTagging", async () => {
    const { s3 } = server;
    const Bucket = await server.bucket();
    await refused(s3.send(new GetBucketTaggingCommand({ Bucket })), "NoSuchTagSet", 404, {
      message: "The TagSet does not exist",
      members: { BucketName: Bucket },
    });
    const TagSet = [
      { Key: "team", Value: "blau" },
      { Key: "Ort", Value: "Zürich" },
    ];
    await s3.send(new PutBucketTaggingCommand({ Bucket, Tagging: { TagSet } }));
    assert.deepEqual((await s3.send(new GetBucketTaggingCommand({ Bucket }))).TagSet, TagSet);
    const tooMany = Array.from({ length: 51 }, (_, i) => ({ Key: `k${i}`, Value: "v" }));
    await refused(
      s3.send(new PutBucketTaggingCommand({ Bucket, Tagging: { TagSet: tooMany } })),
      "BadRequest",
      400,
    );
    await s3.send(new DeleteBucketTaggingCommand({ Bucket }));
    await refused(s3.send(new GetBucketTaggingCommand({ Bucket })), "NoSuchTagSet", 404);
  });
});

/** A signature whose scope names a region; with authentication off nothing else of it is looked at. */
function scope(region: string): string {
  return `AWS4-HMAC-SHA256 Credential=000000000000/20260101/${region}/s3/aws4_request, SignedHeaders=host, Signature=${"0".repeat(64)}`;
}
