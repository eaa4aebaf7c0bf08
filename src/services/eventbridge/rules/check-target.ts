/** What PutTargets checks of a target: where it may go, what it is given, and what is not built here. */
import { notImplemented } from "../../../aws/errors.ts";
import type { Input } from "../../../aws/service.ts";
import type { Client } from "../deps.ts";
import { invalidParameter, validation } from "../errors.ts";
import { RESERVED_VARIABLES } from "../input/input.ts";
import { compileJsonPath } from "../input/json-path.ts";
import { isJson, parseTemplate, templateFault } from "../input/template.ts";
import { INPUT_PATHS_MAX } from "../limits.ts";
import { readDestinationArn } from "../names.ts";
import type { Place } from "../names.ts";
import type { Target } from "./target.ts";

type GivenTarget = NonNullable<Input<Client, "PutTargets">["Targets"]>[number];

const ARN = /^arn:aws[a-z-]*:([a-z0-9-]+):([a-z0-9-]*):(\d{12})?:(.+)$/;
const QUEUE_ARN = /^arn:aws:sqs:[a-z0-9-]+:\d{12}:[A-Za-z0-9_-]{1,80}$/;

/** The kinds of targets by the service in their ARNs, each with how its resources are named. */
const RESOURCES: Readonly<Record<string, RegExp>> = {
  lambda: /^function:[A-Za-z0-9-_]+(:[A-Za-z0-9-_$]+)?$/,
  sqs: /^[A-Za-z0-9_-]{1,80}(\.fifo)?$/,
  sns: /^[A-Za-z0-9_-]{1,256}(\.fifo)?$/,
  kinesis: /^stream\/[A-Za-z0-9_.-]{1,128}$/,
  logs: /^log-group:[A-Za-z0-9_./#-]{1,512}(:\*)?$/,
  events: /^event-bus\/[/.\-_A-Za-z0-9]+$/,
};

/** Parameters of targets that this server has not. */
const OTHER_PARAMETERS = [
  "RunCommandParameters",
  "EcsParameters",
  "BatchParameters",
  "RedshiftDataParameters",
  "SageMakerPipelineParameters",
  "AppSyncParameters",
] as const;

/** @throws AwsError ValidationException; NotImplemented, naming the target or the member */
export function checkTarget(given: GivenTarget, rule: Place): Target {
  const target = withoutUndefined(given);
  const kind = checkArn(target, rule);
  for (const name of OTHER_PARAMETERS)
    if (given[name] !== undefined)
      throw notImplemented(
        `${name} (of the target ${target.Id}): it is for a service that this server does not have`,
      );
  checkParameters(target, kind, rule);
  checkInput(target, kind);
  const deadLetterArn = target.DeadLetterConfig?.Arn;
  if (deadLetterArn !== undefined)
    checkDeadLetterArn(deadLetterArn, `DeadLetterConfig.Arn of the target ${target.Id}`, rule);
  return target;
}

/** @throws AwsError ValidationException */
export function checkDeadLetterArn(arn: string, what: string, { region }: Pick<Place, "region">): void {
  if (!QUEUE_ARN.test(arn) || arn.split(":")[3] !== region)
    throw validation(`Parameter ${what} must be the ARN of a standard SQS queue in the region ${region}.`);
}

function withoutUndefined(given: GivenTarget): Target {
  return JSON.parse(JSON.stringify(given)) as Target;
}

/** The service of a target. */
function checkArn({ Arn }: Target, rule: Place): string {
  const [, service = "", region, , resource = ""] = ARN.exec(Arn) ?? [];
  if (service === "") throw invalidParameter(Arn, "Provided Arn is not in correct format.");
  const pattern = Object.hasOwn(RESOURCES, service) ? RESOURCES[service] : undefined;
  if (!pattern) throw notImplemented(`the target ${Arn}: nothing is delivered to the service '${service}'`);
  if (service === "events" && readDestinationArn(Arn)) return "api-destination";
  if (!pattern.test(resource)) {
    if (service === "events")
      throw notImplemented(
        `the target ${Arn}: of EventBridge, only event buses and API destinations are targets`,
      );
    throw invalidParameter(Arn, "Provided Arn is not in correct format.");
  }
  if (service !== "events" && region !== rule.region)
    throw invalidParameter(Arn, `The target must be in the rule's region, ${rule.region}.`);
  return service;
}

function checkParameters(target: Target, kind: string, rule: Place): void {
  const { Id, Arn } = target;
  const isElsewhere = kind === "events" && !Arn.startsWith(`arn:aws:events:${rule.region}:${rule.account}:`);
  if ((kind === "kinesis" || kind === "api-destination" || isElsewhere) && target.RoleArn === undefined)
    throw validation(`RoleArn is required for target ${Arn}.`);
  if (kind === "sqs" && Arn.endsWith(".fifo") && !target.SqsParameters?.MessageGroupId)
    throw validation(`Parameter(s) MessageGroupId must be specified for target: ${Id}.`);
  const owned = {
    SqsParameters: "sqs",
    KinesisParameters: "kinesis",
    HttpParameters: "api-destination",
  } as const;
  for (const [name, owner] of Object.entries(owned))
    if (target[name as keyof typeof owned] !== undefined && kind !== owner)
      throw validation(`Parameter(s) ${name} cannot be specified for target: ${Id}.`);
  if (kind === "logs" && target.RoleArn !== undefined)
    throw validation(`RoleArn is not supported for target ${Arn}.`);
  const path = target.KinesisParameters?.PartitionKeyPath;
  if (path !== undefined && !compileJsonPath(path))
    throw validation(`PartitionKeyPath of the target ${Id} is not a JSON path: ${path}.`);
}

const CONTENTS = ["Input", "InputPath", "InputTransformer"] as const;

function checkInput(target: Target, kind: string): void {
  const { Id, Input, InputPath, InputTransformer } = target;
  const given = CONTENTS.filter((name) => target[name] !== undefined);
  if (given.length > 1)
    throw validation(`Only one of Input, InputPath, or InputTransformer must be provided for target ${Id}.`);
  if (given.length > 0 && kind === "events")
    throw validation(`Modifying the input for target ${Id} is not supported.`);
  if (kind === "logs" && (Input ?? InputPath) !== undefined)
    throw validation(
      `Input and InputPath are not valid forms of input for target ${Id}. The only valid form of input is InputTransformer.`,
    );
  if (Input !== undefined && !isJson(Input)) throw validation(`JSON syntax error in input for target ${Id}.`);
  if (InputPath !== undefined && !compileJsonPath(InputPath))
    throw validation(`Invalid InputPath for target ${Id}: ${InputPath}.`);
  if (InputTransformer) checkTransformer(Id, InputTransformer);
}

function checkTransformer(
  id: string,
  { InputPathsMap = {}, InputTemplate }: NonNullable<Target["InputTransformer"]>,
): void {
  const paths = Object.entries(InputPathsMap);
  if (paths.length > INPUT_PATHS_MAX)
    throw validation(`InputPathsMap of the target ${id} has more than ${INPUT_PATHS_MAX} paths.`);
  for (const [name, path] of paths) {
    if (name.startsWith("AWS") || RESERVED_VARIABLES.has(name))
      throw validation(`InputPathsMap of the target ${id} has the reserved name ${name}.`);
    if (!compileJsonPath(path))
      throw validation(`Invalid InputPathsMap for target ${id}: ${path} is not a JSON path.`);
  }
  const template = parseTemplate(InputTemplate);
  const unknown = template.variables.find(
    ({ name }) => !Object.hasOwn(InputPathsMap, name) && !RESERVED_VARIABLES.has(name),
  );
  if (unknown)
    throw validation(`InputTemplate for target ${id} contains invalid placeholder ${unknown.name}.`);
  const fault = templateFault(template);
  if (fault !== undefined) throw validation(`Invalid InputTemplate for target ${id} : [${fault}].`);
}
