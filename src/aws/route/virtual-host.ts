/** The bucket in the host name of a virtual-host style S3 request. */

const IP_ADDRESS = /^(\d{1,3}(\.\d{1,3}){3}|\[.*\])$/;
/** `bucket.s3.localhost`, `bucket.s3.us-east-1.amazonaws.com`, `bucket.s3-us-west-2.example`. */
const BEFORE_S3 = /^(.+?)\.s3(?:[.-].*)?$/;
const BEFORE_LOCALHOST = /^(.+)\.localhost$/;

/** Undefined for path style: an address, a name without a bucket before `s3` or `localhost`. */
export function bucketOfHost(host: string): string | undefined {
  const name = host.replace(/:\d+$/, "").toLowerCase();
  if (IP_ADDRESS.test(name) || /^s3[.-]/.test(name)) return undefined;
  return (BEFORE_S3.exec(name) ?? BEFORE_LOCALHOST.exec(name))?.[1];
}
