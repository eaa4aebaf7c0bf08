/** What S3's requests need of the caller's policies. */
import { needsNothing, authorizationFrom } from "../../aws/service.ts";
import type {
  ConditionValues,
  RequestContext,
  Requirement,
  ServiceAuthorization,
} from "../../aws/service.ts";
import { parseCopySource } from "./copy-source.ts";
import type { S3 } from "./deps.ts";
import type { Client } from "./operations/client.ts";
import { grantOf, ownedBy, withOwners } from "./policy/grants.ts";
import { readTagHeader } from "./tags.ts";

interface Named {
  readonly Bucket?: string | undefined;
  readonly Key?: string | undefined;
  readonly VersionId?: string | undefined;
}

type Tags = readonly (readonly [key: string, value: string])[];

/** Condition keys that come straight from a member of the request. */
const MEMBER_KEYS = {
  ACL: "s3:x-amz-acl",
  CopySource: "s3:x-amz-copy-source",
  Delimiter: "s3:delimiter",
  IfMatch: "s3:if-match",
  IfNoneMatch: "s3:if-none-match",
  MaxKeys: "s3:max-keys",
  ObjectLockLegalHoldStatus: "s3:object-lock-legal-hold",
  ObjectLockMode: "s3:object-lock-mode",
  MetadataDirective: "s3:x-amz-metadata-directive",
  ObjectOwnership: "s3:x-amz-object-ownership",
  Prefix: "s3:prefix",
  ServerSideEncryption: "s3:x-amz-server-side-encryption",
  StorageClass: "s3:x-amz-storage-class",
  VersionId: "s3:versionid",
} as const;

/** `GetObject` of the current version, `GetObjectVersion` of one that is named. */
const versioned = (action: string, input: Named) =>
  input.VersionId === undefined || input.VersionId === ""
    ? action
    : action.replace("Object", "ObjectVersion");

const onBucket =
  (action: string) =>
  (input: Named): Requirement[] => [
    { action: `s3:${action}`, resource: bucketArn(input), conditions: conditionsOf(input) },
  ];

const onObject =
  (action: string) =>
  (input: Named): Requirement[] => [onOne(action, input)];

const onVersion =
  (...actions: string[]) =>
  (input: Named): Requirement[] =>
    actions.map((action) => onOne(versioned(action, input), input));

interface NewObject extends Named {
  readonly Tagging?: string | undefined;
  readonly ACL?: string | undefined;
  readonly ObjectLockMode?: string | undefined;
  readonly ObjectLockLegalHoldStatus?: string | undefined;
}

/** Writing an object, with the tags and the ACL that come with it. */
function putting(input: NewObject): Requirement[] {
  const tags = tagValues(readTagHeader(input.Tagging));
  const actions = ["PutObject"];
  if (input.Tagging !== undefined && input.Tagging !== "") actions.push("PutObjectTagging");
  if (input.ACL !== undefined) actions.push("PutObjectAcl");
  if (input.ObjectLockMode !== undefined) actions.push("PutObjectRetention");
  if (input.ObjectLockLegalHoldStatus !== undefined) actions.push("PutObjectLegalHold");
  return actions.map((action) => onOne(action, input, tags));
}

/** Removing an object, also past what governs it. */
function removing(input: Named & { BypassGovernanceRetention?: boolean | undefined }): Requirement[] {
  const plain = onOne(versioned("DeleteObject", input), input);
  return input.BypassGovernanceRetention === true
    ? [plain, onOne("BypassGovernanceRetention", input)]
    : [plain];
}

/** Reading the object that a copy is made of. */
function copying(input: { readonly CopySource?: string | undefined }): Requirement[] {
  const { bucket, key, versionId } = parseCopySource(input.CopySource);
  return onVersion("GetObject")({ Bucket: bucket, Key: key, VersionId: versionId });
}

/** @see https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazons3.html */
const table = authorizationFrom<Client>({
  AbortMultipartUpload: onObject("AbortMultipartUpload"),
  CompleteMultipartUpload: onObject("PutObject"),
  CopyObject: (input) => [
    ...copying(input),
    // Without REPLACE the header of tags counts for nothing.
    ...putting(input.TaggingDirective === "REPLACE" ? input : { ...input, Tagging: undefined }),
  ],
  CreateBucket: (input) => [
    {
      action: "s3:CreateBucket",
      resource: bucketArn(input),
      conditions: {
        ...conditionsOf(input),
        ...(input.CreateBucketConfiguration?.LocationConstraint && {
          "s3:locationconstraint": input.CreateBucketConfiguration.LocationConstraint,
        }),
      },
    },
  ],
  CreateMultipartUpload: putting,
  DeleteBucket: onBucket("DeleteBucket"),
  DeleteBucketAnalyticsConfiguration: onBucket("PutAnalyticsConfiguration"),
  DeleteBucketCors: onBucket("PutBucketCORS"),
  DeleteBucketEncryption: onBucket("PutEncryptionConfiguration"),
  DeleteBucketIntelligentTieringConfiguration: onBucket("PutIntelligentTieringConfiguration"),
  DeleteBucketInventoryConfiguration: onBucket("PutInventoryConfiguration"),
  DeleteBucketLifecycle: onBucket("PutLifecycleConfiguration"),
  DeleteBucketMetricsConfiguration: onBucket("PutMetricsConfiguration"),
  DeleteBucketPolicy: onBucket("DeleteBucketPolicy"),
  DeleteBucketReplication: onBucket("PutReplicationConfiguration"),
  DeleteBucketTagging: onBucket("PutBucketTagging"),
  DeleteBucketOwnershipControls: onBucket("PutBucketOwnershipControls"),
  DeleteBucketWebsite: onBucket("DeleteBucketWebsite"),
  DeleteObject: removing,
  // Each key is asked for by the operation, which answers a refusal for that key alone.
  DeleteObjects: needsNothing,
  DeleteObjectTagging: onVersion("DeleteObjectTagging"),
  DeletePublicAccessBlock: onBucket("PutBucketPublicAccessBlock"),
  GetBucketAccelerateConfiguration: onBucket("GetAccelerateConfiguration"),
  GetBucketAcl: onBucket("GetBucketAcl"),
  GetBucketAnalyticsConfiguration: onBucket("GetAnalyticsConfiguration"),
  GetBucketCors: onBucket("GetBucketCORS"),
  GetBucketEncryption: onBucket("GetEncryptionConfiguration"),
  GetBucketIntelligentTieringConfiguration: onBucket("GetIntelligentTieringConfiguration"),
  GetBucketInventoryConfiguration: onBucket("GetInventoryConfiguration"),
  GetBucketLifecycleConfiguration: onBucket("GetLifecycleConfiguration"),
  GetBucketLocation: onBucket("GetBucketLocation"),
  GetBucketLogging: onBucket("GetBucketLogging"),
  GetBucketMetricsConfiguration: onBucket("GetMetricsConfiguration"),
  GetBucketNotificationConfiguration: onBucket("GetBucketNotification"),
  GetBucketOwnershipControls: onBucket("GetBucketOwnershipControls"),
  GetBucketPolicy: onBucket("GetBucketPolicy"),
  GetBucketPolicyStatus: onBucket("GetBucketPolicyStatus"),
  GetBucketReplication: onBucket("GetReplicationConfiguration"),
  GetBucketRequestPayment: onBucket("GetBucketRequestPayment"),
  GetBucketTagging: onBucket("GetBucketTagging"),
  GetBucketVersioning: onBucket("GetBucketVersioning"),
  GetBucketWebsite: onBucket("GetBucketWebsite"),
  GetObject: onVersion("GetObject"),
  GetObjectAcl: onVersion("GetObjectAcl"),
  GetObjectAttributes: onVersion("GetObject", "GetObjectAttributes"),
  GetObjectLegalHold: onObject("GetObjectLegalHold"),
  GetObjectLockConfiguration: onBucket("GetBucketObjectLockConfiguration"),
  GetObjectRetention: onObject("GetObjectRetention"),
  GetObjectTagging: onVersion("GetObjectTagging"),
  GetPublicAccessBlock: onBucket("GetBucketPublicAccessBlock"),
  HeadBucket: onBucket("ListBucket"),
  HeadObject: onVersion("GetObject"),
  ListBucketAnalyticsConfigurations: onBucket("GetAnalyticsConfiguration"),
  ListBucketIntelligentTieringConfigurations: onBucket("GetIntelligentTieringConfiguration"),
  ListBucketInventoryConfigurations: onBucket("GetInventoryConfiguration"),
  ListBucketMetricsConfigurations: onBucket("GetMetricsConfiguration"),
  ListBuckets: () => [{ action: "s3:ListAllMyBuckets", resource: "*" }],
  ListMultipartUploads: onBucket("ListBucketMultipartUploads"),
  ListObjects: onBucket("ListBucket"),
  ListObjectsV2: onBucket("ListBucket"),
  ListObjectVersions: onBucket("ListBucketVersions"),
  ListParts: onObject("ListMultipartUploadParts"),
  PutBucketAcl: onBucket("PutBucketAcl"),
  PutBucketCors: onBucket("PutBucketCORS"),
  PutBucketEncryption: onBucket("PutEncryptionConfiguration"),
  PutBucketLifecycleConfiguration: onBucket("PutLifecycleConfiguration"),
  PutBucketLogging: onBucket("PutBucketLogging"),
  PutBucketNotificationConfiguration: onBucket("PutBucketNotification"),
  PutBucketOwnershipControls: onBucket("PutBucketOwnershipControls"),
  PutBucketPolicy: onBucket("PutBucketPolicy"),
  PutBucketRequestPayment: onBucket("PutBucketRequestPayment"),
  PutBucketTagging: onBucket("PutBucketTagging"),
  PutBucketVersioning: onBucket("PutBucketVersioning"),
  PutBucketWebsite: onBucket("PutBucketWebsite"),
  PutObject: putting,
  PutObjectAcl: onVersion("PutObjectAcl"),
  PutObjectLegalHold: onObject("PutObjectLegalHold"),
  PutObjectLockConfiguration: onBucket("PutBucketObjectLockConfiguration"),
  PutObjectRetention: (input) => [
    onOne("PutObjectRetention", input),
    ...(input.BypassGovernanceRetention === true ? [onOne("BypassGovernanceRetention", input)] : []),
  ],
  PutObjectTagging: (input) => {
    const tags = (input.Tagging?.TagSet ?? []).map(({ Key = "", Value = "" }) => [Key, Value] as const);
    return [onOne(versioned("PutObjectTagging", input), input, tagValues(tags))];
  },
  PutPublicAccessBlock: onBucket("PutBucketPublicAccessBlock"),
  UploadPart: onObject("PutObject"),
  UploadPartCopy: (input) => [...copying(input), onOne("PutObject", input)],
});

/** S3's part in deciding who may do what. */
export function authorization(deps: Pick<S3, "database" | "policies">): ServiceAuthorization {
  return {
    operations: table.operations,
    bindsRoot: true,
    admitsAnonymous: true,
    async requirements(operation, input, context) {
      const plain = await table.requirements(operation, input, context);
      return withOwners(
        deps,
        plain.map((one) => told(one, context)),
        context,
      );
    },
    resourceGrant: (requirement, context) => grantOf(deps, requirement, context),
  };
}

const CREATE_OBJECTS: ReadonlySet<string> = new Set(["PutObject", "CopyObject", "CompleteMultipartUpload"]);

/** With the keys that do not depend on what is asked for. */
function told(requirement: Requirement, { account, headers, operation }: RequestContext): Requirement {
  const digest = headers["x-amz-content-sha256"];
  const conditions = {
    ...requirement.conditions,
    "s3:resourceaccount": account,
    ...(typeof digest === "string" && { "s3:x-amz-content-sha256": digest }),
    ...(requirement.action === "s3:PutObject" && {
      "s3:objectcreationoperation": String(CREATE_OBJECTS.has(operation)),
    }),
  };
  return { ...requirement, conditions };
}

/** What removing one of DeleteObjects' keys needs. */
export function removal(
  named: Named,
  owner: string,
  bypass: boolean,
  context: RequestContext,
): Requirement[] {
  return removing({ ...named, BypassGovernanceRetention: bypass }).map((one) =>
    ownedBy(told(one, context), owner),
  );
}

/** An object as copies name it, with the account of its bucket. */
interface Placed extends Named {
  readonly owner: string;
}

/** A copy that takes the tags along reads them there and writes them here. */
export function copiedTags(
  source: Placed,
  target: Placed,
  tags: Tags,
  context: RequestContext,
): Requirement[] {
  const reading = onOne(versioned("GetObjectTagging", source), source);
  const writing = onOne("PutObjectTagging", target, tagValues(tags));
  return [ownedBy(told(reading, context), source.owner), ownedBy(told(writing, context), target.owner)];
}

function onOne(action: string, input: Named, more: ConditionValues = {}): Requirement {
  return {
    action: `s3:${action}`,
    resource: `${bucketArn(input)}/${input.Key ?? ""}`,
    conditions: { ...conditionsOf(input), ...more },
  };
}

function bucketArn({ Bucket }: Named): string {
  return `arn:aws:s3:::${Bucket ?? ""}`;
}

function conditionsOf(input: object): ConditionValues {
  const members = input as Readonly<Record<string, unknown>>;
  const told: Record<string, string> = { "s3:signatureversion": "AWS4-HMAC-SHA256" };
  for (const [member, key] of Object.entries(MEMBER_KEYS)) {
    const value = members[member];
    if (typeof value === "string" || typeof value === "number") told[key] = String(value);
  }
  return told;
}

function tagValues(tags: Tags): ConditionValues {
  if (tags.length === 0) return {};
  return {
    ...Object.fromEntries(tags.map(([key, value]) => [`s3:requestobjecttag/${key}`, value])),
    "s3:requestobjecttagkeys": tags.map(([key]) => key),
  };
}
