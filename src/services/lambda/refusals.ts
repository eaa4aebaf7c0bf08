/** Members of CreateFunction and the updates that Lambent does not implement: refused by name unless they say the default. */
import { notImplemented } from "../../aws/errors.ts";
import type { Input } from "../../aws/service.ts";
import { LOCAL_BUCKET } from "./code/local-folders.ts";
import type { Client } from "./deps.ts";

type Create = Input<Client, "CreateFunction">;
type UpdateCode = Input<Client, "UpdateFunctionCode">;

/** The members of the three requests that may carry something unimplemented. */
export type Refusable = Partial<Omit<Create, "FunctionName" | "Role" | "Code">> & {
  readonly Code?: Create["Code"];
} & Partial<Pick<UpdateCode, "SourceKMSKeyArn">>;

/** The architecture of the machine, as AWS spells it. */
export const HOST_ARCHITECTURE = process.arch === "arm64" ? "arm64" : "x86_64";

/** Each says what it refuses, or undefined when the request asks for nothing but the default. */
const REFUSALS: readonly ((input: Refusable) => string | false | undefined)[] = [
  ({ VpcConfig }) => filled(VpcConfig) && "VpcConfig",
  ({ KMSKeyArn }) => filled(KMSKeyArn) && "KMSKeyArn",
  ({ Code, SourceKMSKeyArn }) => filled(Code?.SourceKMSKeyArn ?? SourceKMSKeyArn) && "SourceKMSKeyArn",
  ({ TracingConfig }) => TracingConfig?.Mode === "Active" && "TracingConfig Mode Active",
  ({ FileSystemConfigs }) => filled(FileSystemConfigs) && "FileSystemConfigs",
  ({ TenancyConfig }) => filled(TenancyConfig) && "TenancyConfig",
  ({ CapacityProviderConfig }) => filled(CapacityProviderConfig) && "CapacityProviderConfig",
  ({ DurableConfig }) => filled(DurableConfig) && "DurableConfig",
  ({ PublishTo }) => filled(PublishTo) && `PublishTo ${PublishTo}`,
  ({ Architectures }) =>
    filled(Architectures) &&
    Architectures?.[0] !== HOST_ARCHITECTURE &&
    `Architectures ${Architectures?.[0]} on this machine, which is ${HOST_ARCHITECTURE}`,
];

/** @throws NotImplemented (501) naming the first member that asks for something Lambent does not do. */
export function refuseUnimplemented(input: Refusable): void {
  for (const refusal of REFUSALS) {
    const what = refusal(input);
    if (what) throw notImplemented(`${what} of a Lambda function`);
  }
}

/** @throws NotImplemented (501), as for functions. */
export function refuseLayerContent(content: Input<Client, "PublishLayerVersion">["Content"]): void {
  if (content?.S3Bucket === LOCAL_BUCKET) throw notImplemented(`S3Bucket ${LOCAL_BUCKET} of a Lambda layer`);
}

/** Whether a member says anything: not absent, empty, false, or an object of such. */
function filled(value: unknown): boolean {
  if (value === undefined || value === null || value === "" || value === false) return false;
  if (typeof value !== "object") return true;
  return Object.values(value).some(filled);
}
