/** The AWS SDKs that AWS's runtimes carry, fetched into the cache once; a function that brings its own uses its own. */
import { createHash } from "node:crypto";
import type { Log } from "../../telemetry/log.ts";
import { installOnce, npmInstall, pipInstall } from "./install.ts";

/** The clients of the services that Lambent knows, and the libraries that AWS's Node runtimes have with them. */
const NODE_PACKAGES = [
  "@aws-sdk/client-api-gateway@3.1142.0",
  "@aws-sdk/client-apigatewayv2@3.1169.0",
  "@aws-sdk/client-cloudformation@3.1169.0",
  "@aws-sdk/client-cloudwatch@3.1164.0",
  "@aws-sdk/client-cloudwatch-logs@3.1169.0",
  "@aws-sdk/client-codedeploy@3.1133.0",
  "@aws-sdk/client-cognito-identity-provider@3.1169.0",
  "@aws-sdk/client-dynamodb@3.1164.0",
  "@aws-sdk/client-dynamodb-streams@3.1141.0",
  "@aws-sdk/client-ecr@3.1169.0",
  "@aws-sdk/client-elastic-load-balancing-v2@3.1142.0",
  "@aws-sdk/client-eventbridge@3.1169.0",
  "@aws-sdk/client-iam@3.1169.0",
  "@aws-sdk/client-kinesis@3.1143.0",
  "@aws-sdk/client-lambda@3.1164.0",
  "@aws-sdk/client-s3@3.1173.0",
  "@aws-sdk/client-scheduler@3.1169.0",
  "@aws-sdk/client-sns@3.1169.0",
  "@aws-sdk/client-sqs@3.1169.0",
  "@aws-sdk/client-ssm@3.1169.0",
  "@aws-sdk/client-sts@3.1173.0",
  "@aws-sdk/client-xray@3.1169.0",
  "@aws-sdk/lib-dynamodb@3.1162.0",
  "@aws-sdk/lib-storage@3.1173.0",
  "@aws-sdk/s3-request-presigner@3.1164.0",
];

/** Newest boto3 that each Python 3 minor version can have. */
const BOTO3_VERSIONS: Readonly<Record<number, string>> = { 8: "1.37.38", 9: "1.42.97" };
const boto3Version = "1.44.5";

/** A fetch that failed is not tried again before this has passed. */
const retryMs = 300_000;
const failedAt = new Map<string, number>();

/** A folder with `node_modules`, or undefined (and a warning) when it cannot be fetched. */
export async function awsSdkFolder(
  cacheDir: string,
  log: Log,
  tell: (message: string) => void,
): Promise<string | undefined> {
  const hash = createHash("sha256").update(NODE_PACKAGES.join("\n")).digest("hex").slice(0, 16);
  return orWarning(`${cacheDir}/aws-sdk-nodejs`, log, "the AWS SDK for JavaScript", () =>
    installOnce(cacheDir, `aws-sdk-nodejs-${hash}`, async (folder) => {
      tell("fetching the AWS SDK for JavaScript");
      await npmInstall(folder, NODE_PACKAGES);
    }),
  );
}

/** A folder with boto3, or undefined (and a warning) when it cannot be fetched. */
export async function boto3Folder(
  cacheDir: string,
  { minor, ...programs }: { readonly minor: number; readonly python: string; readonly pip: string },
  log: Log,
  tell: (message: string) => void,
): Promise<string | undefined> {
  const version = BOTO3_VERSIONS[minor] ?? boto3Version;
  // Of each Python its own, for the sake of the compiled files in it.
  const name = `boto3-${version}-python3.${minor}`;
  return orWarning(`${cacheDir}/${name}`, log, `boto3 for python3.${minor}`, () =>
    installOnce(cacheDir, name, async (folder) => {
      tell(`fetching boto3 ${version}`);
      await pipInstall({ ...programs, version: `3.${minor}` }, folder, [`boto3==${version}`]);
    }),
  );
}

async function orWarning(
  key: string,
  log: Log,
  what: string,
  install: () => Promise<string>,
): Promise<string | undefined> {
  const failed = failedAt.get(key);
  if (failed !== undefined && performance.now() - failed < retryMs) return undefined;
  try {
    const folder = await install();
    failedAt.delete(key);
    return folder;
  } catch (error) {
    failedAt.set(key, performance.now());
    log.warn(`${what} could not be fetched; functions run without it unless they bring it`, {
      reason: (error as Error).message,
    });
    return undefined;
  }
}
