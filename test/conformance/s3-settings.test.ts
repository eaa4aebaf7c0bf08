/** Settings of buckets that are always the same here: ownership, ACLs, and what a bucket of Lambent's does not have. */
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import * as client from "@aws-sdk/client-s3";
import { refused, startS3 } from "../harness/s3.ts";
import type { S3Server } from "../harness/s3.ts";

describe("S3 settings", () => {
  let server: S3Server;
  let Bucket: string;
  before(async () => {
    server = await startS3();
    Bucket = await server.bucket();
  });
  after(() => server.stop());

  test("GetBucketOwnershipControls and PutBucketOwnershipControls: the bucket's owner owns everything", async () => {
    const { s3 } = server;
    const put = (...ownerships: (client.ObjectOwnership | undefined)[]) =>
      s3.send(
        new client.PutBucketOwnershipControlsCommand({
          Bucket,
          OwnershipControls: { Rules: ownerships.map((ObjectOwnership) => ({ ObjectOwnership })) },
        }),
      );
    await put("BucketOwnerEnforced");
    const { OwnershipControls } = await s3.send(new client.GetBucketOwnershipControlsCommand({ Bucket }));
    assert.deepEqual(OwnershipControls?.Rules, [{ ObjectOwnership: "BucketOwnerEnforced" }]);
    await refused(put("ObjectWriter"), "NotImplemented", 501, { message: /ObjectOwnership ObjectWriter/ });
    await refused(put("BucketOwnerPreferred"), "NotImplemented", 501);
    await refused(put("Nobody" as "ObjectWriter"), "MalformedXML", 400);
    await refused(put(), "MalformedXML", 400);
  });

  test("DeleteBucketOwnershipControls: there are none then, and no ACLs all the same, until they are put again", async () => {
    const { s3 } = server;
    await s3.send(new client.DeleteBucketOwnershipControlsCommand({ Bucket }));
    const get = () => s3.send(new client.GetBucketOwnershipControlsCommand({ Bucket }));
    await refused(get(), "OwnershipControlsNotFoundError", 404);
    const setAcl = () => s3.send(new client.PutBucketAclCommand({ Bucket, ACL: "public-read" }));
    await refused(setAcl(), "NotImplemented", 501, { message: /no ownership controls/ });
    const Rules = [{ ObjectOwnership: "BucketOwnerEnforced" }] as const;
    await s3.send(
      new client.PutBucketOwnershipControlsCommand({ Bucket, OwnershipControls: { Rules: [...Rules] } }),
    );
    assert.deepEqual((await get()).OwnershipControls?.Rules, Rules);
    await refused(setAcl(), "AccessControlListNotSupported", 400);
  });

  test("GetBucketAcl and GetObjectAcl tell the owner's full control; PutBucketAcl and PutObjectAcl are refused as AWS does", async () => {
    const { s3 } = server;
    await s3.send(new client.PutObjectCommand({ Bucket, Key: "a", Body: "a" }));
    const ofBucket = await s3.send(new client.GetBucketAclCommand({ Bucket }));
    const ofObject = await s3.send(new client.GetObjectAclCommand({ Bucket, Key: "a" }));
    for (const { Owner, Grants } of [ofBucket, ofObject]) {
      assert.match(Owner?.ID ?? "", /^[0-9a-f]{64}$/);
      assert.deepEqual(Grants, [
        { Grantee: { Type: "CanonicalUser", ID: Owner?.ID }, Permission: "FULL_CONTROL" },
      ]);
    }
    await refused(s3.send(new client.GetObjectAclCommand({ Bucket, Key: "b" })), "NoSuchKey", 404);
    const expected = { message: "The bucket does not allow ACLs" };
    for (const ACL of ["private", "public-read"] as const) {
      const put = s3.send(new client.PutBucketAclCommand({ Bucket, ACL }));
      await refused(put, "AccessControlListNotSupported", 400, expected);
    }
    const put = s3.send(new client.PutObjectAclCommand({ Bucket, Key: "a", ACL: "public-read" }));
    await refused(put, "AccessControlListNotSupported", 400, expected);
  });

  test("GetBucketAccelerateConfiguration, GetBucketLogging and GetBucketRequestPayment tell what every bucket has; PutBucketLogging and PutBucketRequestPayment take that alone", async () => {
    const { s3 } = server;
    assert.equal(
      (await s3.send(new client.GetBucketAccelerateConfigurationCommand({ Bucket }))).Status,
      undefined,
    );
    assert.equal((await s3.send(new client.GetBucketLoggingCommand({ Bucket }))).LoggingEnabled, undefined);
    assert.equal((await s3.send(new client.GetBucketRequestPaymentCommand({ Bucket }))).Payer, "BucketOwner");
    await s3.send(new client.PutBucketLoggingCommand({ Bucket, BucketLoggingStatus: {} }));
    const LoggingEnabled = { TargetBucket: Bucket, TargetPrefix: "" };
    await refused(
      s3.send(new client.PutBucketLoggingCommand({ Bucket, BucketLoggingStatus: { LoggingEnabled } })),
      "NotImplemented",
      501,
      { message: /LoggingEnabled/ },
    );
    const pay = (Payer: client.Payer) =>
      s3.send(new client.PutBucketRequestPaymentCommand({ Bucket, RequestPaymentConfiguration: { Payer } }));
    await pay("BucketOwner");
    await refused(pay("Requester"), "NotImplemented", 501, { message: /Requester/ });
    await refused(pay("Nobody" as "Requester"), "MalformedXML", 400);
  });

  test("GetBucketReplication finds nothing, and DeleteBucketReplication removes nothing", async () => {
    const { s3 } = server;
    await refused(
      s3.send(new client.GetBucketReplicationCommand({ Bucket })),
      "ReplicationConfigurationNotFoundError",
      404,
    );
    await s3.send(new client.DeleteBucketReplicationCommand({ Bucket }));
  });

  const absent = (call: Promise<unknown>) =>
    refused(call, "NoSuchConfiguration", 404, { message: "The specified configuration does not exist." });

  test("GetBucketAnalyticsConfiguration, DeleteBucketAnalyticsConfiguration, ListBucketAnalyticsConfigurations: there are none", async () => {
    const { s3 } = server;
    await absent(s3.send(new client.GetBucketAnalyticsConfigurationCommand({ Bucket, Id: "one" })));
    await absent(s3.send(new client.DeleteBucketAnalyticsConfigurationCommand({ Bucket, Id: "one" })));
    const list = await s3.send(new client.ListBucketAnalyticsConfigurationsCommand({ Bucket }));
    assert.equal(list.IsTruncated, false);
  });

  test("GetBucketInventoryConfiguration, DeleteBucketInventoryConfiguration, ListBucketInventoryConfigurations: there are none", async () => {
    const { s3 } = server;
    await absent(s3.send(new client.GetBucketInventoryConfigurationCommand({ Bucket, Id: "one" })));
    await absent(s3.send(new client.DeleteBucketInventoryConfigurationCommand({ Bucket, Id: "one" })));
    const list = await s3.send(new client.ListBucketInventoryConfigurationsCommand({ Bucket }));
    assert.equal(list.IsTruncated, false);
  });

  test("GetBucketMetricsConfiguration, DeleteBucketMetricsConfiguration, ListBucketMetricsConfigurations: there are none", async () => {
    const { s3 } = server;
    await absent(s3.send(new client.GetBucketMetricsConfigurationCommand({ Bucket, Id: "one" })));
    await absent(s3.send(new client.DeleteBucketMetricsConfigurationCommand({ Bucket, Id: "one" })));
    const list = await s3.send(new client.ListBucketMetricsConfigurationsCommand({ Bucket }));
    assert.equal(list.IsTruncated, false);
  });

  test("GetBucketIntelligentTieringConfiguration, DeleteBucketIntelligentTieringConfiguration, ListBucketIntelligentTieringConfigurations: there are none", async () => {
    const { s3 } = server;
    const named = { Bucket, Id: "one" };
    await absent(s3.send(new client.GetBucketIntelligentTieringConfigurationCommand(named)));
    await absent(s3.send(new client.DeleteBucketIntelligentTieringConfigurationCommand(named)));
    const list = await s3.send(new client.ListBucketIntelligentTieringConfigurationsCommand({ Bucket }));
    assert.equal(list.IsTruncated, false);
  });

  test("the settings of accounts, which are S3 Control's, are refused by name and no object", async () => {
    const answer = await fetch(`${server.endpoint}/v20180820/configuration/publicAccessBlock`, {
      method: "PUT",
      headers: { "x-amz-account-id": "000000000000" },
      body: "<PublicAccessBlockConfiguration/>",
    });
    assert.equal(answer.status, 501);
    assert.match(await answer.text(), /<Code>NotImplemented<\/Code><Message>[^<]*S3 Control/);
  });
});
