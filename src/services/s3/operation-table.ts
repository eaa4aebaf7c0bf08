/** The operations of s3 that Lambent implements; everything else answers 501 by name. */
import type { OperationTable } from "../../aws/service.ts";
import type { S3 } from "./deps.ts";
import { absentSettings, putBucketLogging, putBucketRequestPayment } from "./operations/absent-settings.ts";
import { deleteBucketCors, getBucketCors, putBucketCors } from "./operations/bucket-cors.ts";
import {
  deleteBucketEncryption,
  getBucketEncryption,
  putBucketEncryption,
} from "./operations/bucket-encryption.ts";
import {
  deleteBucketLifecycle,
  getBucketLifecycleConfiguration,
  putBucketLifecycleConfiguration,
} from "./operations/bucket-lifecycle.ts";
import {
  getBucketNotificationConfiguration,
  putBucketNotificationConfiguration,
} from "./operations/bucket-notification.ts";
import {
  deleteBucketPolicy,
  getBucketPolicy,
  getBucketPolicyStatus,
  putBucketPolicy,
} from "./operations/bucket-policy.ts";
import { deleteBucketTagging, getBucketTagging, putBucketTagging } from "./operations/bucket-tagging.ts";
import {
  createBucket,
  deleteBucket,
  getBucketLocation,
  headBucket,
  listBuckets,
} from "./operations/buckets.ts";
import { deleteBucketWebsite, getBucketWebsite, putBucketWebsite } from "./operations/bucket-website.ts";
import type { Client } from "./operations/client.ts";
import { completeMultipartUpload } from "./operations/complete-multipart-upload.ts";
import { copyObject } from "./operations/copy-object.ts";
import { abortMultipartUpload, createMultipartUpload } from "./operations/create-multipart-upload.ts";
import { deleteObject } from "./operations/delete-object.ts";
import { deleteObjects } from "./operations/delete-objects.ts";
import { getObjectAttributes } from "./operations/get-object-attributes.ts";
import { getObject, headObject } from "./operations/get-object.ts";
import { listObjectVersions } from "./operations/list-object-versions.ts";
import { listObjects, listObjectsV2 } from "./operations/list-objects.ts";
import { listMultipartUploads, listParts } from "./operations/list-uploads.ts";
import {
  getObjectLegalHold,
  getObjectLockConfiguration,
  getObjectRetention,
  putObjectLegalHold,
  putObjectLockConfiguration,
  putObjectRetention,
} from "./operations/object-lock.ts";
import { deleteObjectTagging, getObjectTagging, putObjectTagging } from "./operations/object-tagging.ts";
import {
  deleteBucketOwnershipControls,
  getBucketAcl,
  getBucketOwnershipControls,
  getObjectAcl,
  putBucketAcl,
  putBucketOwnershipControls,
  putObjectAcl,
} from "./operations/ownership.ts";
import {
  deletePublicAccessBlock,
  getPublicAccessBlock,
  putPublicAccessBlock,
} from "./operations/public-access-block.ts";
import { putObject } from "./operations/put-object.ts";
import { uploadPartCopy } from "./operations/upload-part-copy.ts";
import { uploadPart } from "./operations/upload-part.ts";
import { getBucketVersioning, putBucketVersioning } from "./operations/versioning.ts";
import { withVerifiedBody } from "./xml-body.ts";

export const operationTable: OperationTable<Client, S3> = {
  ...absentSettings,
  AbortMultipartUpload: abortMultipartUpload,
  CompleteMultipartUpload: completeMultipartUpload,
  CopyObject: copyObject,
  CreateBucket: withVerifiedBody(createBucket),
  CreateMultipartUpload: createMultipartUpload,
  DeleteBucket: deleteBucket,
  DeleteBucketCors: deleteBucketCors,
  DeleteBucketEncryption: deleteBucketEncryption,
  DeleteBucketLifecycle: deleteBucketLifecycle,
  DeleteBucketOwnershipControls: deleteBucketOwnershipControls,
  DeleteBucketPolicy: deleteBucketPolicy,
  DeleteBucketTagging: deleteBucketTagging,
  DeleteBucketWebsite: deleteBucketWebsite,
  DeleteObject: deleteObject,
  DeleteObjects: withVerifiedBody(deleteObjects),
  DeleteObjectTagging: deleteObjectTagging,
  DeletePublicAccessBlock: deletePublicAccessBlock,
  GetBucketAcl: getBucketAcl,
  GetBucketCors: getBucketCors,
  GetBucketEncryption: getBucketEncryption,
  GetBucketLifecycleConfiguration: getBucketLifecycleConfiguration,
  GetBucketLocation: getBucketLocation,
  GetBucketNotificationConfiguration: getBucketNotificationConfiguration,
  GetBucketOwnershipControls: getBucketOwnershipControls,
  GetBucketPolicy: getBucketPolicy,
  GetBucketPolicyStatus: getBucketPolicyStatus,
  GetBucketTagging: getBucketTagging,
  GetBucketVersioning: getBucketVersioning,
  GetBucketWebsite: getBucketWebsite,
  GetObject: getObject,
  GetObjectAcl: getObjectAcl,
  GetObjectAttributes: getObjectAttributes,
  GetObjectLegalHold: getObjectLegalHold,
  GetObjectLockConfiguration: getObjectLockConfiguration,
  GetObjectRetention: getObjectRetention,
  GetObjectTagging: getObjectTagging,
  GetPublicAccessBlock: getPublicAccessBlock,
  HeadBucket: headBucket,
  HeadObject: headObject,
  ListBuckets: listBuckets,
  ListMultipartUploads: listMultipartUploads,
  ListObjects: listObjects,
  ListObjectsV2: listObjectsV2,
  ListObjectVersions: listObjectVersions,
  ListParts: listParts,
  PutBucketAcl: withVerifiedBody(putBucketAcl),
  PutBucketCors: withVerifiedBody(putBucketCors),
  PutBucketEncryption: withVerifiedBody(putBucketEncryption),
  PutBucketLifecycleConfiguration: withVerifiedBody(putBucketLifecycleConfiguration),
  PutBucketLogging: withVerifiedBody(putBucketLogging),
  PutBucketNotificationConfiguration: withVerifiedBody(putBucketNotificationConfiguration),
  PutBucketOwnershipControls: withVerifiedBody(putBucketOwnershipControls),
  PutBucketPolicy: withVerifiedBody(putBucketPolicy),
  PutBucketRequestPayment: withVerifiedBody(putBucketRequestPayment),
  PutBucketTagging: withVerifiedBody(putBucketTagging),
  PutBucketVersioning: withVerifiedBody(putBucketVersioning),
  PutBucketWebsite: withVerifiedBody(putBucketWebsite),
  PutObject: putObject,
  PutObjectAcl: withVerifiedBody(putObjectAcl),
  PutObjectLegalHold: withVerifiedBody(putObjectLegalHold),
  PutObjectLockConfiguration: withVerifiedBody(putObjectLockConfiguration),
  PutObjectRetention: withVerifiedBody(putObjectRetention),
  PutObjectTagging: withVerifiedBody(putObjectTagging),
  PutPublicAccessBlock: withVerifiedBody(putPublicAccessBlock),
  UploadPart: uploadPart,
  UploadPartCopy: uploadPartCopy,
};
